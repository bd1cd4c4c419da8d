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


def bootstrap_interval(
    values: Sequence[float], clusters: Sequence[str], level: float = LEVEL
) -> tuple[float, float] | None:
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
    if len(values) != len(clusters):
        raise InputError(f"{len(values)} values but {len(clusters)} clusters; give one a value.")
    groups: dict[str, list[float]] = {name: [] for name in sorted(set(clusters))}
    for value, name in zip(values, clusters, strict=True):
        groups[name].append(value)
    if len(groups) < CLUSTERS_MIN:
        return None
    sums = np.array([fsum(group) for group in groups.values()])  # (clusters,)
    counts = np.array([len(group) for group in groups.values()])
    draws = np.random.default_rng(SEED).integers(len(groups), size=(RESAMPLES, len(groups)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)  # (RESAMPLES,)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
