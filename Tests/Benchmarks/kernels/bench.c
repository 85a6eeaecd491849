#include "harness.h"
void bench(void*self,double s){(void)self,(void)s;}
