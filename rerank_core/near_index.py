"""An index over very many vectors: it proposes passages near a query, and their exact cosines decide.

Up to limits.EXACT_MAX distinct texts a search compares the query with every vector. Above, vectors near the same centre
stand in one list, 8 bits a number, and a search reads the lists of the centres nearest to the query (inverted lists:
Jegou, Douze, Schmid, 2011, https://doi.org/10.1109/TPAMI.2010.57, section IV). How many is not guessed: the fewest that
find RECALL_LEAST of what exact search finds for sample queries, each halfway between two passages.

The lists are faiss'; benchmarks/INDEX.md compares others. Without it, on macOS, where its wheel and torch's bring two
OpenMPs and crash (https://github.com/faiss-wheels/faiss-wheels/issues/73), and where the recall is not reached, search
stays exact, and a line of the log says why.
"""

from __future__ import annotations

import logging
import sys
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
Propose = Callable[[Vectors, int], Numbers]

LISTS_MAX, ROWS_A_LIST = 4096, 40
"""Centres, at most (else twice the square root of the number of texts); texts that each is found from."""
OVERSAMPLE = 2
"""Texts proposed for each one wanted: 8 bits put some of the best a little further down."""
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


class Lists:
    """faiss' inverted lists over texts, numbered in the order of adding; `probes` of `lists` are read by a search."""

    def __init__(self, vectors: Rows, first: Numbers, progress: OnProgress | None = None) -> None:
        import faiss

        n = len(first)
        self.lists = max(1, min(LISTS_MAX, int(2 * n**0.5), n // ROWS_A_LIST))
        self.probes = 1
        self._search_of: Any = faiss.SearchParametersIVF
        self._index = faiss.index_factory(
            vectors.shape[1], f"IVF{self.lists},SQ8", faiss.METRIC_INNER_PRODUCT
        )
        learnt_from = np.random.default_rng(SEED).choice(
            n, min(n, ROWS_A_LIST * self.lists), replace=False
        )
        self._index.train(vectors[first[np.sort(learnt_from)]])
        for at, block in _blocks(vectors, first):
            self._index.add(block)
            if progress:
                progress(at + len(block), n)

    def proposed(self, vector: Vectors, depth: int) -> Numbers:
        """About OVERSAMPLE texts for each of `depth`, at least `depth` where there are so many, in any order.

        More lists are read for more than RECALL_AT, for which `probes` were chosen.
        """
        wanted = min(self._index.ntotal, OVERSAMPLE * depth)
        probes = min(self.lists, self.probes * -(-depth // RECALL_AT))
        while True:
            chosen = self._search_of(nprobe=probes)
            found = self._index.search(vector[None], wanted, params=chosen)[1][0]
            found = found[found >= 0].astype(np.intp)
            if len(found) >= min(depth, self._index.ntotal) or probes == self.lists:
                return found
            probes = min(self.lists, 2 * probes)


@dataclass(frozen=True, eq=False)
class NearIndex:
    """Lists over the distinct texts of a corpus. `recall` is the mean recall@100 against exact search over SAMPLE
    sample queries; `build_ms` what making and checking them took.
    """

    lists: Lists
    first: Numbers
    rows_of: tuple[Numbers, Numbers]
    recall: float
    build_ms: float

    @property
    def name(self) -> str:
        """What a report calls this search."""
        lists = self.lists
        return f"{lists.probes:,} of {lists.lists:,} inverted lists (faiss {metadata.version('faiss-cpu')})"

    def search(self, vector: Vectors, depth: int, vectors: Rows) -> tuple[Numbers, Vectors]:
        """Rows of `vectors` that may be among the `depth` nearest to a unit vector (d,), and their exact cosines.

        All passages with one text come together, with one cosine.
        """
        texts = self.lists.proposed(vector, depth)
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

    That is so for up to `exact_max` distinct texts, and where the module's text says. `progress(done, total)` counts
    distinct texts. How long a million take: INDEX.md.
    """
    start = perf_counter()
    _, first = np.unique(text_of, return_index=True)
    if len(first) <= exact_max:
        return None
    try:
        if sys.platform == "darwin":
            raise ImportError("it crashes beside torch on macOS")
        lists = Lists(vectors, first, progress)
    except ImportError as error:
        log.warning("%d texts are searched exactly: faiss is not used (%s)", len(first), error)
        return None
    recall = _chosen(lists, vectors, first)
    if recall < RECALL_LEAST:
        log.warning(
            "%d texts are searched exactly: an index finds %.3f of the best %d, less than %.2f",
            len(first), recall, RECALL_AT, RECALL_LEAST,
        )  # fmt: skip
        return None
    order = np.argsort(text_of, kind="stable")
    starts = np.append(np.searchsorted(text_of[order], np.arange(len(first))), len(text_of))
    ms = (perf_counter() - start) * 1e3
    return NearIndex(lists, first, (order, starts), recall, ms)


def _chosen(lists: Lists, vectors: Rows, first: Numbers) -> float:
    """Set the fewest probes with RECALL_LEAST, by doubling, else all; the recall."""
    queries = sample_queries(vectors, first)
    best = exact_best(vectors, first, queries)
    while True:
        recall = recall_of(lists.proposed, vectors, first, queries, best)
        if recall >= RECALL_LEAST or lists.probes == lists.lists:
            return recall
        lists.probes = min(lists.lists, 2 * lists.probes)


def sample_queries(vectors: Rows, first: Numbers) -> Vectors:
    """(SAMPLE, d) unit vectors, each halfway between two texts."""
    one, other = np.random.default_rng(SEED).choice(first, (2, SAMPLE))
    queries = vectors[one] + vectors[other]
    norms = np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
    return np.asarray(queries / norms, dtype=np.float32)


def recall_of(
    propose: Propose, vectors: Rows, first: Numbers, queries: Vectors, best: Numbers
) -> float:
    """The mean share of the exact best texts, (queries, RECALL_AT), that are found among what is proposed."""
    shares = []
    for query, wanted in zip(queries, best, strict=True):
        texts = propose(query, wanted.size)
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
