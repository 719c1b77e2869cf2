"""Which tracks fit a description in words? Parsing, names of the library, scores, results."""
