"""Plotly figures of the board: means by slice before and after, and what skipping saves and loses.

Colours work in light and dark; the page's style sheet colours the text. Each stands beside a table of its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from rerank_core.evaluate import SliceRow
from rerank_core.skip import CrossValidated, SkipPoint
from ui.board_words import arrow, fraction, interval, signed
from ui.figures import BI, CROSS, WAIT
from ui.words import cosine, milliseconds, slice_words

SMALL = {"size": 13}
FONT = {"size": 13, "family": "Source Sans Pro, sans-serif"}
GRID = "rgba(128,128,128,.25)"
ROW, TOP, BOTTOM = 27, 30, 40


def lifts(rows: Sequence[SliceRow]) -> go.Figure:
    """One line a slice: a ring before, a dot after, joined; the lift in words at the right. All slices come first."""
    names = [_name(row) for row in rows]
    figure = go.Figure()
    for row, name in zip(rows, names, strict=True):
        colour = WAIT if abs(row.lift) < 0.005 else BI if row.lift > 0 else CROSS
        figure.add_scatter(
            x=[row.before, row.after], y=[name, name], mode="lines",
            line={"color": colour, "width": 3}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_annotation(
            x=1.015,
            xref="paper",
            y=name,
            text=f"{arrow(row.lift)} {signed(row.lift)}",
            showarrow=False,
            xanchor="left",
        )
    for label, values, symbol in (
        ("before", [r.before for r in rows], "circle-open"),
        ("after", [r.after for r in rows], "circle"),
    ):
        figure.add_scatter(
            x=values, y=names, mode="markers", name=label, cliponaxis=False,
            marker={"symbol": symbol, "size": 10, "color": WAIT, "line": {"width": 2, "color": WAIT}},
            customdata=[[fraction(r.before), fraction(r.after), interval(r.interval), r.n] for r in rows],
            hovertemplate="%{y}: %{customdata[0]} to %{customdata[1]}, interval of the lift %{customdata[2]}, "
            "n = %{customdata[3]}<extra></extra>",
        )  # fmt: skip
    return _frame(
        figure,
        height=TOP + BOTTOM + ROW * max(len(rows), 1),
        x={"range": [0, 1.02], "title": {"text": "mean nDCG@3: ring before, dot after", "standoff": 4, "font": SMALL},
           "tickvals": [0, 0.25, 0.5, 0.75, 1]},
        y={"autorange": "reversed", "ticksuffix": "  ", "showgrid": False},
        right=74,
        left=160,  # the longest slice's name; automargin measures before the page's font has come, and clips it
    )  # fmt: skip


def _name(row: SliceRow) -> str:
    return f"{'all slices' if row.slice == 'all' else slice_words(row.slice)}, {row.n}"


def skips(
    every: Sequence[SkipPoint], checked: Sequence[CrossValidated], here: SkipPoint | None
) -> go.Figure:
    """Milliseconds saved a query against lift lost: a line over all t, diamonds cross-validated, a dot at your t."""
    figure = go.Figure(
        go.Scatter(
            x=[p.ms_saved for p in every], y=[p.lift_lost for p in every], mode="lines",
            line={"color": WAIT, "width": 2}, cliponaxis=False,
            customdata=[[cosine(min(p.t, 1.0)), milliseconds(p.ms_saved)] for p in every],
            hovertemplate="t = %{customdata[0]}: %{customdata[1]} saved (estimated), lift lost %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_scatter(
        x=[c.point.ms_saved for c in checked], y=[c.point.lift_lost for c in checked],
        mode="markers+text", text=_shared(checked), textposition="top right", cliponaxis=False,
        marker={"symbol": "diamond-open", "size": 10, "color": CROSS, "line": {"width": 2}},
        customdata=[f"{100 * c.keep:.0f} %" for c in checked],
        hovertemplate="keep %{customdata}, cross-validated: %{x:.0f} ms saved, lift lost %{y:.3f}<extra></extra>",
    )  # fmt: skip
    if here is not None:
        figure.add_scatter(
            x=[here.ms_saved], y=[here.lift_lost], mode="markers",
            marker={"size": 12, "color": BI}, cliponaxis=False,
            hovertemplate="your t: %{x:.0f} ms saved, lift lost %{y:.3f}<extra></extra>",
        )  # fmt: skip
        figure.add_annotation(
            x=here.ms_saved, y=here.lift_lost, text=f"your t = {cosine(here.t)}", ax=34, ay=-48,
            xanchor="left", arrowhead=0, arrowcolor=WAIT, standoff=7,
        )  # fmt: skip
    return _frame(
        figure,
        height=330,
        x={"rangemode": "tozero", "title": {"text": "milliseconds saved a query, estimated",
                                          "standoff": 4, "font": SMALL}},
        y={"title": {"text": "lift lost, nDCG@3", "standoff": 6, "font": SMALL}, "zeroline": True,
           "zerolinecolor": GRID, "rangemode": "tozero"},
        right=90,
    )  # fmt: skip


def _shared(checked: Sequence[CrossValidated], ms: float = 40.0, lift: float = 0.002) -> list[str]:
    """A name for each diamond; of those nearer to one another than a name is wide, the last carries all names."""
    texts, together = [""] * len(checked), list[str]()
    for i, now in enumerate(checked):
        together.append(f"{100 * now.keep:.0f}")
        after = checked[i + 1].point if i + 1 < len(checked) else None
        near = after is not None and (
            abs(after.ms_saved - now.point.ms_saved) < ms
            and abs(after.lift_lost - now.point.lift_lost) < lift
        )
        if not near:
            texts[i], together = f"{', '.join(together)} %", []
    return texts


def _frame(
    figure: go.Figure,
    *,
    height: int,
    x: dict[str, Any],
    y: dict[str, Any],
    right: int,
    left: int = 62,
) -> go.Figure:
    still = {"fixedrange": True, "gridcolor": GRID, "zeroline": False}
    figure.update_layout(
        height=height,
        margin={"l": left, "r": right, "t": TOP, "b": BOTTOM},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        hovermode="closest",
        font=FONT,
        xaxis={**still, **x},
        yaxis={**still, **y},
    )
    return figure
