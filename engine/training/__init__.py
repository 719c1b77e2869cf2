"""Training of encoders on a user's own labelled music."""
