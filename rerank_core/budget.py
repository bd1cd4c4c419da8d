"""Which depth to choose: the knee of a curve, and what a latency budget buys. Arithmetic over DepthPoints.

Left out: measuring milliseconds. They come from StageTimings of runs; what is computed from them here is estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rerank_core.depth import DepthPoint
from rerank_core.errors import InputError

KNEE_SHARE = 0.99
"""Share of the best nDCG@3 on the curve that the knee keeps."""

METHOD = "smallest N within 1 % of the best mean nDCG@3 on the curve, in sample"
"""How `knee` chooses; "in sample" because N is chosen on the queries that it is then shown on."""


@dataclass(frozen=True, slots=True)
class Knee:
    """The chosen point, and the best one (the smallest N where several are equally good)."""

    point: DepthPoint
    best: DepthPoint
    method: str = METHOD

    @property
    def n(self) -> int:
        return self.point.n


def knee(curve: Sequence[DepthPoint], share: float = KNEE_SHARE) -> Knee | None:
    """The smallest N whose nDCG@3 is at least `share` of the best on the curve; None for an empty curve.

    Chosen because anybody can check it against the table by eye, where methods that look for the point of largest
    curvature (Kneedle, Satopaa et al., 2011) depend on how the axes are scaled and the curve is smoothed, and take a
    curve to rise steadily, which reranked nDCG@3 need not. It is in sample: on other queries the same N keeps less.
    N = 1 means that on this curve reranking is not worth 1 %.

    >>> points = [DepthPoint(n, x, 0, 0, 0, 1) for n, x in [(1, 0.5), (2, 0.7), (3, 0.695), (4, 0.701)]]
    >>> knee(points).n, knee(points).best.n
    (2, 4)
    """
    if not curve:
        return None
    best = max(curve, key=lambda p: (p.ndcg3, -p.n))
    point = next(p for p in curve if p.ndcg3 >= share * best.ndcg3)
    return Knee(point, best)


@dataclass(frozen=True, slots=True)
class Bought:
    """What a latency budget buys: `n` pairs (0: dense only), estimated to take `ms` in all.

    `ndcg3` is the curve's at n (at 0 that of N = 1: one candidate has only one order), `best` the curve's best point.
    `within` is false where the first stage alone takes longer than the budget.
    """

    n: int
    ms: float
    ndcg3: float
    best: DepthPoint
    within: bool

    @property
    def lost(self) -> float:
        """nDCG@3 of the best depth minus that of the depth bought, in [0, 1]."""
        return self.best.ndcg3 - self.ndcg3


def n_for_budget(
    curve: Sequence[DepthPoint], ms_budget: float, ms_query: float, ms_per_pair: float
) -> Bought | None:
    """The largest N with ms_query + N * ms_per_pair <= ms_budget, at most the curve's; None for an empty curve.

    `ms_query` is what a query costs before the first pair (encode and search), all in milliseconds. Estimated: a
    pair is taken to cost the same at every N. Raises InputError for negative times, or a pair that costs nothing.

    >>> points = [DepthPoint(n, x, 0, 0, 0, 1) for n, x in [(1, 0.5), (2, 0.7), (3, 0.8)]]
    >>> bought = n_for_budget(points, ms_budget=50, ms_query=20, ms_per_pair=12)
    >>> bought.n, bought.ms, round(bought.lost, 3)
    (2, 44, 0.1)
    """
    if min(ms_budget, ms_query) < 0 or ms_per_pair <= 0:
        raise InputError(
            f"A budget of {ms_budget} ms, {ms_query} ms a query and {ms_per_pair} ms a pair: times are not "
            "negative, and a pair takes more than 0 ms."
        )
    if not curve:
        return None
    n = min(len(curve), max(0, int((ms_budget - ms_query) / ms_per_pair)))
    if n < len(curve) and ms_query + (n + 1) * ms_per_pair <= ms_budget:
        n += 1  # the division rounded down what fits exactly
    ms = ms_query + n * ms_per_pair
    best = max(curve, key=lambda p: (p.ndcg3, -p.n))
    return Bought(n, ms, curve[max(n, 1) - 1].ndcg3, best, within=ms_query <= ms_budget)
