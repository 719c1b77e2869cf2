"""Signatures, searchable: FAISS index files derived from SQLite."""
