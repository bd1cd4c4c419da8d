"""Search through an index against exact search: time to build, memory, time of a query and recall@100.

    python -m benchmarks.index                       # 1,000,000 vectors, near_index.py's index; two minutes
    python -m benchmarks.index 200000 --all          # fewer vectors, every library that is installed
    python -m benchmarks.index --vectors rows.npy --queries asked.npy     # one's own: float32 unit rows

Vectors are clustered, as those of texts are: a topic each, topics of unequal size, and most of what differs within one
lies in few directions; queries are new draws from the same topics. How far each index looks is chosen as near_index.py
does, on its sample queries, so that recall is measured on queries that nothing was chosen by. What is proposed is
scored exactly. Linux only: it forks. Writes a section of benchmarks/INDEX.md.

Compared, where installed: faiss-cpu as near_index.py uses it, and two graphs of near neighbours (HNSW), usearch's over
16-bit rows and hnswlib's over whole ones, which comes as source only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.report import write_section
from rerank_core import near_index as near

OUT = Path(__file__).parent / "INDEX.md"
HEAD = "# Exact search and an index\n\nWritten by `python -m benchmarks.index`.\n"
DIMS, SEED, BLOCK, QUERIES, WANTED = 384, 0, 50_000, 200, 100
NEIGHBOURS, ADDING, GRAPH_EFFORTS = 16, 128, (64, 128, 256, 512, 1024, 2048)
"""Of the graphs: neighbours of a row, rows looked at when one is added (usearch's defaults), and by a search."""
FORK = multiprocessing.get_context("fork")
TOPIC, DIRECTIONS, SPREAD, NOISE = 400, 24, 0.9, 0.35
"""Vectors a topic on average; directions in which a topic varies, how far, and how far in all others."""


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
    """As near_index.py makes it."""

    name = "faiss-cpu, inverted lists, 8 bits"

    def build(self, rows: np.ndarray) -> None:
        self._lists = near.Lists(rows, np.arange(len(rows)), progress)
        self.efforts = [2**i for i in range(13) if 2**i < self._lists.lists] + [self._lists.lists]

    def look(self, effort: int) -> None:
        self._lists.probes = effort

    def proposed(self, query: np.ndarray, depth: int) -> np.ndarray:
        return self._lists.proposed(query, depth)


class Usearch:
    name, efforts = "usearch, HNSW, 16 bits", GRAPH_EFFORTS

    def build(self, rows: np.ndarray) -> None:
        from usearch.index import Index

        self._graph = Index(
            ndim=rows.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=NEIGHBOURS,
            expansion_add=ADDING,
        )
        for at in range(0, len(rows), BLOCK):
            block = rows[at : at + BLOCK]
            self._graph.add(np.arange(at, at + len(block)), block)
            progress(at + len(block), len(rows))

    def look(self, effort: int) -> None:
        self._graph.expansion_search = effort

    def proposed(self, query: np.ndarray, depth: int) -> np.ndarray:
        return self._graph.search(query, near.OVERSAMPLE * depth).keys.astype(np.intp)


class Hnswlib:
    name, efforts = "hnswlib, HNSW, 32 bits", GRAPH_EFFORTS

    def build(self, rows: np.ndarray) -> None:
        import hnswlib

        self._graph = hnswlib.Index(space="ip", dim=rows.shape[1])
        self._graph.init_index(len(rows), M=NEIGHBOURS, ef_construction=ADDING, random_seed=SEED)
        for at in range(0, len(rows), BLOCK):
            block = rows[at : at + BLOCK]
            self._graph.add_items(block, np.arange(at, at + len(block)))
            progress(at + len(block), len(rows))

    def look(self, effort: int) -> None:
        self._graph.set_ef(
            max(effort, near.OVERSAMPLE * WANTED)
        )  # it gives no more than it looks at

    def proposed(self, query: np.ndarray, depth: int) -> np.ndarray:
        return self._graph.knn_query(query[None], k=near.OVERSAMPLE * depth)[0][0].astype(np.intp)


def progress(done: int, total: int) -> None:
    print(f"\r{done:,} of {total:,}", end="", file=sys.stderr, flush=True)


def resident() -> float:
    """Megabytes of this process in memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(index: Any, rows: np.ndarray, queries: np.ndarray, best: np.ndarray) -> str:
    """Build, choose how far to look, ask each query: a row of the table."""
    every = np.arange(len(rows))
    before, start = resident(), perf_counter()
    index.build(rows)
    build_s, megabytes = perf_counter() - start, resident() - before
    print(file=sys.stderr)
    start = perf_counter()
    asked = near.sample_queries(rows, every)
    exact = near.exact_best(rows, every, asked)
    for effort in index.efforts:
        index.look(effort)
        sampled = near.recall_of(index.proposed, rows, every, asked, exact)
        if sampled >= near.RECALL_LEAST:
            break
    chosen_s = perf_counter() - start
    times = []
    for query in queries:
        start = perf_counter()
        texts = index.proposed(query, WANTED)
        np.argsort(-(rows[texts] @ query))[:WANTED]
        times.append((perf_counter() - start) * 1e3)
    recall = near.recall_of(index.proposed, rows, every, queries, best)
    return (
        f"| {index.name} | {build_s:.0f} s + {chosen_s:.0f} s | {megabytes:,.0f} MB | {effort} "
        f"| {statistics.median(times):.1f} ms | {sampled:.4f} | {recall:.4f} |"
    )


def apart(work: Callable[[], str]) -> str:
    """What `work` gives in a process of its own, which has the vectors already: memory is then one index's, and no
    library meets another's threads (with all of them in one process, faiss crashed)."""
    answers: multiprocessing.SimpleQueue[str] = FORK.SimpleQueue()
    process = FORK.Process(target=lambda: answers.put(work()))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"The measuring process ended with {process.exitcode}.")
    return answers.get()


