"""Latency against N as live runs measured it, query by query, kept for all visitors of this server.

Each N is run several times with no kept score, the Ns in turn, so that a slow moment does not fall on one N alone.
Left out: drawing and wording (depth_figures.py, depth_words.py).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from rerank_core import limits
from rerank_core.inputs import clean_query
from rerank_core.latency import LatencyPoint, by_depth, measured
from ui.service import Service

DEPTHS, ROUNDS = (5, 20, 50, 100), 3
"""The Ns that are run, and how often each: 525 pairs, a few seconds of a small machine."""

RUNS = ROUNDS * len(DEPTHS)


class Latencies:
    """The measurements of one Service. Safe from many threads."""

    def __init__(self, service: Service, most: int = limits.KEPT_POOLS) -> None:
        self.service = service
        self._most = most
        self._kept: OrderedDict[str, tuple[LatencyPoint, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, query: str) -> tuple[LatencyPoint, ...]:
        """What is kept of a query, N rising; empty where nothing was measured. Asks no model."""
        with self._lock:
            return self._kept.get(clean_query(query), ())

    def measure(self, query: str) -> Iterator[int]:
        """Runs done so far, after each; what they gave is kept at the end. Closing the iterator leaves."""
        query = clean_query(query)
        points: list[LatencyPoint] = []
        for _ in range(ROUNDS):
            for point in measured(self.service.engine, query, self.service.corpus, DEPTHS):
                points.append(point)
                yield len(points)
        with self._lock:
            self._kept[query] = by_depth(points)
            self._kept.move_to_end(query)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
