"""Training of encoders on labelled clips, unlabelled music, and the outputs of teachers."""
