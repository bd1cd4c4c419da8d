"""Explore, the page's main part: scenario and query, the first ranking, the prediction, the second ranking.

Builds components and wires them to `handlers.Explore`. Components are found by name: a View's fields are the
attributes of `Parts`, so that no list of outputs is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rerank_core import limits
from ui import figures, results, views
from ui.handlers import Explore
from ui.predictions import NO, SAME, SHUFFLED, YES
from ui.templates import render
from ui.view import View
from ui.words import option_label

QUERY = ("scenario", "query", "retrieve_k", "top_k")
PREDICTION = ("will_change", "sure", "leader", "new_in_top3", "middle")


@dataclass(frozen=True)
class Parts:
    """The components of Explore, by name."""

    by_name: dict[str, Any]

    def of(self, names: Sequence[str]) -> list[Any]:
        return [self.by_name[name] for name in names]

    @property
    def view(self) -> list[Any]:
        return self.of(View._fields)


def build_explore(handlers: Explore) -> Parts:
    """Everything on Explore, in the order in which a visitor meets it."""
    named: dict[str, Any] = {}
    _choose(named, handlers)
    with gr.Row(elem_id="compare"):
        with gr.Column(elem_classes="side", min_width=300):
            named["before"] = gr.HTML(
                views.fault_list("The first ranking appears here.", is_fault=False),
                elem_id="before",
            )
        with gr.Column(elem_id="middle", min_width=240):
            _predict(named)
        with gr.Column(elem_classes="side", min_width=300):
            named["after"] = gr.HTML(views.waiting(0), elem_id="after")
    named["next_query"] = gr.Button("Next query", elem_id="next-query", visible=False, size="sm")
    _results(named)
    parts = Parts(named)
    _wire(parts, handlers)
    return parts


def _choose(named: dict[str, Any], handlers: Explore) -> None:
    scenarios = handlers.service.scenarios
    first = scenarios[0]
    named["scenario"] = gr.Radio(
        [(option_label(s.title, s.slice), s.id) for s in scenarios],
        value=first.id,
        label="Scenario",
        elem_id="scenario",
        interactive=True,
    )
    named["query_choice"] = gr.Radio(
        [(q.text, q.id) for q in first.queries],
        value=first.queries[0].id,
        label="Queries written for it",
        elem_id="query-choice",
        interactive=True,
    )
    with gr.Row(elem_id="ask"):
        named["query"] = gr.Textbox(
            first.queries[0].text,
            label="Query",
            info="edit it and press Enter; one of your own has no judgements, so no lift",
            lines=1,
            max_lines=1,
            max_length=limits.QUERY_MAX_CHARS,
            elem_id="query",
            interactive=True,
            scale=3,
        )
        # Which query the first list is of: a prediction must be about the list that is shown.
        named["ranked_query"] = gr.Textbox(first.queries[0].text, visible=False)
        named["retrieve_k"] = gr.Slider(
            limits.RETRIEVE_K_MIN,
            limits.RETRIEVE_K_MAX,
            limits.RETRIEVE_K_DEFAULT,
            step=1,
            label="N, the shortlist",
            info="pairs that get read",
            buttons=[],
            elem_id="retrieve-k",
            interactive=True,
            scale=1,
        )
        named["top_k"] = gr.Slider(
            limits.TOP_K_MIN,
            limits.TOP_K_MAX,
            limits.TOP_K_DEFAULT,
            step=1,
            label="K, handed on",
            info="rows a reader sees",
            buttons=[],
            elem_id="top-k",
            interactive=True,
            scale=1,
        )
    named["message"] = gr.HTML("", elem_id="message")


def _predict(named: dict[str, Any]) -> None:
    with gr.Column(elem_id="predict") as predict:
        named["predict_head"] = gr.HTML(views.predict_head(""), elem_id="predict-head")
        named["will_change"] = gr.Radio(
            [("yes", YES), ("no", NO)],
            label="Will the top result change?",
            elem_id="will-change",
            interactive=True,
        )
        named["sure"] = gr.Slider(
            50,
            100,
            75,
            step=5,
            label="How sure, in percent?",
            elem_id="sure",
            interactive=True,
            buttons=[],
        )
        named["leader"] = gr.Radio(
            [(str(r), r) for r in range(2, views.SHOWN + 1)] + [("below", 0)],
            label="If yes, which row will lead?",
            elem_id="leader",
            interactive=True,
        )
        named["new_in_top3"] = gr.Radio(
            [(str(n), n) for n in range(4)],
            label="New in the top 3?",
            elem_id="new-in-top3",
            interactive=True,
        )
        named["middle"] = gr.Radio(
            [("same order", SAME), ("shuffled", SHUFFLED)],
            label="Ranks 4 to 10?",
            elem_id="middle-order",
            interactive=True,
        )
        named["commit"] = gr.Button(
            "Commit and rerank", variant="primary", elem_id="commit", interactive=False
        )
        named["just_show"] = gr.Button(
            "Just show me", elem_id="just-show", interactive=False, size="sm"
        )
    named["predict"] = predict
    named["lines"] = gr.HTML(views.lines(), elem_id="lines", visible=False)


def _results(named: dict[str, Any]) -> None:
    named["verdict"] = gr.HTML("", elem_id="verdict")
    with gr.Row(elem_id="record-row"):
        named["record_words"] = gr.HTML(results.record([]), elem_id="record")
        named["clear_record"] = gr.Button(
            "Clear the record", elem_id="clear-record", visible=False, size="sm", scale=0
        )
    gr.HTML(render("costs_head"), elem_id="costs-head")
    with gr.Row(elem_id="cost-row"):
        with gr.Column(min_width=320):
            named["bars"] = gr.Plot(
                figures.latency_bars([]), show_label=False, container=False, elem_id="bars"
            )
        with gr.Column(min_width=320):
            named["costs"] = gr.HTML("", elem_id="costs")
    named["lesson"] = gr.HTML("", elem_id="lesson")
    named["trace"] = gr.HTML("", elem_id="trace")
    # The browser keeps the record; key and "secret" are fixed so that it outlives a restart (it is no secret).
    named["record"] = gr.BrowserState([], storage_key="rerank-record-1", secret="kept in the open")


def _wire(parts: Parts, handlers: Explore) -> None:
    named = parts.by_name
    revealing = [
        _on(
            named["commit"].click,
            handlers.commit,
            parts,
            (*QUERY, "ranked_query", *PREDICTION, "record"),
        ),
        _on(
            named["just_show"].click, handlers.just_show, parts, (*QUERY, "ranked_query", "record")
        ),
    ]
    chosen = ("scenario", "retrieve_k", "top_k")
    written = ("scenario", "query_choice", "retrieve_k", "top_k")
    _on(named["scenario"].input, handlers.choose_scenario, parts, chosen, cancels=revealing)
    _on(named["query_choice"].input, handlers.choose_query, parts, written, cancels=revealing)
    _on(named["query"].submit, handlers.change, parts, QUERY, cancels=revealing)
    _on(named["query"].input, handlers.typed, parts, (), latest=True)
    for name in ("retrieve_k", "top_k"):
        _on(named[name].input, handlers.change, parts, QUERY, cancels=revealing, latest=True)
    _on(named["next_query"].click, handlers.next, parts, QUERY, cancels=revealing)
    _on(named["clear_record"].click, handlers.clear, parts, ())


def _on(
    event: Callable[..., Any],
    handler: Callable[..., Any],
    parts: Parts,
    inputs: Sequence[str],
    cancels: list[Any] | None = None,
    latest: bool = False,
) -> Any:
    """Join an event to a handler by the names of its inputs; outputs are always the View."""
    return event(
        handler,
        inputs=parts.of(inputs),
        outputs=parts.view,
        cancels=cancels,
        trigger_mode="always_last" if latest else None,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=limits.PAGE_CONCURRENCY,
        concurrency_id="page",
    )
