"""Explore, the page's main part: scenario and query, the first ranking, the prediction, the second ranking.

Builds components and wires them to `handlers.Explore`. Components are found by name: a View's fields are the
names in `Parts`, so that no list of outputs is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from rerank_core import limits
from ui import compare, results, third
from ui.compare import PREDICTION
from ui.handlers import Explore
from ui.model_choice import EMBEDDED
from ui.models import build_models, on_new_models
from ui.parts import Parts, on
from ui.view import View
from ui.words import option_label

QUERY = ("scenario", "query", "retrieve_k", "top_k")


def build_explore(handlers: Explore) -> Parts:
    """Everything on Explore, in the order in which a visitor meets it."""
    named: dict[str, Any] = {}
    _choose(named, handlers)
    section = build_models(handlers.models)
    named.update(section.by_name)
    named["ranked_models"] = gr.Textbox(EMBEDDED, visible=False)
    named["message"] = gr.HTML("", elem_id="message")
    compare.lists(named, "The first ranking appears here.", more=third.place)
    named["next_query"] = gr.Button("Next query", elem_id="next-query", visible=False, size="sm")
    _results(named)
    parts = Parts(named)
    revealing = _wire(parts, handlers)
    on_new_models(
        section,
        handlers.change_models,
        parts,
        (*QUERY, "models", "ranked_models"),
        View._fields,
        revealing,
    )
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
        compare.n_and_k(named)


def _results(named: dict[str, Any]) -> None:
    named["two"] = gr.HTML("", elem_id="two")
    named["verdict"] = gr.HTML("", elem_id="verdict")
    with gr.Row(elem_id="record-row"):
        named["record_words"] = gr.HTML(results.record([]), elem_id="record")
        named["clear_record"] = gr.Button(
            "Clear the record", elem_id="clear-record", visible=False, size="sm", scale=0
        )
    compare.costs(named)
    named["lesson"] = gr.HTML("", elem_id="lesson")
    named["trace"] = gr.HTML("", elem_id="trace")
    # The browser keeps the record; key and "secret" are fixed so that it outlives a restart (it is no secret).
    named["record"] = gr.BrowserState([], storage_key="rerank-record-1", secret="kept in the open")


def _wire(parts: Parts, handlers: Explore) -> list[Any]:
    """Join everything; the events that reveal, which others end, are returned."""
    named = parts.by_name
    revealing = [
        _on(
            named["commit"].click,
            handlers.commit,
            parts,
            (*QUERY, "ranked_query", *PREDICTION, "record", "models", "ranked_models"),
        ),
        _on(
            named["just_show"].click,
            handlers.just_show,
            parts,
            (*QUERY, "ranked_query", "record", "models", "ranked_models"),
        ),
    ]
    chosen = ("scenario", "retrieve_k", "top_k", "models")
    written = ("scenario", "query_choice", "retrieve_k", "top_k", "models")
    asked = (*QUERY, "models")
    _on(named["scenario"].input, handlers.choose_scenario, parts, chosen, cancels=revealing)
    _on(named["query_choice"].input, handlers.choose_query, parts, written, cancels=revealing)
    listed = ("query", "ranked_query")
    asking = _on(named["query"].submit, handlers.change, parts, asked, cancels=revealing)
    _on(asking.then, handlers.settled, parts, listed)
    _on(named["query"].input, handlers.typed, parts, listed, latest=True)
    for name in ("retrieve_k", "top_k"):
        _on(named[name].input, handlers.change, parts, asked, cancels=revealing, latest=True)
    _on(named["next_query"].click, handlers.next, parts, asked, cancels=revealing)
    _on(named["clear_record"].click, handlers.clear, parts, ())
    return revealing


def _on(
    event: Callable[..., Any],
    handler: Callable[..., Any],
    parts: Parts,
    inputs: Sequence[str],
    cancels: list[Any] | None = None,
    latest: bool = False,
) -> Any:
    """Outputs are always the View."""
    return on(event, handler, parts, inputs, View._fields, cancels, latest)
