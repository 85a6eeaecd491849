#include "spar_plugin.h"
SPAR_EXPORT const spar_plugin *spar_plugin_entry_v1(void) { return 0; }
