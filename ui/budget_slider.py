"""The latency budget's slider: its range and where it begins, from what a run cost."""

from __future__ import annotations

from math import ceil, log10
from typing import Any

import gradio as gr

from rerank_core import limits
from rerank_core.latency import Cost

BUDGET_MS = 500.0
"""The budget that the slider begins with, where the run allows it: what a search may take before it feels slow."""


def budget_slider(cost: Cost | None, size: int) -> tuple[Any, float]:
    """The slider, from 0 to a round number above what the whole pool takes, and where it begins."""
    if cost is None:
        return gr.update(interactive=False), BUDGET_MS
    total = 1.05 * (cost.ms_query + size * cost.ms_per_pair)
    unit = 10 ** int(ceil(log10(max(total, 1.0))) - 1)
    most = float(min(limits.BUDGET_MS_MAX, max(1, ceil(total / unit)) * unit))
    value = BUDGET_MS if total > BUDGET_MS else most / 2
    step = max(most / 100, 0.01)
    return gr.update(minimum=0, maximum=most, step=step, value=value, interactive=True), value
