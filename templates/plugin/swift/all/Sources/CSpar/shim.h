/* The installed header: `pkg-config --cflags spar`, or SPAR_INCLUDE. */
#include <spar_plugin.h>
