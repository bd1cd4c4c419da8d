"""Plotly figures. Colours come from the page's style sheet in dark mode; here, ones that work in both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import plotly.graph_objects as go

from rerank_core.records import StageTiming
from ui.words import live_ms, milliseconds

STAGES = ("wait", "encode query", "search", "cross-encode")
LABELS = {
    "wait": "waiting",
    "encode query": "encode query",
    "search": "search",
    "cross-encode": "cross-encode",
}
BI, CROSS, WAIT = "#3b76b0", "#b3591a", "#8a8578"
"""Blue for stage one, brown-orange for stage two, grey for waiting: apart also for colour-blind eyes."""
COLOURS = {"wait": WAIT, "encode query": BI, "search": BI, "cross-encode": CROSS}


def latency_json(timings: Sequence[StageTiming]) -> str:
    """`latency_bars` as the JSON that a browser gets, without making a figure: every answer has one, and it is 5 ms."""
    bar, empty = _bar(timings), _without_timings()
    plain = empty["data"][0]
    bars = {**plain, **bar, "marker": {**plain["marker"], **bar["marker"]}}
    layout = {**empty["layout"], "xaxis": {**empty["layout"]["xaxis"], **_axis(timings)}}
    return json.dumps({**empty, "data": [bars], "layout": layout}, separators=(",", ":"))


@cache
def _without_timings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(latency_bars(()).to_json())
    return found


def _bar(timings: Sequence[StageTiming]) -> dict[str, Any]:
    """What of the bars depends on the timings."""
    by_name = {t.name: t for t in timings}
    ran = [name in by_name for name in STAGES]
    values = [live_ms(by_name[name]) if name in by_name else 0.0 for name in STAGES]
    kept = [name in by_name and by_name[name].cached > 0 for name in STAGES]
    texts = [
        f"{milliseconds(v)}{', cached' if c else ''}" if r else "not run yet"
        for v, r, c in zip(values, ran, kept, strict=True)
    ]
    colours = [COLOURS[name] for name in STAGES]
    hatched = {"shape": ["/" if c else "" for c in kept]}
    return {"x": values, "text": texts, "marker": {"color": colours, "pattern": hatched}}


def _axis(timings: Sequence[StageTiming]) -> dict[str, Any]:
    """What of the axis depends on the timings: room for the longest bar and its label."""
    return {"range": [0, max([live_ms(t) for t in timings if t.name in STAGES] + [1.0]) * 1.15]}


def latency_bars(timings: Sequence[StageTiming]) -> go.Figure:
    """Milliseconds of each stage as bars from zero, labelled; a cached stage is hatched and shows its live cost.

    Stages that have not run are shown as such, so that the plot can be mounted before the reveal.
    """
    bars = go.Bar(
        **_bar(timings),
        y=[LABELS[name] for name in STAGES],
        orientation="h",
        texttemplate="\u2002%{text}",
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=190,
        # Wide enough for the longest label: automargin measures before the page's font has come, and clips it.
        margin={"l": 104, "r": 96, "t": 8, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        bargap=0.45,
        showlegend=False,
        font={"size": 13, "family": "Source Sans Pro, sans-serif"},
        xaxis={
            "title": {"text": "milliseconds", "standoff": 4, "font": {"size": 13}},
            "rangemode": "tozero",
            **_axis(timings),
            "fixedrange": True,
            "gridcolor": "rgba(128,128,128,.25)",
            "zeroline": False,
        },
        yaxis={"autorange": "reversed", "fixedrange": True, "ticksuffix": "  "},
    )
    return figure
