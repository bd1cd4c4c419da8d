"""What a query and a pair cost here and now: a few live runs, shared by all visitors. Knows no Gradio."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from statistics import median

from rerank_core.corpus import Corpus
from rerank_core.limits import ENCODE_BATCH
from ui.service import Service

RUNS, PAIRS = 3, 20
"""Runs of a measurement, and the pairs of each: half a second of a small machine."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of live runs, in milliseconds. `ms_passage` is encoding one passage.

    `passages` and `dims` are the library's, `tokens` those of a pair, on average.
    """

    query: str
    ms_encode: float
    ms_search: float
    ms_per_pair: float
    ms_passage: float | None
    passages: int
    dims: int
    tokens: float
    runs: int = RUNS
    pairs: int = PAIRS


class Meter:
    """Measures when first asked, and again on request; what it found is kept for everybody."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._lock = threading.Lock()
        self._kept: Measured | None = None

    @property
    def measured(self) -> bool:
        return self._kept is not None

    def get(self, query: str, again: bool = False) -> Measured:
        """The kept measurement, or a new one on `query`. Raises what a live run raises."""
        kept = self._kept
        if kept is not None and not again:
            return kept
        with self._lock:  # one measurement at a time: two would time each other
            if self._kept is kept or self._kept is None:
                self._kept = self._measure(query)
            return self._kept

    def _measure(self, query: str) -> Measured:
        corpus, engine = self.service.corpus, self.service.engine
        encode, found, pairs, tokens = [], [], [], []
        for _ in range(RUNS):
            run = engine.compare(query, corpus, PAIRS, top_k=1, use_cache=False)
            by_name = {timing.name: timing for timing in run.timings}
            cross = by_name["cross-encode"]
            encode.append(by_name["encode query"].ms)
            found.append(by_name["search"].ms)
            pairs.append(cross.ms / max(cross.pairs, 1))
            tokens.append(cross.tokens / max(cross.pairs, 1))
        return Measured(
            run.query,
            median(encode),
            median(found),
            median(pairs),
            self._ms_passage(),
            len(corpus),
            corpus.vectors.shape[1],
            median(tokens),
            pairs=cross.pairs,
        )

    def _ms_passage(self) -> float | None:
        """Of the library as it was encoded at this start; where its vectors were kept, of one batch from it."""
        passages, index = self.service.library.passages, self.service.index_ms
        if index is not None:
            return index / len(passages)
        step = -(-len(passages) // ENCODE_BATCH)
        some = Corpus.encode(passages[::step], self.service.engine.encoder)
        return some.encode_ms / len(some)
