"""Scores, one of the page's tabs: three rulers for one query, and what a threshold keeps over the board's queries.

Builds components and wires them to `scores_handlers.Scores`; opens on the query and N of Explore, and computes when
its tab is chosen, not before.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui import scores_views as views
from ui.depth import evidence_event, evidence_plot
from ui.depth_views import caption
from ui.parts import Parts
from ui.pools import Pools
from ui.scores_handlers import Scores, ScoresView
from ui.service import Service
from ui.stored import StoredBoard


def build_scores(
    service: Service,
    explore: Parts,
    tab: gr.Tab,
    pools: Pools | None = None,
    stored: StoredBoard | None = None,
) -> None:
    """Everything on Scores. `pools` and `stored` may be shared with other tabs."""
    handlers = Scores(pools or Pools(service), stored or StoredBoard(service))
    named: dict[str, Any] = {"head": gr.HTML(views.head("", "idle"), elem_id="scores-head")}
    with gr.Row(elem_id="scores-run"):
        named["score"] = gr.Button(
            "Score the candidates", elem_id="scores-score", visible=False, size="sm", scale=0
        )
        named["stop"] = gr.Button("Stop", elem_id="scores-stop", visible=False, size="sm", scale=0)
    named["rulers"] = gr.HTML("", elem_id="rulers")
    named["why"] = gr.HTML("", elem_id="scores-why")
    gr.HTML(
        caption(
            "A threshold over many queries", "Keep what scores at least so much: what comes of it?"
        ),
        elem_id="scores-caption",
    )
    named["no_board"] = gr.HTML("", elem_id="scores-no-board")
    with gr.Column(elem_id="scores-explorer", visible=False) as explorer:
        with gr.Row(elem_id="scores-controls"):
            named["threshold"] = gr.Slider(
                -10, 10, 0, step=0.1, label="Keep pairs with a logit of at least", buttons=[],
                elem_id="scores-threshold", interactive=True,
            )  # fmt: skip
        with gr.Row(elem_classes="pair"):
            with gr.Column(min_width=320):
                named["plot"] = evidence_plot("scores-plot")
            with gr.Column(min_width=320):
                named["cut"] = gr.HTML("", elem_id="scores-cut")
        named["table"] = gr.HTML("", elem_id="scores-table")
    named["explorer"] = explorer
    _wire(named, handlers, explore, tab)


def _wire(named: dict[str, Any], handlers: Scores, explore: Parts, tab: gr.Tab) -> None:
    outputs = [named[name] for name in ScoresView._fields]
    asked = explore.of(("query", "retrieve_k"))
    query, n = asked
    runs = [
        evidence_event(tab.select, handlers.open, asked, outputs),
        evidence_event(named["score"].click, handlers.open, asked, outputs),
    ]
    evidence_event(
        named["threshold"].input, handlers.cut, [n, named["threshold"]], outputs, latest=True
    )
    evidence_event(named["stop"].click, handlers.stop, [query], outputs, cancels=runs)
    for name, event in (("scenario", "input"), ("query_choice", "input"), ("query", "submit")):
        getattr(explore.by_name[name], event)(None, cancels=runs, api_visibility="private")
