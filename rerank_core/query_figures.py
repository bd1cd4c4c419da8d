"""One query's figures before and after reranking, and their sums over many queries: no pool is held, no model asked.

Worked by hand: one relevant passage (grade 1), second before and first after; nDCG is 1/log2(3) = .631, then 1.

>>> pool = Pool("q", ("a", "b", "c"), (0.9, 0.8, 0.7), (0.0, 2.0, 1.0), (), {"b": 1}, relevant=1)
>>> one = figures("q-1", pool, n=3, k=2)
>>> [name for name, *_ in MEASURES], round(one.before[0], 3), one.after[0], one.ceiling[0]
(['nDCG@10', 'nDCG@3', 'MRR@{n}', 'recall@{k}', 'recall@{n}'], 0.631, 1.0, 1.0)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rerank_core import metrics
from rerank_core.depth import ceiling_at, order_at, orders
from rerank_core.evaluate import Case, QueryResult, evaluate
from rerank_core.pool import Pool

Order = Sequence[str]
Figure = Callable[[Order, Pool, int, int], float]
"""An order of doc_ids, the pool it is of, N and K -> a figure in [0, 1]."""


def _ndcg(depth: int) -> Figure:
    def figure(order: Order, pool: Pool, n: int, k: int) -> float:
        return metrics.ndcg_at_k(order[:depth], pool.relevance, depth)

    return figure


def _mrr(order: Order, pool: Pool, n: int, k: int) -> float:
    return metrics.reciprocal_rank(order[:n], pool.relevance, pool.relevant)


def _recall_k(order: Order, pool: Pool, n: int, k: int) -> float:
    return metrics.recall_at_k(order, pool.relevance, k, pool.relevant)


def _recall_n(order: Order, pool: Pool, n: int, k: int) -> float:
    return metrics.recall_at_k(order, pool.relevance, n, pool.relevant)


MEASURES: tuple[tuple[str, Figure], ...] = (
    ("nDCG@10", _ndcg(10)),
    ("nDCG@3", _ndcg(3)),
    ("MRR@{n}", _mrr),
    ("recall@{k}", _recall_k),
    ("recall@{n}", _recall_n),
)
"""Name and figure, the headline first. The last is the same before and after: reranking neither adds nor loses."""


@dataclass(frozen=True, slots=True)
class QueryFigures:
    """One query: for each of `measures` the figure before, after, and of the best order of its N candidates.

    `result` is what the board knows of it too: ranks of relevant passages, the first rows of both lists.
    """

    query_id: str
    pairs: int
    before: tuple[float, ...]
    after: tuple[float, ...]
    ceiling: tuple[float, ...]
    result: QueryResult

    @property
    def lift(self) -> float:
        """nDCG@10 after minus before, in [-1, 1]."""
        return self.after[0] - self.before[0]


def measures(n: int, k: int) -> Mapping[str, Figure]:
    """MEASURES by what they are called at N and K; where K is N there is one recall."""
    return {name.format(n=n, k=k): figure for name, figure in MEASURES}


def figures(query_id: str, pool: Pool, n: int, k: int) -> QueryFigures:
    """The figures of a pool that has a relevant passage, at N and K; InputError for an N deeper than the pool."""
    before, after, best = pool.before, order_at(pool, n), ceiling_at(pool, n)
    (result,) = evaluate([Case(query_id, query_id, "", pool)], n, k)

    def of(order: Order) -> tuple[float, ...]:
        return tuple(figure(order, pool, n, k) for figure in measures(n, k).values())

    return QueryFigures(query_id, len(pool.doc_ids[:n]), of(before), of(after), of(best), result)


SWEEP = ("ndcg10", "ndcg3", "success1", "candidate_recall", "ceiling")
"""What a sweep says at each N: see report.SweepPoint."""


class Sweep:
    """Sums at every N from 1 to `n` over the queries that were added; a pool is let go at once.

    A pool smaller than N, since there are no more candidates, counts as it is at its own size: all were read.
    """

    def __init__(self, n: int) -> None:
        self.queries = 0
        self._sums: NDArray[np.float64] = np.zeros((n, len(SWEEP)))

    def add(self, pool: Pool) -> None:
        grades = pool.relevance
        rows = [
            (
                metrics.ndcg_at_k(after, grades, 10),
                metrics.ndcg_at_k(after, grades, 3),
                metrics.success_at_k(after, grades, 1, pool.relevant),
                metrics.recall_at_k(pool.doc_ids, grades, n, pool.relevant),
                metrics.ndcg_at_k(best, grades, 10),
            )
            for n, after, best in orders(pool, 10)
        ][: len(self._sums)]
        if rows:
            self._sums[: len(rows)] += rows
            self._sums[len(rows) :] += rows[-1]
        self.queries += 1

    @property
    def means(self) -> NDArray[np.float64]:
        """(n, len(SWEEP)): the mean at N = 1 up, in the order of SWEEP."""
        return self._sums / max(1, self.queries)
