"""Labels that stand apart: pure. Left out: drawing them.

>>> spread([0.5, 0.5, 0.0], 0.1, 0.0, 1.0)
[0.45, 0.55, 0.0]
"""

from __future__ import annotations

from collections.abc import Sequence


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places moved as little as needed for neighbours to be `gap` apart within [low, high]; the order stays.

    Where they do not all fit, the gap shrinks.
    """
    if not places:
        return []
    gap = min(gap, (high - low) / max(len(places) - 1, 1))
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[list[float]] = []  # centre, count: labels that touch move as one block
    for i in order:
        groups.append([_held(places[i], 1, gap, low, high), 1])
        while len(groups) > 1 and _bottom(groups[-1], gap) < _top(groups[-2], gap) + gap - 1e-12:
            centre, count = groups.pop()
            other, more = groups.pop()
            middle = (centre * count + other * more) / (count + more)
            groups.append([_held(middle, int(count + more), gap, low, high), count + more])
    placed = [_bottom(group, gap) + gap * step for group in groups for step in range(int(group[1]))]
    found = [0.0] * len(places)
    for i, place in zip(order, placed, strict=True):
        found[i] = round(place, 6)
    return found


def _held(centre: float, count: int, gap: float, low: float, high: float) -> float:
    half = gap * (count - 1) / 2
    return min(max(centre, low + half), high - half)


def _bottom(group: Sequence[float], gap: float) -> float:
    return group[0] - gap * (group[1] - 1) / 2


def _top(group: Sequence[float], gap: float) -> float:
    return group[0] + gap * (group[1] - 1) / 2
