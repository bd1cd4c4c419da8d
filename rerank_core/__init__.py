"""Two-stage ranking: retrieve with a bi-encoder, rerank with a cross-encoder, and say what moved."""
