"""An index over very many vectors: it proposes passages near a query, and their exact cosines decide.

Up to limits.EXACT_MAX distinct texts a search compares the query with every vector. Above, a graph of near neighbours
is walked (HNSW: Malkov and Yashunin, 2016, https://arxiv.org/abs/1603.09320), over rows in 16 bits. How far it is
walked is not guessed: the least of EXPANSIONS that finds RECALL_LEAST of what exact search finds for sample queries,
each halfway between two passages.

The graph is usearch's, which is small and brings no OpenMP of its own beside torch's; benchmarks/INDEX.md compares it.
Without it, or where it does not reach the recall, search stays exact, and a line of the log says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rerank_core.limits import EXACT_MAX, INDEX_ROWS, RECALL_LEAST

log = logging.getLogger(__name__)
Vectors = NDArray[np.float32]
Numbers = NDArray[np.intp]
OnProgress = Callable[[int, int], None]

LIBRARY = "usearch"
CONNECTIVITY, EXPANSION_ADD = 16, 128
"""Neighbours of a row, and rows looked at when one is added: the library's own defaults."""
EXPANSIONS = (64, 128, 256, 512, 1024, 2048)
"""Rows looked at by a search, tried from the least."""
OVERSAMPLE = 2
"""Texts proposed for each one wanted: 16 bits put some of the best a little further down."""
SAMPLE, RECALL_AT, SEED = 200, 100, 0


class Rows(Protocol):
    """What search asks of a corpus's vectors, (n, d): an array in memory has it, and so have rows on the disk."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Numbers, /) -> Vectors:
        """(m,) row numbers -> (m, d)."""

    def __matmul__(self, vector: Vectors, /) -> Vectors:
        """(n, d) @ (d,) -> (n,): one score a row."""


@dataclass(frozen=True, eq=False)
class NearIndex:
    """A graph over the distinct texts of a corpus. `recall` is the mean recall@100 against exact search over SAMPLE
    sample queries; `expansion` how many rows a search looks at; `build_ms` what making and checking it took.
    """

    graph: Any
    first: Numbers
    rows_of: tuple[Numbers, Numbers]
    recall: float
    expansion: int
    build_ms: float

    @property
    def name(self) -> str:
        """What a report calls this search."""
        return f"HNSW ({LIBRARY} {metadata.version(LIBRARY)}), {self.expansion} rows looked at"

    def search(self, vector: Vectors, depth: int, vectors: Rows) -> tuple[Numbers, Vectors]:
        """Rows of `vectors` that may be among the `depth` nearest to a unit vector (d,), and their exact cosines.

        All passages with one text come together, with one cosine.
        """
        texts = proposed(self.graph, vector, depth)
        scores = vectors[self.first[texts]] @ vector
        order, starts = self.rows_of
        found = [order[starts[text] : starts[text + 1]] for text in texts.tolist()]
        return np.concatenate(found), np.repeat(scores, [len(rows) for rows in found])


def near_index(
    vectors: Rows,
    text_of: Numbers,
    progress: OnProgress | None = None,
    *,
    exact_max: int = EXACT_MAX,
) -> NearIndex | None:
    """The index over (n, d) rows, of which row i has the text `text_of[i]`, numbered from 0; None: search exactly.

    That is so for up to `exact_max` distinct texts, without the library, and where no expansion reaches RECALL_LEAST.
    `progress(done, total)` counts distinct texts. A million take minutes: INDEX.md.
    """
    start = perf_counter()
    _, first = np.unique(text_of, return_index=True)
    if len(first) <= exact_max:
        return None
    try:
        graph = _built(vectors, first, progress)
    except ImportError as error:
        log.warning(
            "%d texts are searched exactly: %s is not installed (%s)", len(first), LIBRARY, error
        )
        return None
    expansion, recall = _checked(graph, vectors, first)
    if recall < RECALL_LEAST:
        log.warning(
            "%d texts are searched exactly: an index finds %.3f of the best %d, less than %.2f",
            len(first), recall, RECALL_AT, RECALL_LEAST,
        )  # fmt: skip
        return None
    order = np.argsort(text_of, kind="stable")
    starts = np.append(np.searchsorted(text_of[order], np.arange(len(first))), len(text_of))
    ms = (perf_counter() - start) * 1e3
    return NearIndex(graph, first, (order, starts), recall, expansion, ms)


def proposed(graph: Any, vector: Vectors, depth: int) -> Numbers:
    """Distinct texts near a vector, OVERSAMPLE for each of `depth`, in the graph's order."""
    return np.asarray(graph.search(vector, min(len(graph), OVERSAMPLE * depth)).keys).astype(
        np.intp
    )


def _built(vectors: Rows, first: Numbers, progress: OnProgress | None) -> Any:
    from usearch.index import Index

    graph = Index(
        ndim=vectors.shape[1],
        metric="ip",
        dtype="f16",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSIONS[0],
    )
    for at, block in _blocks(vectors, first):
        graph.add(np.arange(at, at + len(block)), block)
        if progress:
            progress(at + len(block), len(first))
    return graph


def _checked(graph: Any, vectors: Rows, first: Numbers) -> tuple[int, float]:
    """The least expansion with RECALL_LEAST, else the largest; and its recall."""
    queries = sample_queries(vectors, first)
    best = exact_best(vectors, first, queries)
    recall = 0.0
    for expansion in EXPANSIONS:
        graph.expansion_search = expansion
        recall = recall_of(graph, vectors, first, queries, best)
        if recall >= RECALL_LEAST:
            break
    return expansion, recall


def sample_queries(vectors: Rows, first: Numbers) -> Vectors:
    """(SAMPLE, d) unit vectors, each halfway between two texts."""
    one, other = np.random.default_rng(SEED).choice(first, (2, SAMPLE))
    queries = vectors[one] + vectors[other]
    norms = np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
    return np.asarray(queries / norms, dtype=np.float32)


def recall_of(graph: Any, vectors: Rows, first: Numbers, queries: Vectors, best: Numbers) -> float:
    """The mean share of the exact best texts (queries, RECALL_AT) that a search over the graph gives."""
    shares = []
    for query, wanted in zip(queries, best, strict=True):
        texts = proposed(graph, query, wanted.size)
        order = np.argsort(-(vectors[first[texts]] @ query))[: wanted.size]
        shares.append(len(np.intersect1d(texts[order], wanted)) / wanted.size)
    return float(np.mean(shares))


def exact_best(vectors: Rows, first: Numbers, queries: Vectors, count: int = RECALL_AT) -> Numbers:
    """(queries, count) numbers of the texts nearest to each query, by comparing all, in steps of INDEX_ROWS."""
    scores: Vectors = np.zeros((len(queries), 0), dtype=np.float32)
    texts: Numbers = np.zeros((len(queries), 0), dtype=np.intp)
    for at, block in _blocks(vectors, first):
        new = np.broadcast_to(np.arange(at, at + len(block)), (len(queries), len(block)))
        scores = np.concatenate((scores, queries @ block.T), axis=1)
        texts = np.concatenate((texts, new), axis=1)
        if scores.shape[1] > count:
            keep = np.argpartition(-scores, count - 1, axis=1)[:, :count]
            scores = np.take_along_axis(scores, keep, axis=1)
            texts = np.take_along_axis(texts, keep, axis=1)
    return texts


def _blocks(vectors: Rows, first: Numbers) -> Iterator[tuple[int, Vectors]]:
    for at in range(0, len(first), INDEX_ROWS):
        yield at, vectors[first[at : at + INDEX_ROWS]]
