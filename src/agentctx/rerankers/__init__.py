"""Built-in rerankers: the slower, precise judges of the final order."""
