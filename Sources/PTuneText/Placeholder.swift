// PTuneText
