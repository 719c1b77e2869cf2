"""Search for the nearest signatures: `store` is the interface, `faiss` and `memory` implement it."""
