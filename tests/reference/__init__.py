"""Plain ways of doing what the product does fast: they say what must come of it, to the byte."""