def exact_ms(rows: np.ndarray, queries: np.ndarray) -> float:
    """Median milliseconds of comparing one query with every row and finding the best."""
    times = []
    for query in queries[:50]:
        start = perf_counter()
        np.argpartition(rows @ query, -WANTED)[-WANTED:]
        times.append((perf_counter() - start) * 1e3)
    return statistics.median(times)


def candidates(every: bool) -> Iterator[Any]:
    """What is measured: near_index.py's, or all that are installed."""
    yield Faiss()
    if every and installed("usearch"):
        yield Usearch()
    if every and installed("hnswlib"):
        yield Hnswlib()


def installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index")
    parser.add_argument("n", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--all", action="store_true", help="every library that is installed")
    parser.add_argument("--vectors", type=Path, help=".npy with float32 unit rows")
    parser.add_argument("--queries", type=Path, help=".npy with the vectors of queries")
    parser.add_argument("--what", default="given vectors", help="what these are")
    args = parser.parse_args()
    if args.vectors:
        rows, queries, what = np.load(args.vectors), np.load(args.queries)[:QUERIES], args.what
    else:
        rows, queries = clustered(args.n)
        what = "synthetic clustered vectors"
    best = near.exact_best(rows, np.arange(len(rows)), queries)
    lines = [
        f"{rows.shape[1]} numbers each ({rows.nbytes / 2**20:,.0f} MB); {len(queries)} queries one at a time, the best "
        f"{WANTED}; {near.OVERSAMPLE} proposed for each one wanted.",
        "",
        f"| | built + looking chosen | memory added | looks at | a query, median | recall@{WANTED} on the sample "
        "| on the queries |",
        "|---|---|---|---|---|---|---|",
        f"| exact, numpy | | | all | {exact_ms(rows, queries):.1f} ms | 1 | 1 |",
    ]
    for index in candidates(args.all):
        lines.append(apart(lambda index=index: measure(index, rows, queries, best)))
        print(lines[-1], flush=True)
    names = ("faiss-cpu", "usearch", "hnswlib")
    versions = ", ".join(f"{n} {v}" for n in names if (v := installed(n)))
    lines += [
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
        f"{versions}.",
    ]
    write_section(f"{len(rows):,} {what}", lines, OUT, HEAD)
    print(OUT)


if __name__ == "__main__":
    main()
