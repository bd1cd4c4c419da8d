"""By what margin a scenario's expectations hold, or miss, on the models that made a comparison.

Each margin is on the scale of what is expected: a cosine, a logit, an nDCG@3; it is above 0 where the expectation
holds, and how far above is how much the models may change before it does not. Left out: whether it ought to hold.

>>> from rerank_core.records import Passage
>>> passages = [Passage("a", "one"), Passage("b", "two")]
>>> ranking = Ranking.from_scores(passages, [0.9, 0.7])
>>> round(lead(ranking, ["b"]), 2), lead(ranking, ["x"])
(-0.2, None)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import floor

from rerank_core import metrics
from rerank_core.pipeline import Comparison
from rerank_core.records import Ranking
from rerank_core.scenarios import Expect, Query

LIFT_STEP, LIFT_ROOM = 0.05, 0.01
"""An expectation of lift is a multiple of the first, at least the second below what was measured: it has some room."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One expectation: `key` as in scenario.toml, `wanted` in words, `unit` of the margin.

    `margin` is None where there is nothing to measure: what is wanted is not among the candidates, or has no lift.
    """

    key: str
    wanted: str
    holds: bool
    margin: float | None
    unit: str


def lead(ranking: Ranking, wanted: Collection[str]) -> float | None:
    """The best score among `wanted` minus the best among the others; None where either is missing."""
    inside = [row.score for row in ranking if row.doc_id in wanted]
    outside = [row.score for row in ranking if row.doc_id not in wanted]
    return inside[0] - outside[0] if inside and outside else None


def holds(query: Query, comparison: Comparison) -> tuple[Hold, ...]:
    """Every expectation of a query, in the order of scenario.toml."""
    return tuple(_holds(query, comparison))


def _holds(query: Query, comparison: Comparison) -> Iterator[Hold]:
    expect, before, after = query.expect, comparison.before, comparison.after
    for key, wanted, ranking, unit in (
        ("first_before", expect.first_before, before, "cosine"),
        ("first_after", expect.first_after, after, "logit"),
    ):
        if wanted:
            met = len(ranking) > 0 and ranking[0].doc_id in wanted
            yield Hold(key, " or ".join(wanted), met, lead(ranking, wanted), unit)
    if expect.top1_changes is not None and len(after):
        margin = lead(after, [before[0].doc_id])
        changed = before[0].doc_id != after[0].doc_id
        yield Hold(
            "top1_changes",
            "yes" if expect.top1_changes else "no",
            changed is expect.top1_changes,
            margin if margin is None or not expect.top1_changes else -margin,
            "logit",
        )
    if expect.lift_at_3_min is not None:
        lift = comparison.lift_at(3, query.relevance)
        margin = None if lift is None else lift.lift - expect.lift_at_3_min
        met = margin is not None and margin >= 0
        yield Hold("lift_at_3_min", f"{expect.lift_at_3_min:+.2f}", met, margin, "nDCG@3")


def expect_now(comparison: Comparison, relevance: Mapping[str, int]) -> Expect:
    """What this comparison shows, as expectations that it meets: who leads, whether that changes, the lift.

    The lift is rounded down to LIFT_STEP with LIFT_ROOM to spare, and left out where no passage is relevant.
    """
    if not len(comparison.after):
        return Expect()
    before, after = comparison.before[0].doc_id, comparison.after[0].doc_id
    lift = comparison.lift_at(3, relevance) if metrics.has_relevant(relevance) else None
    least = (
        None
        if lift is None
        else max(-1.0, round(floor((lift.lift - LIFT_ROOM) / LIFT_STEP) * LIFT_STEP, 2))
    )
    return Expect(
        first_before=(before,),
        first_after=(after,),
        top1_changes=before != after,
        lift_at_3_min=least,
    )
