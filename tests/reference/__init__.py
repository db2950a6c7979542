"""Plain implementations of what the product does fast: they define the result, to the byte."""
