"""Which tracks in which order? Radios, paths, smooth orders, playlist files."""
