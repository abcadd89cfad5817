const void *ptune_plugin_entry_v2(const void *host) { return host; }
