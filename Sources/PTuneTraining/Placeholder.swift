// PTuneTraining
