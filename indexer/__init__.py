"""Reading files, encoding them, and keeping what was found: scan, decode, tags, signatures, FAISS."""
