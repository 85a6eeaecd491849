#include "spar_threads.h"
