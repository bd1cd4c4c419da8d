"""The first stage: the passages whose vectors are nearest to the query's, and the N best are the candidates.

The score is the cosine, in [-1, 1] up to rounding, a dot product since all vectors have unit length. Ties by doc_id.
Every passage is compared, or those that the corpus' index proposes. Left out: that index (near_index.py); and turns
between visitors, which whoever passes `encode` takes care of.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rerank_core.corpus import Corpus, Vectors
from rerank_core.errors import InputError
from rerank_core.inputs import check_retrieve_k, clean_query
from rerank_core.limits import CACHE_QUERIES, TAIL
from rerank_core.models import Encoder
from rerank_core.records import Ranking, Retrieved, StageTiming
from rerank_core.scheduler import Scheduler


@dataclass(frozen=True, eq=False)
class EncodedQuery:
    """A query's unit vector (d,), and the timings of getting it: "wait" and "encode query"."""

    vector: NDArray[np.float32]
    timings: tuple[StageTiming, StageTiming]


class QueryEncoder:
    """Encodes queries in the scheduler's turns and keeps the vectors of the last CACHE_QUERIES ones.

    A kept vector's timing says so: `cached` is 1 and `live_ms` what it cost when it was computed.
    """

    def __init__(
        self, encoder: Encoder, scheduler: Scheduler, max_queries: int = CACHE_QUERIES
    ) -> None:
        self.encoder = encoder
        self._scheduler = scheduler
        self._max = max_queries
        self._kept: OrderedDict[str, tuple[Vectors, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, query: str, *, use_cache: bool = True) -> EncodedQuery:
        """The vector of a clean query; with `use_cache=False` it is computed now, and a private query is not kept."""
        kept = self._find(query) if use_cache else None
        if kept is not None:
            return _timed(kept[0], 0.0, 0.0, cold=False, live_ms=kept[1])
        pace = self._scheduler.pace(self.encoder)

        def encode() -> tuple[Vectors, float | None, float, bool]:
            # Another asker's turn may have come first: one computation for all who asked meanwhile.
            again = self._find(query) if use_cache else None
            if again is not None:
                return again[0], again[1], 0.0, False
            cold, start = pace.cold, perf_counter()
            vector = np.asarray(self.encoder.encode_queries([query]), dtype=np.float32)[0]
            ms = (perf_counter() - start) * 1e3
            pace.note(ms, 1)
            if use_cache:
                self._keep(query, vector, ms)
            return vector, None, ms, cold

        called = self._scheduler.call(encode)
        vector, live_ms, ms, cold = called.value
        return _timed(vector, called.wait_ms, ms, cold=cold, live_ms=live_ms)

    def _find(self, query: str) -> tuple[Vectors, float] | None:
        with self._lock:
            if query in self._kept:
                self._kept.move_to_end(query)
            return self._kept.get(query)

    def _keep(self, query: str, vector: Vectors, ms: float) -> None:
        with self._lock:
            self._kept[query] = (vector, ms)
            self._kept.move_to_end(query)
            while len(self._kept) > self._max:
                self._kept.popitem(last=False)


def search(vector: NDArray[np.float32], corpus: Corpus, depth: int) -> Ranking:
    """The `depth` passages (all where there are fewer) with the highest cosine to a unit vector (d,).

    With an index, of those that it proposes: a few of the best may be missing, the scores are exact.
    """
    if not len(corpus):
        return Ranking(())
    if corpus.vectors.shape[1:] != vector.shape:
        raise InputError(
            f"The query's vector has shape {vector.shape} but the corpus has rows of {corpus.vectors.shape[1:]}; "
            "encode both with the same bi-encoder."
        )
    if corpus.near is None:
        rows, scores = np.arange(len(corpus)), (corpus.vectors @ vector)[corpus.first_row]
    else:
        rows, scores = corpus.near.search(vector, depth, corpus.vectors)
    if depth < len(scores):  # the best `depth` and all ties of the last of them
        keep = scores >= np.partition(scores, -depth)[-depth]
        rows, scores = rows[keep], scores[keep]
    passages = [corpus.passages[i] for i in rows.tolist()]
    return Ranking.from_scores(passages, scores.tolist()).top(depth)


def retrieve(
    query: str,
    corpus: Corpus,
    encoder: Encoder,
    retrieve_k: int,
    *,
    encode: Callable[[str], EncodedQuery] | None = None,
    tail: int = TAIL,
) -> Retrieved:
    """The `retrieve_k` passages nearest to the query (all where there are fewer), and the `tail` doc_ids after them.

    `encode` replaces asking the encoder directly (a QueryEncoder takes turns and keeps vectors). An empty corpus
    gives an empty ranking, and the encoder is not asked. Raises InputError for a query or N out of bounds, and
    where the corpus was encoded by another model than `encoder`.
    """
    query = clean_query(query)
    retrieve_k = check_retrieve_k(retrieve_k)
    if corpus.model_hash != encoder.card.model_hash:
        raise InputError(
            f"The corpus was encoded by a model with hash {corpus.model_hash[:12]}, the query would be by "
            f"{encoder.card.name} with {encoder.card.model_hash[:12]}; encode the corpus with this one."
        )
    if not len(corpus):
        nothing = tuple(StageTiming(name, 0.0) for name in ("wait", "encode query", "search"))
        return Retrieved(query, Ranking(()), nothing, 0, encoder.card)
    encoded = encode(query) if encode else _encode_directly(query, encoder)
    start = perf_counter()
    found = search(encoded.vector, corpus, retrieve_k + tail)
    search_ms = (perf_counter() - start) * 1e3
    return Retrieved(
        query,
        found.top(retrieve_k),
        (*encoded.timings, StageTiming("search", search_ms)),
        len(corpus),
        encoder.card,
        tail=found.doc_ids[retrieve_k:],
    )


def _encode_directly(query: str, encoder: Encoder) -> EncodedQuery:
    start = perf_counter()
    vector = np.asarray(encoder.encode_queries([query]), dtype=np.float32)[0]
    return _timed(vector, 0.0, (perf_counter() - start) * 1e3, cold=False, live_ms=None)


def _timed(
    vector: NDArray[np.float32], wait_ms: float, ms: float, *, cold: bool, live_ms: float | None
) -> EncodedQuery:
    encode = StageTiming(
        "encode query", ms, cold=cold, cached=0 if live_ms is None else 1, live_ms=live_ms
    )
    return EncodedQuery(vector, (StageTiming("wait", wait_ms), encode))
