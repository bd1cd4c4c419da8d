"""Thresholds over the board's queries, derived once: one curve a scale, and what one cut keeps on each. Pure.

Left out: figures and words (scores_figures.py, scores_views.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rerank_core.evaluate import Case
from rerank_core.records import ModelCard
from rerank_core.thresholds import ThresholdPoint, scored_pairs, threshold_curve

Curve = tuple[ThresholdPoint, ...]


@dataclass(frozen=True)
class Cutoffs:
    """Curves over the first N candidates of every query; `probability` is empty where the model is not calibrated.

    `queries`, `pairs` and `relevant` count what they are over.
    """

    n: int
    queries: int
    pairs: int
    relevant: int
    logit: Curve
    probability: Curve
    cosine: Curve

    @property
    def same(self) -> bool:
        """Whether every cut on the probability is one on the logit, with the same precision and recall."""
        cuts = {(p.kept, p.precision, p.recall) for p in self.logit}
        return bool(self.probability) and all(
            (p.kept, p.precision, p.recall) in cuts for p in self.probability
        )


def cutoffs(cases: Sequence[Case], n: int, cross_encoder: ModelCard) -> Cutoffs:
    """The curves of all cases at depth `n` (N); no model is asked."""
    pairs = scored_pairs(cases, n, cross_encoder)
    relevant = [p.relevant for p in pairs]
    calibrated = [p.probability for p in pairs if p.probability is not None]
    return Cutoffs(
        n,
        len(cases),
        len(pairs),
        sum(relevant),
        threshold_curve([p.logit for p in pairs], relevant),
        threshold_curve(calibrated, relevant) if len(calibrated) == len(pairs) else (),
        threshold_curve([p.cosine for p in pairs], relevant),
    )


def keeps(curve: Curve, t: float) -> ThresholdPoint:
    """What "keep what scores at least t" keeps; where that is nothing, precision is 1 by convention."""
    found = ThresholdPoint(t, 0, 1.0, 0.0)
    for point in curve:
        if point.threshold < t:
            break
        found = point
    return ThresholdPoint(t, found.kept, found.precision, found.recall)


def keeping(curve: Curve, kept: int) -> ThresholdPoint:
    """The cut that keeps about as many: the nearest number that the curve has."""
    return min(curve, key=lambda p: (abs(p.kept - kept), -p.threshold))


def thinned(curve: Curve, most: int) -> Curve:
    """At most `most` points, evenly by number kept, first and last among them: what a figure needs."""
    if len(curve) <= most:
        return curve
    step = (len(curve) - 1) / (most - 1)
    return tuple(curve[round(i * step)] for i in range(most))
