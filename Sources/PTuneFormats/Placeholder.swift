// PTuneFormats
