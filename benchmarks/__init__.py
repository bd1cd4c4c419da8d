"""Speed, measured by hand on a quiet machine: `python -m benchmarks.rerank`, `python -m benchmarks.page`."""
