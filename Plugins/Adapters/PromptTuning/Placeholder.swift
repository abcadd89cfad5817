import PTune
