"""Approximate search against exact: time to build, memory, time of a query and recall@100, by library.

    python -m benchmarks.index                       # 1,000,000 vectors, the library that pays best, in minutes
    python -m benchmarks.index 20000 --all           # fewer vectors, every library that is installed
    python -m benchmarks.index --vectors rows.npy    # vectors of one's own instead: (n, 384) float32, unit rows

Vectors are clustered, as those of texts are: a topic each, topics of unequal size, and most of what differs within one
lies in few directions. Queries are new draws from the same topics. An index proposes candidates, and their exact
cosines decide, so that recall@100 is the share of the exact 100 that were proposed. Writes benchmarks/INDEX.md.

Compared: faiss-cpu (inverted lists of 8-bit rows, and of whole ones), usearch (HNSW over 16-bit rows). Left out:
hnswlib, which comes as source only and needs a compiler on every machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, Protocol

import numpy as np

OUT = Path(__file__).parent / "INDEX.md"
DIMS, SEED, BLOCK, QUERIES, WANTED = 384, 0, 50_000, 200, 100
OVERSAMPLE = 3
"""Candidates proposed for each one wanted: coarse distances put few of the exact 100 further down."""
TOPIC, DIRECTIONS, SPREAD, NOISE = 400, 24, 0.9, 0.35
"""Vectors a topic on average; directions in which a topic varies, how far, and how far in all others."""


class Index(Protocol):
    """An index under construction and in use."""

    name: str

    def build(self, rows: np.ndarray, progress: Callable[[int, int], None]) -> None: ...

    def near(self, query: np.ndarray, count: int) -> np.ndarray:
        """About `count` rows near a query (d,), in any order."""


def clustered(n: int, queries: int = QUERIES, dims: int = DIMS) -> tuple[np.ndarray, np.ndarray]:
    """(n, dims) rows and (queries, dims) queries of unit length, made in blocks."""
    rng = np.random.default_rng(SEED)
    topics = max(2, n // TOPIC)
    centres = rng.standard_normal((topics, dims), dtype=np.float32)
    # 64 families of directions are shared between topics, so that memory does not grow with their number.
    families = rng.standard_normal((64, DIRECTIONS, dims), dtype=np.float32)
    weights = 1.0 / np.arange(1, topics + 1) ** 0.5
    weights /= weights.sum()
    rows = np.empty((n + queries, dims), dtype=np.float32)
    for at in range(0, n + queries, BLOCK):
        block = rows[at : at + BLOCK]
        topic = rng.choice(topics, size=len(block), p=weights)
        rng.standard_normal(out=block, dtype=np.float32)
        block *= NOISE
        block += centres[topic]
        along = rng.standard_normal((len(block), DIRECTIONS), dtype=np.float32) * SPREAD
        for family in range(64):
            of = np.flatnonzero(topic % 64 == family)
            block[of] += along[of] @ families[family] / np.float32(DIRECTIONS**0.5)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return rows[:n], rows[n:]


class Faiss:
    """Inverted lists: rows near the same centre stand together, and a query reads the lists of its nearest centres."""

    def __init__(self, kind: str, probes: float) -> None:
        self.name = f"faiss-cpu, inverted lists, {kind}"
        self._kind, self._probes = kind, probes

    def build(self, rows: np.ndarray, progress: Callable[[int, int], None]) -> None:
        import faiss

        n, dims = rows.shape
        lists = int(max(8, min(4096, 2 * n**0.5)))
        spec = f"IVF{lists},{'SQ8' if self._kind == '8 bits' else 'Flat'}"
        self._index = faiss.index_factory(dims, spec, faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(SEED).choice(n, min(n, 40 * lists), replace=False)
        self._index.cp.niter = 8
        self._index.train(rows[np.sort(sample)])
        for at in range(0, n, BLOCK):
            self._index.add(rows[at : at + BLOCK])
            progress(min(n, at + BLOCK), n)
        self._index.nprobe = max(4, round(lists * self._probes))

    def near(self, query: np.ndarray, count: int) -> np.ndarray:
        found = self._index.search(query[None], count)[1][0]
        return found[found >= 0]


class Usearch:
    """A graph of near neighbours that a query walks."""

    name = "usearch, HNSW, 16 bits"

    def build(self, rows: np.ndarray, progress: Callable[[int, int], None]) -> None:
        from usearch.index import Index as Graph

        self._graph = Graph(
            ndim=rows.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=16,
            expansion_add=128,
            expansion_search=400,
        )
        for at in range(0, len(rows), BLOCK):
            block = rows[at : at + BLOCK]
            self._graph.add(np.arange(at, at + len(block)), block)
            progress(at + len(block), len(rows))

    def near(self, query: np.ndarray, count: int) -> np.ndarray:
        return self._graph.search(query, count).keys


class Figures(NamedTuple):
    """One index, measured: seconds to build, MB that it added, milliseconds a query, recall@100."""

    name: str
    build_s: float
    megabytes: float
    ms: float
    recall: float


def exact(rows: np.ndarray, queries: np.ndarray) -> tuple[list[set[int]], float]:
    """The nearest WANTED rows of each query, and the median milliseconds of finding them one query at a time."""
    best, times = [], []
    for query in queries:
        start = perf_counter()
        scores = rows @ query
        top = np.argpartition(scores, -WANTED)[-WANTED:]
        times.append((perf_counter() - start) * 1e3)
        best.append(set(top.tolist()))
    return best, statistics.median(times)


def resident() -> float:
    """Megabytes of this process in memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(index: Index, rows: np.ndarray, queries: np.ndarray, best: list[set[int]]) -> Figures:
    """Build, ask each query, and hold what is proposed, exactly scored, against the exact answer."""

    def progress(done: int, total: int) -> None:
        print(f"\r{index.name}: {done:,} of {total:,}", end="", file=sys.stderr, flush=True)

    before, start = resident(), perf_counter()
    index.build(rows, progress)
    build_s, megabytes = perf_counter() - start, resident() - before
    print(file=sys.stderr)
    times, hits = [], 0
    for query, wanted in zip(queries, best, strict=True):
        start = perf_counter()
        found = index.near(query, OVERSAMPLE * WANTED).astype(np.intp)
        order = np.argsort(-(rows[found] @ query))[:WANTED]
        times.append((perf_counter() - start) * 1e3)
        hits += len(wanted & set(found[order].tolist()))
    return Figures(
        index.name, build_s, megabytes, statistics.median(times), hits / (WANTED * len(queries))
    )


