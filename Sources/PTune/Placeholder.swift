// PTune
