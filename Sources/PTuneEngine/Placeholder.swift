// PTuneEngine
