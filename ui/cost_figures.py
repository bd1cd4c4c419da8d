"""The figure of Cost: three ways to answer one query against the size of the corpus, both axes logarithmic.

Ticks and hovers speak in words ("2.3 days"); filled marks are measured, open ones estimated. The table beside it
holds the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

import plotly.graph_objects as go

from rerank_core.scale import ScaleRow
from ui.cost_words import duration
from ui.figures import BI, CROSS, WAIT

TICKS_MS = (
    1,
    10,
    100,
    1_000,
    10_000,
    60_000,
    600_000,
    3_600_000,
    36_000_000,
    86_400_000,
    864_000_000,
)
SIZE_TICKS = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def by_size(rows: Sequence[ScaleRow], n: int, library: int) -> go.Figure:
    """Lines with their names at their ends, and a vertical line at this library's size."""
    figure = go.Figure()
    if not rows:
        return _frame(figure, 1.0, 1e9)
    full = [row for row in rows if row.dense > 0]
    for name, of, colour, dash in (
        ("read everything", [r.cross for r in full], CROSS, "solid"),
        (f"two stages, N = {n}", [r.two_stage for r in full], WAIT, "dash"),
        ("dense only", [r.dense for r in full], BI, "dot"),
    ):
        dense = name == "dense only"
        marks = ["circle" if dense and r.searched.measured else "circle-open" for r in full]
        how = ["search measured" if r.searched.measured else "estimated" for r in full]
        figure.add_scatter(
            x=[r.passages for r in full], y=of, mode="lines+markers", cliponaxis=False,
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"symbol": marks, "size": 8, "color": colour, "line": {"width": 2, "color": colour}},
            customdata=[[duration(y), h if name != "read everything" else "estimated"]
                        for y, h in zip(of, how, strict=True)],
            hovertemplate=name + ", %{x:,} passages: %{customdata[0]} (%{customdata[1]})<extra></extra>",
        )  # fmt: skip
        figure.add_annotation(
            x=log10(full[-1].passages), y=log10(of[-1]), text=name, showarrow=False, xanchor="left", xshift=16,
            yshift={"dense only": -9}.get(name, 9 if name != "read everything" else 0),
        )  # fmt: skip
    figure.add_vline(x=library, line={"color": WAIT, "width": 1})
    figure.add_annotation(
        x=log10(library), y=1, yref="paper", text="this library", showarrow=False, yanchor="bottom"
    )
    return _frame(figure, min(r.dense for r in full), max(r.cross for r in full))


def _frame(figure: go.Figure, low: float, high: float) -> go.Figure:
    still: dict[str, Any] = {
        "type": "log",
        "fixedrange": True,
        "gridcolor": "rgba(128,128,128,.25)",
        "zeroline": False,
    }
    ticks = [t for t in TICKS_MS if t <= high * 3]
    figure.update_layout(
        height=400,
        margin={"l": 106, "r": 150, "t": 26, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        hovermode="closest",
        font={"size": 13, "family": "Source Sans Pro, sans-serif"},
        xaxis={
            **still,
            "title": {
                "text": "passages in the corpus (log scale)",
                "standoff": 6,
                "font": {"size": 13},
            },
            "tickvals": list(SIZE_TICKS),
            "ticktext": ["100", "1,000", "10,000", "100,000", "1 million", "10 million"],
            "range": [log10(40), log10(1.2e7)],
        },
        yaxis={
            **still,
            "title": {"text": "one query (log scale)", "standoff": 14, "font": {"size": 13}},
            "tickvals": ticks,
            "ticktext": [duration(t).replace(".0 ", " ") for t in ticks],
            "range": [log10(low) - 0.3, log10(high) + 0.3],
        },
    )
    return figure
