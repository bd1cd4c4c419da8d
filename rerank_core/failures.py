"""Where reranking hurt: every loss, the largest first, with the kind of failure that a rule can tell.

Kinds that need a person (what was meant, a wrong threshold, a stale passage) are left to whoever reads the lists.

>>> from rerank_core.evaluate import Case, evaluate
>>> from rerank_core.pool import Pool
>>> pool = Pool("q", ("a", "b", "c"), (0.9, 0.8, 0.7), (0.0, 2.0, 1.0), (), {"a": 3})
>>> (loss,) = losses(evaluate([Case("q-1", "s", "x", pool)], n=3, k=3))
>>> loss.kind, loss.fell[0].before, loss.fell[0].after
('scoring', 1, 3)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rerank_core.evaluate import QueryResult, Standing

Kind = Literal["candidate", "scoring"]


@dataclass(frozen=True, slots=True)
class Loss:
    """A query whose nDCG@3 fell. `fell` are the relevant candidates that were ranked lower than before."""

    result: QueryResult
    kind: Kind
    fell: tuple[Standing, ...]


def losses(results: Iterable[QueryResult]) -> tuple[Loss, ...]:
    """All results with a negative lift (ties aside), the largest loss first, then by query id."""
    lost = sorted((r for r in results if r.outcome == "loss"), key=lambda r: (r.lift, r.query_id))
    return tuple(Loss(r, failure_kind(r), fell(r)) for r in lost)


def failure_kind(result: QueryResult) -> Kind:
    """ "candidate" or "scoring", by what the N candidates hold.

    "candidate": none of them is relevant, or a passage outside has a better grade than the best of them, so that no
    reranker could have put the right one first: inspect the first stage, its N and its query. "scoring": the best
    grade was there, and the cross-encoder ranked it, or another, lower: inspect the pair's two texts and its logit.
    A loss can have both causes; the first stage's is named then, since it is to be mended first.
    """
    inside = [s.grade for s in result.standings if _inside(s, result.n)]
    outside = [s.grade for s in result.standings if not _inside(s, result.n)]
    return "candidate" if max(inside, default=0) < max(outside, default=1) else "scoring"


def fell(result: QueryResult) -> tuple[Standing, ...]:
    """The relevant candidates with a lower place after than before, best grade first."""
    return tuple(s for s in result.standings if s.before and s.after and s.after > s.before)


def _inside(standing: Standing, n: int) -> bool:
    return standing.before is not None and standing.before <= n
