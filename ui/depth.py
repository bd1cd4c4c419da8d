"""Depth, one of the page's tabs: how many candidates are worth reading, from one scoring of the largest pool.

Builds components and wires them to `depth_handlers.Depth`; opens on the query, N and K of Explore, and computes when
its tab is chosen, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from rerank_core import limits
from rerank_core.depth import DEPTH_MAX
from ui import depth_figures as figures
from ui import depth_views as views
from ui.budget_slider import BUDGET_MS
from ui.depth_handlers import Depth, DepthView
from ui.depth_mean import LIBRARY, SLICE
from ui.latencies import DEPTHS
from ui.parts import Parts
from ui.pools import Pools
from ui.service import Service
from ui.stored import StoredBoard

MEASURE = f"Measure at N = {', '.join(map(str, DEPTHS))}"
CONTROLS = ("retrieve_k", "top_k", "budget", "over")


def build_depth(
    service: Service,
    explore: Parts,
    tab: gr.Tab,
    pools: Pools | None = None,
    stored: StoredBoard | None = None,
) -> None:
    """Everything on Depth. `pools` and `stored` may be shared with other tabs."""
    handlers = Depth(pools or Pools(service), stored or StoredBoard(service))
    named: dict[str, Any] = {"head": gr.HTML(views.head("", "idle"), elem_id="depth-head")}
    with gr.Row(elem_id="depth-run"):
        named["score"] = gr.Button(
            "Score the largest pool", elem_id="depth-score", visible=False, size="sm", scale=0
        )
        named["stop"] = gr.Button("Stop", elem_id="depth-stop", visible=False, size="sm", scale=0)
    with gr.Column(elem_id="depth", visible=False) as derived:
        _controls(named)
        _figures(named)
    named["derived"] = derived
    _wire(named, handlers, explore, tab)


def _controls(named: dict[str, Any]) -> None:
    with gr.Row(elem_id="depth-controls"):
        named["retrieve_k"] = gr.Slider(
            1, DEPTH_MAX, limits.RETRIEVE_K_DEFAULT, step=1, label="N, pairs that get read",
            buttons=[], elem_id="depth-n", interactive=True,
        )  # fmt: skip
        named["top_k"] = gr.Slider(
            limits.TOP_K_MIN, limits.TOP_K_MAX, limits.TOP_K_DEFAULT, step=1, label="K, handed on",
            buttons=[], elem_id="depth-k", interactive=True,
        )  # fmt: skip
        named["budget"] = gr.Slider(
            0, 2 * BUDGET_MS, BUDGET_MS, step=10, label="Latency budget, ms",
            buttons=[], elem_id="depth-budget", interactive=True,
        )  # fmt: skip
        named["over"] = gr.Radio(
            [("the library", LIBRARY), ("this query's slice", SLICE)],
            value=LIBRARY, label="Mean over", elem_id="depth-over", interactive=True,
        )  # fmt: skip


def _figures(named: dict[str, Any]) -> None:
    with gr.Row(elem_classes="pair"):
        with gr.Column(min_width=320):
            named["query_caption"] = gr.HTML("", elem_id="depth-query-caption")
            named["query_plot"] = evidence_plot("depth-query-plot")
        with gr.Column(min_width=320):
            named["mean_caption"] = gr.HTML("", elem_id="depth-mean-caption")
            named["mean_plot"] = evidence_plot("depth-mean-plot")
    named["at"] = gr.HTML("", elem_id="depth-at")
    named["ghosts"] = gr.HTML("", elem_id="depth-ghosts")
    with gr.Row(elem_classes="pair"):
        with gr.Column(min_width=320):
            gr.HTML(
                views.caption("What depth costs", "One query on this machine, by its own clock.")
            )
            named["latency_plot"] = evidence_plot("depth-latency-plot")
            with gr.Row(elem_id="depth-measure-row"):
                named["measure"] = gr.Button(
                    MEASURE, elem_id="depth-measure", size="sm", scale=0, min_width=220
                )
                named["measure_stop"] = gr.Button(
                    "Stop measuring",
                    elem_id="depth-measure-stop",
                    visible=False,
                    size="sm",
                    scale=0,
                )
            named["measuring"] = gr.HTML("", elem_id="depth-measuring")
        with gr.Column(min_width=320):
            named["latency_words"] = gr.HTML("", elem_id="depth-latency-words")
    named["table"] = gr.HTML("", elem_id="depth-table")


def evidence_plot(elem_id: str) -> gr.Plot:
    """A plot that is mounted empty: a figure given later is drawn at once."""
    return gr.Plot(
        figures.blank("not scored yet"), show_label=False, container=False, elem_id=elem_id,
        elem_classes="evidence-plot",
    )  # fmt: skip


def _wire(named: dict[str, Any], handlers: Depth, explore: Parts, tab: gr.Tab) -> None:
    outputs = [named[name] for name in DepthView._fields]
    query = explore.of(("query",))
    controls = [named[name] for name in CONTROLS]
    asked = [*query, *explore.of(("retrieve_k", "top_k")), named["over"]]
    again = [*query, named["retrieve_k"], named["top_k"], named["over"]]
    runs = [
        evidence_event(tab.select, handlers.open, asked, outputs),
        evidence_event(named["score"].click, handlers.open, again, outputs),
    ]
    for name in ("retrieve_k", "budget"):
        evidence_event(named[name].input, handlers.move, [*query, *controls], outputs, latest=True)
    for name in ("top_k", "over"):
        evidence_event(named[name].input, handlers.turn, [*query, *controls], outputs, latest=True)
    timed = evidence_event(named["measure"].click, handlers.measure, [*query, *controls], outputs)
    evidence_event(
        named["measure_stop"].click, handlers.stop_measuring, [], outputs, cancels=[timed]
    )
    runs.append(timed)
    evidence_event(named["stop"].click, handlers.stop, query, outputs, cancels=runs)
    # Another query was chosen on Explore: the run of the old one is no longer wanted.
    for name, event in (("scenario", "input"), ("query_choice", "input"), ("query", "submit")):
        getattr(explore.by_name[name], event)(None, cancels=runs, api_visibility="private")


def evidence_event(
    event: Callable[..., Any],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    cancels: list[Any] | None = None,
    latest: bool = False,
) -> Any:
    """Join an event to a handler; with `latest`, of many events while one is handled only the last counts."""
    return event(
        handler,
        inputs=list(inputs),
        outputs=list(outputs),
        cancels=cancels,
        trigger_mode="always_last" if latest else "multiple",
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=limits.PAGE_CONCURRENCY,
        concurrency_id="page",
    )
