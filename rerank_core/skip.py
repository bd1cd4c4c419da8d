"""A skip rule: rerank only where the bi-encoder is unsure, that is where its margin is under t.

The margin is cosine at rank 1 minus cosine at rank 2. Left out: any rule that looks at the texts. A t that looks good
on the queries it was found on is flattered; `cross_validated` says what it is worth on scenarios it was not found on.
All times are estimated: pairs not read, times milliseconds a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rerank_core.errors import InputError
from rerank_core.evaluate import QueryResult

ALWAYS = 2.5
"""A t above every margin (cosines differ by at most 2): everything is reranked. t = 0 reranks nothing."""

KEEP = 0.95
"""Share of the full lift that a chosen t must keep."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SkipPoint:
    """What the rule does at `t`, as means over queries.

    `share` of queries is reranked, in [0, 1]; `ms` is spent on reranking a query and `ms_saved` not spent, both
    estimated; `lift` is the mean nDCG@3 lift that is left, `lift_lost` that of always reranking minus it (negative
    where skipping helps).
    """

    t: float
    share: float
    ms: float
    ms_saved: float
    lift: float
    lift_lost: float


def thresholds(results: Sequence[QueryResult]) -> tuple[float, ...]:
    """Every t that changes the rule: 0, halfway between neighbouring margins, ALWAYS."""
    margins = sorted({r.margin for r in results if r.margin is not None})
    halfway = [(a + b) / 2 for a, b in pairwise(margins)]
    return (0.0, *halfway, ALWAYS)


def skip_curve(
    results: Sequence[QueryResult], ts: Sequence[float], ms_per_pair: float
) -> tuple[SkipPoint, ...]:
    """One point for each t of `ts`; empty where there are no results. InputError for a negative `ms_per_pair`.

    A query is reranked where its margin is under t; one with a single candidate never is.

    >>> from rerank_core.evaluate import Case, evaluate
    >>> from rerank_core.pool import Pool
    >>> sure = Pool("q", ("a", "b"), (0.9, 0.5), (2.0, 1.0), (), {"a": 3})
    >>> unsure = Pool("q", ("a", "b"), (0.9, 0.8), (1.0, 2.0), (), {"b": 3})
    >>> cases = [Case("q-1", "s", "x", sure), Case("q-2", "s", "x", unsure)]
    >>> (point,) = skip_curve(evaluate(cases, 2, 2), [0.2], ms_per_pair=10)
    >>> point.share, point.ms, point.ms_saved, round(point.lift, 3), point.lift_lost
    (0.5, 10.0, 10.0, 0.185, 0.0)
    """
    if ms_per_pair < 0:
        raise InputError(f"A pair takes {ms_per_pair} ms; give 0 or more.")
    if not results:
        return ()
    margins, lifts, ms = _columns(results, ms_per_pair)
    always = float(lifts.mean())
    return tuple(_point(t, margins < t, lifts, ms, always) for t in ts)


def choose_t(results: Sequence[QueryResult], keep: float = KEEP) -> float:
    """The smallest t whose mean lift is at least `keep` times that of always reranking; 0.0 where that is not positive.

    In sample: see `cross_validated`.
    """
    points = skip_curve(results, thresholds(results), 0.0)
    full = points[-1].lift if points else 0.0
    if full <= 0:
        return 0.0
    return next(p.t for p in points if p.lift >= keep * full - 1e-12)


@dataclass(frozen=True)
class CrossValidated:
    """The rule judged on scenarios that its t was not chosen on.

    `chosen` is scenario id -> the t found on all others; `point` what these do together, its own `t` their median.
    """

    point: SkipPoint
    chosen: dict[str, float]
    keep: float
    method: str = "cross-validated over scenarios"


def cross_validated(
    results: Sequence[QueryResult], ms_per_pair: float, keep: float = KEEP
) -> CrossValidated | None:
    """Leave one scenario out, choose t on the rest, apply it to the one; None for fewer than two scenarios.

    Source: Stone, "Cross-validatory choice and assessment of statistical predictions", J. R. Statist. Soc. B 36(2),
    1974, with scenarios as the parts because queries of one scenario share passages.
    """
    names = sorted({r.scenario_id for r in results})
    if len(names) < 2:
        return None
    chosen = {name: choose_t([r for r in results if r.scenario_id != name], keep) for name in names}
    margins, lifts, ms = _columns(results, ms_per_pair)
    own = np.array([chosen[r.scenario_id] for r in results])
    middle = float(np.median(list(chosen.values())))
    return CrossValidated(
        _point(middle, margins < own, lifts, ms, float(lifts.mean())), chosen, keep
    )


def _columns(results: Sequence[QueryResult], ms_per_pair: float) -> tuple[Floats, Floats, Floats]:
    """Margin, lift and reranking milliseconds, (queries,) each; a missing margin is infinite."""
    margins = [np.inf if r.margin is None else r.margin for r in results]
    return (
        np.array(margins, dtype=np.float64),
        np.array([r.lift for r in results], dtype=np.float64),
        np.array([r.pairs * ms_per_pair for r in results], dtype=np.float64),
    )


def _point(
    t: float, reranked: NDArray[np.bool_], lifts: Floats, ms: Floats, always: float
) -> SkipPoint:
    lift, spent = float((lifts * reranked).mean()), float((ms * reranked).mean())
    return SkipPoint(
        t, float(reranked.mean()), spent, float(ms.mean()) - spent, lift, always - lift
    )
