// PTunePlugins
