int ptune_plugin = 1;
