"""Serve a library over HTTP: a typed API, OpenSubsonic for existing players, media, indexing jobs."""
