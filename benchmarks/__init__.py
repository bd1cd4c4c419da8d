"""Speed, measured by hand on a quiet machine: `python -m benchmarks.rerank`, `.page`, `.search`."""
