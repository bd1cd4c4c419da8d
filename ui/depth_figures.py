"""Plotly figures about depth: curves against N, movement against N, milliseconds against N.

One palette for light and dark, apart for colour-blind eyes; every line has its own dash or width and its name at its
end. Left out: the numbers as a table (depth_views.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from rerank_core.budget import Bought, Knee
from rerank_core.depth import DEPTH_MAX, DepthPoint
from rerank_core.latency import Cost, LatencyPoint
from rerank_core.turnover import TurnoverPoint
from ui.figures import BI, CROSS, WAIT
from ui.spread import spread
from ui.words import milliseconds

GREEN, PURPLE = "#2f8a6b", "#9a5b9c"
FONT = {"size": 13, "family": "Source Sans Pro, sans-serif"}
GRID = "rgba(128,128,128,.25)"
HEIGHT, TOP, BOTTOM, LABELS = 330, 26, 40, 126
"""Pixels: the figure, its margins above and below, and the margin in which lines are named."""


def depth_curves(
    points: Sequence[DepthPoint], n: int, k: int, knee: Knee | None = None
) -> go.Figure:
    """The five curves of one query or of a mean, named at their ends; a line at N and a mark at the knee.

    Wide lines lie under narrow ones, so that those which coincide are still all seen.
    """
    named = [
        ("ceiling", [p.ceiling for p in points], WAIT, 7, "solid"),
        ("nDCG@3", [p.ndcg3 for p in points], CROSS, 3.5, "solid"),
        ("candidate recall", [p.candidate_recall for p in points], BI, 2, "dot"),
        (f"answer in top {k}", [p.answer_in_top_k for p in points], GREEN, 2, "dash"),
        ("success@1", [p.success1 for p in points], PURPLE, 2, "longdashdot"),
    ]
    figure = _lines([p.n for p in points], named, 1.0)
    if knee and knee.best.ndcg3 > 0:
        figure.add_scatter(
            x=[knee.n], y=[knee.point.ndcg3], mode="markers", cliponaxis=False,
            marker={"symbol": "diamond-open", "size": 13, "color": CROSS, "line": {"width": 2}},
            hovertemplate=f"knee, in sample: N = {knee.n}<extra></extra>",
        )  # fmt: skip
        late = knee.n > 0.7 * len(points)
        figure.add_annotation(
            x=knee.n, y=knee.point.ndcg3, text=f"knee {knee.n}", showarrow=False, yshift=16,
            xanchor="right" if late else "left", xshift=-4 if late else 6,
        )  # fmt: skip
    return _framed(_mark(figure, n), {"range": [-0.02, 1.04], "tickvals": [0, 0.25, 0.5, 0.75, 1]})


def movement_curves(points: Sequence[TurnoverPoint], n: int, k: int) -> go.Figure:
    """What moves, as shares, for a query without judgements."""
    top = min(k, len(points))
    named = [
        (f"top {top} settled", [p.settled for p in points], WAIT, 6, "solid"),
        (f"new in the top {top}", [p.new_k / max(top, 1) for p in points], GREEN, 2, "dash"),
        ("new in the top 3", [p.new3 / 3 for p in points], CROSS, 3, "solid"),
    ]
    figure = _lines([p.n for p in points], named, 1.0)
    return _framed(_mark(figure, n), {"range": [-0.02, 1.04], "tickformat": ".0%"})


def latency_line(
    cost: Cost | None,
    pairs: int,
    n: int,
    budget: float,
    bought: Bought | None,
    points: Sequence[LatencyPoint] = (),
) -> go.Figure:
    """Milliseconds of one query against N: dots for runs, a dashed line for what is estimated, and the budget.

    `points` are the medians of live runs at several N, joined by a line; without them the one dot is the run that
    scored the pool.
    """
    if cost is None:
        return blank("not measured yet")
    deepest = max(DEPTH_MAX, pairs)
    total = [cost.ms_query + x * cost.ms_per_pair for x in (0, deepest)]
    run = cost.ms_query + pairs * cost.ms_per_pair
    figure = go.Figure(
        go.Scatter(
            x=[0, deepest], y=total, mode="lines", line={"color": CROSS, "width": 2, "dash": "dash"},
            hoverinfo="skip",
        )
    )  # fmt: skip
    dots = [(p.n, p.ms) for p in points] or [(pairs, run)]
    figure.add_scatter(
        x=[x for x, _ in dots], y=[y for _, y in dots], mode="lines+markers", cliponaxis=False,
        marker={"size": 10, "color": CROSS}, line={"color": CROSS, "width": 2.5},
        text=[milliseconds(y) for _, y in dots],
        hovertemplate="measured: %{x} pairs, %{text}<extra></extra>",
    )  # fmt: skip
    high = dots[-1][1]
    for words, y in (
        ("● measured", high),
        ("- - estimated", high - 0.12 * max(total[1], budget)),
    ):
        figure.add_annotation(
            xref="paper", x=1, y=y, text=words, showarrow=False, xanchor="left", xshift=12
        )
    figure.add_hline(y=budget, line={"color": BI, "width": 1.5, "dash": "dot"})
    buys = "budget" if bought is None else f"budget, N = {bought.n}"
    figure.add_annotation(
        x=0, y=budget, text=f"{buys}", showarrow=False, xanchor="left", xshift=4, yshift=9
    )
    if bought is not None and bought.within:
        figure.add_scatter(
            x=[bought.n], y=[bought.ms], mode="markers", hoverinfo="skip", cliponaxis=False,
            marker={"symbol": "circle-open", "size": 11, "color": BI, "line": {"width": 2}},
        )  # fmt: skip
    most = max(total[1], run, high, budget) * 1.08
    yaxis = {"range": [0, most], "title": _title("milliseconds a query")}
    return _framed(_mark(figure, n), yaxis, {"range": [0, deepest * 1.005]})


def blank(words: str) -> go.Figure:
    """A frame that says why it is empty, so that a plot can be mounted before there is anything to show."""
    figure = go.Figure()
    figure.add_annotation(text=words, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5)
    return _framed(figure, {"visible": False}, {"visible": False})


def _lines(
    xs: Sequence[int], named: Sequence[tuple[str, list[float], str, float, str]], high: float
) -> go.Figure:
    """Steps (what holds at N holds until N + 1), and each line's name right of its end, joined to it."""
    figure = go.Figure()
    gap = high * 1.06 * 17 / (HEIGHT - TOP - BOTTOM)
    # Where lines end together, names stand in the order of the lines' heights over all N.
    weight = [ys[-1] + 1e-6 * sum(ys) / len(ys) if ys else 0.0 for _, ys, *_ in named]
    places = spread(weight, gap, 0.0, high)
    for (name, ys, colour, width, dash), place in zip(named, places, strict=True):
        line = {"color": colour, "width": width, "dash": dash, "shape": "hv"}
        faint = 0.65 if width > 5 else 1.0
        figure.add_scatter(
            x=list(xs), y=ys, mode="lines", line=line, opacity=faint, cliponaxis=False,
            hovertemplate=f"{name}: %{{y:.2f}} at N = %{{x}}<extra></extra>",
        )  # fmt: skip
        # Pixels right of the frame: names and the strokes that join them keep their size on a phone.
        figure.add_shape(
            type="line", xref="paper", xsizemode="pixel", xanchor=1, x0=2, x1=18,
            y0=ys[-1] if ys else 0.0, y1=place, opacity=faint,
            line={"color": colour, "width": min(width, 4), "dash": dash},
        )  # fmt: skip
        figure.add_annotation(
            xref="paper", x=1, y=place, text=name, showarrow=False, xanchor="left", xshift=24
        )
    return figure


def _mark(figure: go.Figure, n: int) -> go.Figure:
    """A vertical line at the chosen N, named above the frame."""
    figure.add_vline(x=n, line={"color": WAIT, "width": 1.5})
    figure.add_annotation(
        x=n, y=1, yref="paper", text=f"<b>N = {n}</b>", showarrow=False, yanchor="bottom",
        xanchor="left" if n < 12 else "center",
    )  # fmt: skip
    return figure


def _title(words: str) -> dict[str, Any]:
    return {"text": words, "standoff": 6, "font": {"size": 13}}


def _framed(
    figure: go.Figure, yaxis: dict[str, Any], xaxis: dict[str, Any] | None = None
) -> go.Figure:
    still = {"fixedrange": True, "gridcolor": GRID, "zeroline": False}
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 44, "r": LABELS, "t": TOP, "b": BOTTOM},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        hovermode="closest",
        font=FONT,
        xaxis={
            **still,
            "range": [0, DEPTH_MAX * 1.005],
            "title": _title("N, pairs that get read"),
            "tickvals": [1, 20, 40, 60, 80, 100],
            **(xaxis or {}),
        },
        yaxis={**still, **yaxis},
    )
    return figure
