"""Search for the nearest signatures: `store` is the interface, `faiss` and `memory` lie behind it."""
