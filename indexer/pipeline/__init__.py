"""From files to stored signatures: prepare in threads, encode in batches, commit."""
