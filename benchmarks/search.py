"""Exact search over many vectors: one query against 1,000 to 1,000,000 random unit vectors.

    python -m benchmarks.search            # writes benchmarks/search.json, which the page's tab Cost reads

Speed does not depend on what the vectors say, so random ones will do. What is counted is `retrieve.search`, as the
page calls it: dot products, the N best, and their order. Memory: a million vectors of 384 numbers are 1.5 GB, and as
many passages stand beside them. Run it when nothing else runs; it takes about a minute.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as app.py: the models' threads need the cores

import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from rerank_core.corpus import Corpus
from rerank_core.limits import RETRIEVE_K_DEFAULT
from rerank_core.records import Passage
from rerank_core.retrieve import search
from rerank_core.scale import SearchBenchmark, SearchPoint
from rerank_core.trace import this_environment

OUT = Path(__file__).parent / "search.json"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
DIMS, SEED, BLOCK = 384, 0, 50_000
WARM, ROUNDS = 2, 15


def unit_vectors(n: int, dims: int = DIMS) -> np.ndarray:
    """(n, dims) float32 rows of unit length, made in blocks so that no second copy is needed."""
    rng = np.random.default_rng(SEED)
    rows = np.empty((n, dims), dtype=np.float32)
    for at in range(0, n, BLOCK):
        block = rows[at : at + BLOCK]
        rng.standard_normal(out=block, dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return rows


def measure(vectors: np.ndarray, rounds: int = ROUNDS) -> SearchPoint:
    """Search with a new random query each round; the first WARM are not counted."""
    n = len(vectors)
    corpus = Corpus(tuple(Passage(f"d{i:07d}", str(i)) for i in range(n)), vectors, "random")
    _ = corpus.first_row  # paid once a corpus, before any query
    times = []
    for turn, query in enumerate(unit_vectors(rounds + WARM, vectors.shape[1])):
        start = perf_counter()
        search(query, corpus, RETRIEVE_K_DEFAULT)
        ms = (perf_counter() - start) * 1e3
        if turn >= WARM:
            times.append(ms)
    return SearchPoint(
        passages=n,
        ms=statistics.median(times),
        ms_low=min(times),
        ms_high=max(times),
        rounds=rounds,
    )


def main() -> None:
    points = []
    for size in SIZES:
        points.append(measure(unit_vectors(size)))
        print(f"{size:>9,} vectors: {points[-1].ms:.2f} ms", file=sys.stderr)
    made = SearchBenchmark(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        dims=DIMS,
        n=RETRIEVE_K_DEFAULT,
        cores=os.cpu_count() or 1,
        environment=this_environment(),
        points=tuple(points),
    )
    OUT.write_text(made.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(OUT)


if __name__ == "__main__":
    main()
