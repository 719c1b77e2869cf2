"""Which tracks fit a description in words? Understanding, names of the library, scores, answers."""
