"""Which tracks sound like this one? References, embeddings, filters, ranking, results."""
