"""The skip rule in words and a table: points -> escaped HTML. Every millisecond here is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rerank_core.evaluate import QueryResult
from rerank_core.skip import (
    ALWAYS,
    CrossValidated,
    SkipPoint,
    cross_validated,
    skip_curve,
    thresholds,
)
from ui.board_words import signed
from ui.templates import render
from ui.words import cosine, milliseconds

KEEPS = (0.5, 0.7, 0.9, 0.95)
"""Shares of the full lift that a chosen t is asked to keep, one point of the curve each."""

T_MAX = 0.5
"""The slider's end: cosines at ranks 1 and 2 that lie further apart are rare."""


@lru_cache(maxsize=16)
def curves(
    results: tuple[QueryResult, ...], ms_per_pair: float
) -> tuple[tuple[SkipPoint, ...], tuple[CrossValidated, ...]]:
    """Every t on all queries, and the cross-validated points; kept, so that moving t costs nothing."""
    tried = (cross_validated(results, ms_per_pair, keep) for keep in KEEPS)
    every = skip_curve(results, thresholds(results), ms_per_pair)
    return every, tuple(point for point in tried if point is not None)


def words(point: SkipPoint, n: int, checked: Sequence[CrossValidated]) -> str:
    """What t does, and what choosing it on other scenarios was worth."""
    full = point.lift + point.lift_lost
    lost = (
        f"lift {signed(point.lift)} of {signed(full)} is left"
        if abs(point.lift_lost) >= 0.005
        else f"no lift is lost, {signed(full)} stays"
    )
    if point.lift_lost <= -0.005:
        lost += ": skipping even helps here"
    said = (
        f"At t = {cosine(point.t)}, {100 * point.share:.0f} % of the queries are reranked; {milliseconds(point.ms)} "
        f"a query are spent on it and {milliseconds(point.ms_saved)} saved (estimated), and {lost}."
    )
    best = next((c for c in checked if c.keep == 0.95), None)
    if best is None:
        return said
    return (
        f"{said} Cross-validated: t chosen on the other scenarios to keep 95 % of the lift saves "
        f"{milliseconds(best.point.ms_saved)} a query on the one left out and costs {_loses(best.point)} of nDCG@3."
    )


def _loses(point: SkipPoint) -> str:
    return (
        "nothing"
        if abs(point.lift_lost) < 0.0005
        else f"{point.lift_lost:.3f}".replace("-", "\N{MINUS SIGN}")
    )


def table(point: SkipPoint, checked: Sequence[CrossValidated]) -> str:
    """The figure's numbers."""
    rows = [("your t", point, cosine(point.t))]
    rows += [
        (f"keep {100 * c.keep:.0f} %, cross-validated", c.point, f"{_t(c.point.t)} (median)")
        for c in checked
    ]
    return render(
        "board_skip",
        rows=[
            {
                "name": name,
                "t": t,
                "share": f"{100 * p.share:.0f} %",
                "saved": milliseconds(p.ms_saved),
                "lost": f"{p.lift_lost:.3f}".replace("-", "\N{MINUS SIGN}"),
            }
            for name, p, t in rows
        ],
    )


def _t(value: float) -> str:
    return "always rerank" if value >= ALWAYS else cosine(value)
