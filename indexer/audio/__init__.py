"""From a file to samples and tags: scan, identify, decode, place windows."""
