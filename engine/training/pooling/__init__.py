"""Training of the attention over segments and of the map before it, on stored segment vectors."""
