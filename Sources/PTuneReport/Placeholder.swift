// PTuneReport
