"""From files to stored signatures: decode in processes, encode in threads or batches, commit."""
