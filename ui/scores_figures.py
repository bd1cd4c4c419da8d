"""The Plotly figure of Scores: precision against recall, one curve for logit and probability, one for the cosine."""

from __future__ import annotations

import plotly.graph_objects as go

from rerank_core.comparison import calibrated
from rerank_core.records import ModelCard
from rerank_core.thresholds import ThresholdPoint
from ui.cutoffs import Curve, Cutoffs, keeping, keeps, thinned
from ui.depth_figures import FONT, GRID
from ui.figures import BI, CROSS, WAIT
from ui.words import cosine, logit, probability

POINTS = 240
"""Points drawn of a curve of thousands: more than the figure has pixels for."""
CHANCES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Probabilities whose cuts are marked."""


def precision_recall(found: Cutoffs, t: float, card: ModelCard) -> go.Figure:
    """Both curves; on the first, open circles where a probability cuts, a filled one at the chosen logit."""
    figure = go.Figure()
    _curve(
        figure,
        found.cosine,
        BI,
        "dash",
        [cosine(p.threshold) for p in thinned(found.cosine, POINTS)],
        "cosine",
    )
    _curve(
        figure,
        found.logit,
        CROSS,
        "solid",
        [logit(p.threshold) for p in thinned(found.logit, POINTS)],
        "logit",
    )
    if found.probability:
        cuts = _apart([(p, keeps(found.probability, p)) for p in reversed(CHANCES)])
        figure.add_scatter(
            x=[point.recall for _, point in cuts], y=[point.precision for _, point in cuts], mode="markers+text",
            marker={"symbol": "circle-open", "size": 9, "color": CROSS, "line": {"width": 2}}, cliponaxis=False,
            text=[probability(p) for p, _ in cuts], textposition="top right",
            hovertemplate="probability of %{text} or more<extra></extra>",
        )  # fmt: skip
    here = keeps(found.logit, t)
    if here.kept:
        p = calibrated(t, card)
        also = "" if p is None else f" = {probability(p)}"
        _here(figure, here, CROSS, "circle", f"<b>logit {logit(t)}{also}</b>")
        other = keeping(found.cosine, here.kept)
        words = f"cosine {cosine(other.threshold)}, as many kept"
        _here(figure, other, BI, "diamond", words)
    figure.update_layout(
        height=360,
        margin={"l": 48, "r": 20, "t": 16, "b": 42},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        hovermode="closest",
        font=FONT,
        xaxis=_axis("recall, of the relevant candidates"),
        yaxis=_axis("precision, of what is kept"),
    )
    return figure


def _apart(cuts: list[tuple[float, ThresholdPoint]]) -> list[tuple[float, ThresholdPoint]]:
    """Those that keep something and whose names have room beside the one before."""
    kept: list[tuple[float, ThresholdPoint]] = []
    for p, point in cuts:
        if point.kept and (not kept or point.recall - kept[-1][1].recall > 0.09):
            kept.append((p, point))
    return kept


def _curve(
    figure: go.Figure, curve: Curve, colour: str, dash: str, names: list[str], scale: str
) -> None:
    points = thinned(curve, POINTS)
    figure.add_scatter(
        x=[p.recall for p in points], y=[p.precision for p in points], mode="lines", cliponaxis=False,
        line={"color": colour, "width": 2.5, "dash": dash}, text=names,
        hovertemplate=f"{scale} %{{text}} or more: precision %{{y:.2f}}, recall %{{x:.2f}}<extra></extra>",
    )  # fmt: skip


def _here(figure: go.Figure, point: ThresholdPoint, colour: str, symbol: str, words: str) -> None:
    """A mark, named where a falling curve leaves room: the logit above and right, the cosine below and left."""
    x, y = point.recall, point.precision
    figure.add_scatter(
        x=[x], y=[y], mode="markers", hoverinfo="skip", cliponaxis=False,
        marker={"symbol": symbol, "size": 12, "color": colour},
    )  # fmt: skip
    late = x > 0.6
    ax, ay = (-10, 52 if y > 0.25 else 30) if symbol == "diamond" else (-28 if late else 28, -58)
    figure.add_annotation(
        x=x, y=y, text=words, ax=ax, ay=ay, xanchor="right" if late else "left",
        arrowhead=0, arrowcolor=WAIT, standoff=7,
    )  # fmt: skip


def _axis(title: str) -> dict[str, object]:
    return {
        "title": {"text": title, "standoff": 6, "font": {"size": 13}},
        "range": [-0.02, 1.04],
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "fixedrange": True,
        "gridcolor": GRID,
        "zeroline": False,
    }
