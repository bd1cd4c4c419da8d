"""Every depth N from one scoring of the largest pool: a cross-encoder's logit of a pair does not depend on N.

The pool (pool.py) is scored once; "the first n reranked, then the bi-encoder's tail" is sorting, and asks no model.
Left out: which N to choose (budget.py), and means over many queries by slice (evaluate.py).

Worked by hand: the bi-encoder ranks a, b, c, d; logits 0, 2, 1, 3. At N = 3 the first three are read: b, c, a; then d.

>>> pool = Pool("q", ("a", "b", "c", "d"), (0.9, 0.8, 0.7, 0.6), (0.0, 2.0, 1.0, 3.0), (), {"d": 3, "c": 2})
>>> order_at(pool, 3)
('b', 'c', 'a', 'd')
>>> [ghost.doc_id for ghost in ghosts(pool, 3)]
['d']
>>> [(p.n, p.success1, p.candidate_recall) for p in curve(pool, k=2)]
[(1, 0.0, 0.0), (2, 0.0, 0.0), (3, 0.0, 0.5), (4, 1.0, 1.0)]
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from rerank_core import metrics
from rerank_core.errors import InputError
from rerank_core.inputs import check_top_k
from rerank_core.pool import DEPTH_MAX, Pool, pool_of, pool_stream

__all__ = [
    "DEPTH_MAX", "HEADLINE_K", "DepthPoint", "Ghost", "Pool", "ceiling_at", "curve", "ghosts", "mean_curve",
    "order_at", "orders", "pool_of", "pool_stream",
]  # fmt: skip

HEADLINE_K = 3
"""Depth of the headline figure: nDCG@3."""


def order_at(pool: Pool, n: int) -> tuple[str, ...]:
    """The first `n` reranked (logit descending, then doc_id), then the bi-encoder's order, as far as known."""
    n = pool.depth(n)
    return (*(d for _, d in sorted(pool.keys[:n])), *pool.before[n:])


def ceiling_at(pool: Pool, n: int) -> tuple[str, ...]:
    """The best order that any reranker could give the first `n` (by grade), then the bi-encoder's tail."""
    n = pool.depth(n)
    return (*metrics.ceiling_order(pool.doc_ids[:n], pool.relevance), *pool.before[n:])


@dataclass(frozen=True, slots=True)
class DepthPoint:
    """What depth `n` is worth, each in [0, 1]; for one query, or the mean over several.

    `ndcg3` and `success1` are of the reranked order; `answer_in_top_k` is 1 where one of its first K is relevant;
    `candidate_recall` is the share of all relevant judged passages that are among the first n; `ceiling` is the
    nDCG@3 of the best order of these n. The last two never fall with n; the others may.
    """

    n: int
    ndcg3: float
    success1: float
    answer_in_top_k: float
    candidate_recall: float
    ceiling: float


def curve(pool: Pool, k: int) -> tuple[DepthPoint, ...]:
    """N = 1 up to the pool's size, without a model call; empty where no judged passage is relevant.

    `k` (K) is the depth of `answer_in_top_k`. Raises InputError for K below 1.
    """
    check_top_k(k)
    if not pool.has_relevant:
        return ()
    grades, relevant = pool.relevance, pool.relevant
    return tuple(
        DepthPoint(
            n,
            metrics.ndcg_at_k(after, grades, HEADLINE_K),
            metrics.success_at_k(after, grades, 1, relevant),
            metrics.success_at_k(after, grades, k, relevant),
            metrics.recall_at_k(pool.doc_ids, grades, n, relevant),
            metrics.ndcg_at_k(best, grades, HEADLINE_K),
        )
        for n, after, best in orders(pool, max(k, HEADLINE_K))
    )


def orders(pool: Pool, deep: int) -> Iterator[tuple[int, list[str], list[str]]]:
    """For N = 1 up to the pool's size: N, and the first `deep` doc_ids of `order_at` and of `ceiling_at`.

    Each from the one before it, so that all of them together cost little more than the last alone.
    """
    read: list[tuple[float, str]] = []
    graded: list[tuple[int, int, str]] = []
    for n, doc_id in enumerate(pool.doc_ids, 1):
        insort(read, pool.keys[n - 1])
        insort(graded, (-pool.relevance.get(doc_id, 0), n, doc_id))
        tail = pool.before[n : n + deep]
        after = [*(d for _, d in read[:deep]), *tail]
        best = [*(d for _, _, d in graded[:deep]), *tail]
        yield n, after[:deep], best[:deep]


def mean_curve(pools: Sequence[Pool], k: int) -> tuple[DepthPoint, ...]:
    """The mean over all queries that have a relevant passage, point by point; empty where none has.

    Raises InputError where pools differ in size: a mean at N needs every query at N.
    """
    curves = [c for c in (curve(pool, k) for pool in pools) if c]
    sizes = sorted({len(c) for c in curves})
    if len(sizes) > 1:
        raise InputError(
            f"Pools of {sizes[0]} and of {sizes[-1]} have no mean curve; score all to one depth."
        )
    return tuple(_mean(points) for points in zip(*curves, strict=True))


def _mean(points: Sequence[DepthPoint]) -> DepthPoint:
    names = [f.name for f in fields(DepthPoint) if f.name != "n"]
    means = {name: sum(getattr(p, name) for p in points) / len(points) for name in names}
    return DepthPoint(points[0].n, **means)


@dataclass(frozen=True, slots=True)
class Ghost:
    """A relevant passage that no reranker can reach at some n, because the bi-encoder left it out.

    `rank` is its place in the bi-encoder's full order (None where the corpus lacks it), `logit` what the
    cross-encoder said of the pair (None where it was not read), `would_rank` the rank from 1 that this logit would
    have had among the first n.
    """

    doc_id: str
    grade: int
    rank: int | None
    logit: float | None
    would_rank: int | None


def ghosts(pool: Pool, n: int) -> tuple[Ghost, ...]:
    """The relevant passages that are not among the first `n`, nearest first, those the corpus lacks last."""
    n = pool.depth(n)
    logits = {**pool.ghost_logits, **dict(zip(pool.doc_ids, pool.logits, strict=True))}
    read = pool.keys[:n]
    found = []
    for doc_id, grade in pool.relevance.items():
        rank = pool.ranks.get(doc_id)
        if grade < pool.relevant or (rank is not None and rank <= n):
            continue
        logit = logits.get(doc_id)
        would = None if logit is None else 1 + sum(key < (-logit, doc_id) for key in read)
        found.append(Ghost(doc_id, grade, rank, logit, would))
    return tuple(sorted(found, key=lambda g: (g.rank is None, g.rank or 0, g.doc_id)))
