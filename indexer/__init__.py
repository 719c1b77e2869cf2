"""Read files, encode them, and store the results: scan, decode, tags, signatures, FAISS."""
