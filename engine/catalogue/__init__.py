"""Albums, artists and genres of a library."""
