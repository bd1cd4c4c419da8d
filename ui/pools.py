"""Queries whose largest pool was scored, kept in memory: every figure about depth is derived from one.

A bounded number is kept, the least recently asked for goes first; a pool belongs to a query, not to a visitor. Left
out: the figures; and the scores themselves, which the engine's own cache keeps as well.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from rerank_core import limits
from rerank_core.errors import RerankError
from rerank_core.inputs import clean_query
from rerank_core.pool import Pool, pool_stream
from rerank_core.records import Passage, Progress
from ui.service import Service


class NotScoredError(RerankError):
    """The query's pool is not kept here (any more); scoring it again mends that."""


class Pools:
    """The pools of one Service's library. Safe from many threads."""

    def __init__(self, service: Service, most: int = limits.KEPT_POOLS) -> None:
        self.service = service
        self._most = most
        self._kept: OrderedDict[str, Pool] = OrderedDict()
        self._lock = threading.Lock()
        self.passages: Mapping[str, Passage] = {p.doc_id: p for p in service.library.passages}

    def stream(self, query: str, visitor: str | None) -> Iterator[Progress | Pool]:
        """Progress while pairs are read, and last the Pool; a kept one comes at once and asks no model."""
        query = clean_query(query)
        kept = self._find(query)
        if kept is not None:
            yield kept
            return
        written = self.service.written_query(query)
        corpus = self.service.corpus
        grades = written.relevance if written else {}
        for item in pool_stream(self.service.engine, query, corpus, grades, visitor=visitor):
            if isinstance(item, Pool):
                self._keep(query, item)
            yield item

    def of(self, query: str) -> Pool:
        """The kept pool of a query; NotScoredError where there is none. Never asks a model."""
        kept = self._find(clean_query(query))
        if kept is None:
            raise NotScoredError("This query's pool is no longer kept here; score it again.")
        return kept

    def holds(self, query: str) -> bool:
        """Whether the pool of a query is kept; InputError for a query out of bounds."""
        return self._find(clean_query(query)) is not None

    def _find(self, query: str) -> Pool | None:
        with self._lock:
            if query in self._kept:
                self._kept.move_to_end(query)
            return self._kept.get(query)

    def _keep(self, query: str, pool: Pool) -> None:
        with self._lock:
            self._kept[query] = pool
            self._kept.move_to_end(query)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
