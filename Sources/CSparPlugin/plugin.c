#include "spar_plugin.h"
