"""What depth changes in an order where nobody has judged anything: movement against N, no statement of quality.

Left out: whether a change is for the better; that takes judgements (depth.py).

>>> pool = Pool("q", ("a", "b", "c", "d"), (0.9, 0.8, 0.7, 0.6), (0.0, 2.0, 1.0, 3.0), (), {})
>>> [(p.n, p.leader_before, p.new3, p.settled) for p in turnover(pool, k=2)]
[(1, 1, 0, 0.5), (2, 2, 0, 0.5), (3, 2, 0, 0.5), (4, 4, 1, 1.0)]
"""

from __future__ import annotations

from dataclasses import dataclass

from rerank_core.depth import HEADLINE_K, order_at
from rerank_core.inputs import check_top_k
from rerank_core.pool import Pool


@dataclass(frozen=True, slots=True)
class TurnoverPoint:
    """What reranking the first `n` moves.

    `leader_before` is the bi-encoder's rank of the passage that now leads, `new3` and `new_k` count the first 3 and
    the first K that the bi-encoder had lower, `settled` is the share in [0, 1] of the first K that the largest pool
    puts there, too.
    """

    n: int
    leader_before: int
    new3: int
    new_k: int
    settled: float


def turnover(pool: Pool, k: int) -> tuple[TurnoverPoint, ...]:
    """N = 1 up to the pool's size, without a model call. Raises InputError for K below 1."""
    check_top_k(k)
    if not len(pool):
        return ()
    rank = {d: r for r, d in enumerate(pool.before, 1)}
    last = set(order_at(pool, len(pool))[:k])
    points = []
    for n in range(1, len(pool) + 1):
        after = order_at(pool, n)[: max(k, HEADLINE_K)]
        first = after[:k]
        points.append(
            TurnoverPoint(
                n,
                rank[after[0]],
                sum(rank[d] > HEADLINE_K for d in after[:HEADLINE_K]),
                sum(rank[d] > k for d in first),
                sum(d in last for d in first) / len(first),
            )
        )
    return tuple(points)
