// PTuneTesting