def candidates(every: bool) -> Iterator[Index]:
    """What is measured: the one that pays best, or all that are installed."""
    if _installed("faiss-cpu"):
        yield Faiss("8 bits", 0.05)
        if every:
            yield Faiss("whole rows", 0.05)
    if every and _installed("usearch"):
        yield Usearch()


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index")
    parser.add_argument("n", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--all", action="store_true", help="every library that is installed")
    parser.add_argument("--vectors", type=Path, help=".npy with (n, 384) float32 unit rows")
    args = parser.parse_args()
    if args.vectors:
        given = np.load(args.vectors)
        rows, queries, what = given[:-QUERIES], given[-QUERIES:], f"vectors of {args.vectors.name}"
    else:
        rows, queries = clustered(args.n)
        what = "synthetic clustered vectors"
    best, exact_ms = exact(rows, queries)
    lines = [
        "# Exact search and an index",
        "",
        f"{len(rows):,} {what} of {rows.shape[1]} numbers ({rows.nbytes / 2**20:,.0f} MB), {len(queries)} queries one "
        f"at a time, the best {WANTED}. What an index proposes ({OVERSAMPLE} times as many) is scored exactly.",
        "",
        "| | built in | memory added | a query, median | recall@100 |",
        "|---|---|---|---|---|",
        f"| exact, numpy | 0 s | 0 MB | {exact_ms:.1f} ms | 1 |",
    ]
    for index in candidates(args.all):
        f = measure(index, rows, queries, best)
        lines.append(
            f"| {f.name} | {f.build_s:.0f} s | {f.megabytes:,.0f} MB | {f.ms:.1f} ms | {f.recall:.4f} |"
        )
        print(lines[-1])
    versions = ", ".join(f"{n} {v}" for n in ("faiss-cpu", "usearch") if (v := _installed(n)))
    lines += [
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
        f"{versions}.",
    ]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(OUT)


if __name__ == "__main__":
    main()
