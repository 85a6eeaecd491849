/* Built for a generation of the interface that this host does not speak. */
__attribute__((visibility("default"))) const void *spar_plugin_entry_v2(void) { return 0; }
