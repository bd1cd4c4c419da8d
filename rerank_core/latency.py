"""What a query and a pair cost, as measured: live runs at several N, and the cost of a pair from scored pools.

Only wall clock of this machine, in milliseconds. Left out: what a budget buys (budget.py), and any larger corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rerank_core.corpus import Corpus
from rerank_core.pipeline import TwoStage
from rerank_core.pool import Pool
from rerank_core.records import StageTiming


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """One live run at N = `n`: milliseconds before the first pair, of cross-encoding, and of waiting for the model."""

    n: int
    ms_query: float
    ms_pairs: float
    ms_wait: float

    @property
    def ms(self) -> float:
        """Query and pairs, without waiting for others."""
        return self.ms_query + self.ms_pairs


def measured(
    engine: TwoStage, query: str, corpus: Corpus, depths: Sequence[int]
) -> Iterator[LatencyPoint]:
    """One live run (no kept scores) at each N of `depths`, as they are done; stop asking to cancel."""
    for n in depths:
        run = engine.compare(query, corpus, n, top_k=1, use_cache=False)
        ms = {timing.name: timing.ms for timing in run.timings}
        yield LatencyPoint(
            run.retrieve_k, ms["encode query"] + ms["search"], ms["cross-encode"], ms["wait"]
        )


def by_depth(points: Iterable[LatencyPoint]) -> tuple[LatencyPoint, ...]:
    """One point for each N, N rising: the medians of its runs.

    >>> runs = [LatencyPoint(5, 9.0, 50.0, 0.0), LatencyPoint(5, 7.0, 70.0, 0.0), LatencyPoint(5, 8.0, 60.0, 4.0)]
    >>> by_depth(runs)
    (LatencyPoint(n=5, ms_query=8.0, ms_pairs=60.0, ms_wait=0.0),)
    """
    runs: dict[int, list[LatencyPoint]] = {}
    for point in points:
        runs.setdefault(point.n, []).append(point)
    return tuple(
        LatencyPoint(
            n, median(p.ms_query for p in at), median(p.ms_pairs for p in at), median(p.ms_wait for p in at)
        )
        for n, at in sorted(runs.items())
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds a query (encode and search) and a pair (tokenise and cross-encode): medians over queries."""

    ms_query: float
    ms_per_pair: float


def cost_of(pools: Iterable[Pool]) -> Cost | None:
    """What pools cost when they were computed; cold runs are left out; None where none tells.

    Where a figure was kept from an earlier run, the cost of that run counts.

    >>> timings = (StageTiming("encode query", 9.0), StageTiming("search", 1.0),
    ...            StageTiming("cross-encode", 600.0, pairs=100, cached=50, live_ms=800.0))
    >>> cost_of([Pool("q", (), (), (), (), {}, timings=timings)])
    Cost(ms_query=10.0, ms_per_pair=14.0)
    """
    queries, pairs = [], []
    for pool in pools:
        by_name = {t.name: t for t in pool.timings if not t.cold}
        encode, search = by_name.get("encode query"), by_name.get("search")
        if encode and search:
            queries.append(_live_ms(encode) + search.ms)
        cross = by_name.get("cross-encode")
        if cross and cross.pairs:
            pairs.append(_live_ms(cross) / cross.pairs)
    return Cost(median(queries), median(pairs)) if queries and pairs else None


def _live_ms(timing: StageTiming) -> float:
    return timing.ms + (timing.live_ms or 0.0)
