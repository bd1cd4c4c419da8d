"""Many queries at one N: what reranking did to each, and means by slice with an interval.

All of it is arithmetic over pools that were scored before (pool.py): another N or K calls no model. Left out: which
losses are whose fault (failures.py), when to skip reranking (skip.py), what is stored (board.py).

Worked by hand: one relevant passage, second before and first after; nDCG@3 is 1/log2(3) = .631 before and 1 after.

>>> pool = Pool("q", ("a", "b", "c"), (0.9, 0.8, 0.7), (0.0, 2.0, 1.0), (), {"b": 3})
>>> (one,) = evaluate([Case("q-1", "s", "negation", pool)], n=3, k=3)
>>> round(one.before, 3), one.after, round(one.lift, 3)
(0.631, 1.0, 0.369)
>>> row = headline([one])
>>> row.n, row.wins, row.ties, row.losses, row.interval
(1, 1, 0, 0, None)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from rerank_core import metrics
from rerank_core.depth import HEADLINE_K, order_at
from rerank_core.inputs import check_top_k
from rerank_core.intervals import bootstrap_interval
from rerank_core.pool import Pool

TIE = 1e-9
"""A lift smaller than this, either way, is a tie."""

SHOWN = 10
"""Rows of either list that a result keeps for showing."""

ALL = "all"
"""The name of a row over every slice."""


@dataclass(frozen=True)
class Case:
    """A judged query and its pool. `chosen` is true where the outcome was known when the query was chosen."""

    query_id: str
    scenario_id: str
    slice: str
    pool: Pool
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a relevant passage stands; ranks from 1, None where unknown (the corpus lacks it)."""

    doc_id: str
    grade: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One query at one N. `before` and `after` are nDCG@3 in [0, 1]; pairs named so are (before, after).

    `relevant3` and `unjudged3` count in the first three, `success1` and `answer_in_top_k` are 0 or 1. `standings`
    lists every relevant passage, best grade first. `margin` is the bi-encoder's cosine at rank 1 minus that at rank
    2; `pairs` how many candidates were reranked: N, or fewer. `top_before` and `top_after` are the first SHOWN
    doc_ids.
    """

    query_id: str
    scenario_id: str
    slice: str
    chosen: bool
    n: int
    before: float
    after: float
    success1: tuple[float, float]
    answer_in_top_k: tuple[float, float]
    relevant3: tuple[int, int]
    unjudged3: tuple[int, int]
    standings: tuple[Standing, ...]
    margin: float | None
    pairs: int
    top_before: tuple[str, ...]
    top_after: tuple[str, ...]

    @property
    def lift(self) -> float:
        """nDCG@3 after minus before, in [-1, 1]."""
        return self.after - self.before

    @property
    def outcome(self) -> str:
        """ "win", "tie" or "loss"."""
        return "tie" if abs(self.lift) < TIE else "win" if self.lift > 0 else "loss"


def evaluate(cases: Iterable[Case], n: int, k: int) -> tuple[QueryResult, ...]:
    """Every case that has a relevant passage, at depth `n` (N), in the order given; see `without_lift` for the rest.

    `k` (K) is the depth of `answer_in_top_k`. Raises InputError for K below 1, and where a pool is too small for N.
    """
    check_top_k(k)
    return tuple(_result(case, n, k) for case in cases if case.pool.has_relevant)


def without_lift(cases: Iterable[Case]) -> tuple[str, ...]:
    """The ids of queries that have no relevant passage, hence no lift; they are in no mean."""
    return tuple(case.query_id for case in cases if not case.pool.has_relevant)


def _result(case: Case, n: int, k: int) -> QueryResult:
    pool, grades, relevant = case.pool, case.pool.relevance, case.pool.relevant
    before, after = pool.before, order_at(pool, n)
    new_rank = {d: r for r, d in enumerate(after[: pool.depth(n)], 1)}
    standings = [
        Standing(d, grade, pool.ranks.get(d), new_rank.get(d, pool.ranks.get(d)))
        for d, grade in grades.items()
        if grade >= relevant
    ]
    return QueryResult(
        case.query_id, case.scenario_id, case.slice, case.chosen, n,
        metrics.ndcg_at_k(before, grades, HEADLINE_K),
        metrics.ndcg_at_k(after, grades, HEADLINE_K),
        (
            metrics.success_at_k(before, grades, 1, relevant),
            metrics.success_at_k(after, grades, 1, relevant),
        ),
        (
            metrics.success_at_k(before, grades, k, relevant),
            metrics.success_at_k(after, grades, k, relevant),
        ),
        (
            metrics.relevant_at_k(before, grades, 3, relevant),
            metrics.relevant_at_k(after, grades, 3, relevant),
        ),
        (metrics.unjudged_at_k(before, grades, 3), metrics.unjudged_at_k(after, grades, 3)),
        tuple(sorted(standings, key=lambda s: (-s.grade, s.before is None, s.before or 0, s.doc_id))),
        pool.margin, pool.depth(n) if len(pool) else 0, before[:SHOWN], after[:SHOWN],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Means over the `n` queries of a slice, each in [0, 1]; `query_ids` are those behind them.

    `before` and `after` are mean nDCG@3; `interval` is the 95 % interval of the mean lift by bootstrap over
    scenarios, None where there are fewer than five of them. `chosen` counts queries whose outcome was known when
    they were chosen.
    """

    slice: str
    n: int
    scenarios: int
    chosen: int
    before: float
    after: float
    success1: tuple[float, float]
    answer_in_top_k: tuple[float, float]
    wins: int
    ties: int
    losses: int
    interval: tuple[float, float] | None
    query_ids: tuple[str, ...]

    @property
    def lift(self) -> float:
        """Mean nDCG@3 after minus before, in [-1, 1]: the mean of the lifts."""
        return self.after - self.before


def slices(results: Sequence[QueryResult]) -> tuple[SliceRow, ...]:
    """One row a slice, by name; give `unchosen(results)` for figures beside the headline."""
    names = sorted({r.slice for r in results})
    return tuple(row_of(name, [r for r in results if r.slice == name]) for name in names)


def unchosen(results: Iterable[QueryResult]) -> tuple[QueryResult, ...]:
    """The queries that were written before any model ran on them."""
    return tuple(r for r in results if not r.chosen)


def headline(results: Sequence[QueryResult]) -> SliceRow | None:
    """The row over all queries that were not chosen for their outcome; None where there are none."""
    kept = unchosen(results)
    return row_of(ALL, kept) if kept else None


def row_of(name: str, results: Sequence[QueryResult]) -> SliceRow:
    """Means, counts and interval over `results`, of which there must be one or more."""
    outcomes = [r.outcome for r in results]
    return SliceRow(
        name,
        len(results),
        len({r.scenario_id for r in results}),
        sum(r.chosen for r in results),
        fmean(r.before for r in results),
        fmean(r.after for r in results),
        _means([r.success1 for r in results]),
        _means([r.answer_in_top_k for r in results]),
        outcomes.count("win"),
        outcomes.count("tie"),
        outcomes.count("loss"),
        bootstrap_interval([r.lift for r in results], [r.scenario_id for r in results]),
        tuple(r.query_id for r in results),
    )


def _means(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return fmean(b for b, _ in pairs), fmean(a for _, a in pairs)
