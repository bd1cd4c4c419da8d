"""A visitor's own passages on the server: as a text that is not read yet, and encoded, with what was made of them.

Left out: how long they are kept and for whom (held.py).
"""

from __future__ import annotations

import math
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rerank_core import limits
from rerank_core.corpus import Corpus
from rerank_core.pipeline import Comparison, TwoStage
from rerank_core.prediction import Verdict
from rerank_core.records import Passage, Progress, Reranked, Retrieved
from rerank_core.scenarios import Scenario
from rerank_core.score_cache import ScoreCache

ENTRY_BYTES = 500
"""About what one kept score takes: its key, its entry and their places."""


@dataclass(frozen=True)
class Draft:
    """An uploaded text that waits for a choice: how it is read, or which column. `name` is the file's."""

    name: str
    text: str
    kind: str

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sys.getsizeof(self.text)


@dataclass(frozen=True)
class Run:
    """One query's lists: the second once it has been revealed, with how the prediction did where there was one."""

    retrieved: Retrieved
    comparison: Comparison | None = None
    judged: Verdict | None = None


@dataclass(eq=False)
class Own:
    """Encoded passages of one visitor. Scores are kept here and nowhere else; they go when this goes.

    `scenario` is what a zip held, where the passages came from one. Safe from many threads.
    """

    name: str
    engine: TwoStage
    corpus: Corpus
    scenario: Scenario | None = None
    scores: ScoreCache = field(default_factory=lambda: ScoreCache(limits.OWN_PAIRS))
    zipped: tuple[str, bytes] | None = None
    _runs: OrderedDict[str, Run] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        """Bytes in memory, with room for as many scores as are kept and for a zip of the texts."""
        texts = sum(sys.getsizeof(p.text) + ENTRY_BYTES for p in self.corpus.passages)
        return 2 * texts + 4 * math.prod(self.corpus.vectors.shape) + limits.OWN_PAIRS * ENTRY_BYTES

    @cached_property
    def passages(self) -> Mapping[str, Passage]:
        return {p.doc_id: p for p in self.corpus.passages}

    def retrieve(self, query: str, retrieve_k: int) -> Retrieved:
        """Stage one, with the whole corpus's order in the tail; the query is not kept by the engine."""
        return self.engine.retrieve(
            query, self.corpus, retrieve_k, use_cache=False, tail=len(self.corpus)
        )

    def rerank_stream(
        self, retrieved: Retrieved, visitor: str | None
    ) -> Iterator[Progress | Reranked]:
        """Stage two, with progress, over scores that are kept here alone."""
        return self.engine.rerank_stream(
            retrieved.query, retrieved.ranking, visitor=visitor, cache=self.scores
        )

    def keep(self, run: Run) -> None:
        """Keep a query's lists, those of the last OWN_QUERIES queries."""
        with self._lock:
            self._runs[run.retrieved.query] = run
            self._runs.move_to_end(run.retrieved.query)
            while len(self._runs) > limits.OWN_QUERIES:
                self._runs.popitem(last=False)

    def run(self, query: str) -> Run | None:
        """A query's lists, where they are kept."""
        with self._lock:
            return self._runs.get(query)
