"""A confidence interval by bootstrap over clusters: pure, fixed seed.

Queries of one scenario share passages, so they are no independent draws: whole scenarios are drawn. Left out: tests of
significance; an interval that holds zero is shown as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import numpy as np

from rerank_core.errors import InputError

CLUSTERS_MIN = 5
"""Fewer clusters than this give no interval: too few to draw from."""

RESAMPLES, LEVEL, SEED = 10_000, 0.95, 0

BLOCK_DRAWS = 1_000_000
"""Drawn indexes held at once, 8 MB: with thousands of clusters, all draws together would take gigabytes."""

Interval = tuple[float, float]


def bootstrap_interval(
    values: Sequence[float], clusters: Sequence[str], level: float = LEVEL
) -> Interval | None:
    """The percentile interval of the mean of `values`, drawing whole clusters; None for fewer than CLUSTERS_MIN.

    `values` and `clusters` run in parallel; a draw's mean is over the values of the drawn clusters, so that large
    clusters weigh more, as they do in the mean itself. The same values give the same interval, whatever their order.
    Raises InputError where the two differ in length. Sources: Efron, "Bootstrap methods: another look at the
    jackknife", Annals of Statistics 7(1), 1979; Field and Welsh, "Bootstrapping clustered data", J. R. Statist. Soc.
    B 69(3), 2007.

    >>> bootstrap_interval([0.25] * 10, list("aabbccddee"))
    (0.25, 0.25)
    >>> bootstrap_interval([0.1, 0.3, 0.2], ["a", "b", "c"]) is None
    True
    """
    return bootstrap_intervals([values], clusters, level)[0]


def bootstrap_intervals(
    columns: Sequence[Sequence[float]], clusters: Sequence[str], level: float = LEVEL
) -> tuple[Interval | None, ...]:
    """`bootstrap_interval` of several columns of values over the same clusters, from the same draws."""
    for values in columns:
        if len(values) != len(clusters):
            raise InputError(
                f"{len(values)} values but {len(clusters)} clusters; give one a value."
            )
    rows: dict[str, list[int]] = {name: [] for name in sorted(set(clusters))}
    for row, name in enumerate(clusters):
        rows[name].append(row)
    m = len(rows)
    if m < CLUSTERS_MIN:
        return (None,) * len(columns)
    sums = np.array([[fsum(values[i] for i in own) for values in columns] for own in rows.values()])
    counts = np.array([len(own) for own in rows.values()])  # (m,); sums is (m, columns)
    rng, block = np.random.default_rng(SEED), max(1, BLOCK_DRAWS // m)
    parts = []
    for at in range(0, RESAMPLES, block):
        draws = rng.integers(m, size=(min(block, RESAMPLES - at), m))
        size = counts[draws].sum(axis=1)
        parts.append([sums[:, c][draws].sum(axis=1) / size for c in range(len(columns))])
    means = np.concatenate(parts, axis=1)  # (columns, RESAMPLES)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
