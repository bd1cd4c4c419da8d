"""Scores as thresholds: precision and recall of "keep what scores at least this", on one scale at a time.

A threshold cuts an order, so a logit and its calibrated probability, which order pairs alike, give one curve with two
labellings; a cosine orders them otherwise and has a curve of its own. Left out: comparing numbers across scales.

>>> for p in threshold_curve([2.0, 1.0, 1.0, -3.0], [True, True, False, True]):
...     print(p.threshold, p.kept, round(p.precision, 3), round(p.recall, 3))
2.0 1 1.0 0.333
1.0 3 0.667 0.667
-3.0 4 0.75 1.0
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rerank_core import metrics
from rerank_core.comparison import calibrated
from rerank_core.errors import InputError
from rerank_core.evaluate import Case
from rerank_core.records import ModelCard


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """Keeping every pair that scores `threshold` or more keeps `kept` of them; both shares are in [0, 1].

    `precision` is the relevant share of what is kept, `recall` the kept share of what is relevant.
    """

    threshold: float
    kept: int
    precision: float
    recall: float


def threshold_curve(
    scores: Sequence[float], relevant: Sequence[bool]
) -> tuple[ThresholdPoint, ...]:
    """One point for each distinct score, from the highest down; empty where no pair is relevant.

    Equal scores fall together. Any strictly increasing function of the scores gives the same curve with other
    thresholds, as long as it keeps them apart: a probability of a logit above 36 rounds to 1. Raises InputError where
    the two differ in length.
    """
    if len(scores) != len(relevant):
        raise InputError(f"{len(scores)} scores but {len(relevant)} judgements; give one a score.")
    total = sum(relevant)
    if not total:
        return ()
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    points, hits = [], 0
    for kept, i in enumerate(order, 1):
        hits += relevant[i]
        if kept == len(order) or scores[order[kept]] < scores[i]:
            points.append(ThresholdPoint(scores[i], kept, hits / kept, hits / total))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """One candidate of one query on three scales, never on one axis; `grade` is None where it is unjudged.

    `cosine` is in [-1, 1], `logit` is raw, `probability` the calibrated logit, None where the model is not calibrated.
    """

    query_id: str
    doc_id: str
    cosine: float
    logit: float
    probability: float | None
    grade: int | None

    @property
    def relevant(self) -> bool:
        """A grade of at least "partly answers"; unjudged counts as not."""
        return (self.grade or 0) >= metrics.RELEVANT


def scored_pairs(cases: Iterable[Case], n: int, cross_encoder: ModelCard) -> tuple[ScoredPair, ...]:
    """Every query's first `n` candidates, in the bi-encoder's order; `cross_encoder` knows the calibration."""
    return tuple(
        ScoredPair(
            case.query_id, doc_id, case.pool.cosines[i], case.pool.logits[i],
            calibrated(case.pool.logits[i], cross_encoder), case.pool.relevance.get(doc_id),
        )
        for case in cases
        for i, doc_id in enumerate(case.pool.doc_ids[: case.pool.depth(n)])
    )  # fmt: skip
