"""Fool it, one of the page's tabs: write a passage that beats the right one; guess which pairings change their order.

Builds components and wires them to `fool_handlers.Fool` and `fool_three.Three`; opens on Explore's query. The page's
script (assets/fool.js) says when the typing rests, for Gradio has no event for that and none for pasting.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from rerank_core import limits
from rerank_core.fooled import KINDS
from ui import fool_three_views
from ui import fool_views as views
from ui.fool_handlers import Fool
from ui.fool_keep import FoolKeep
from ui.fool_reading import Referee
from ui.fool_three import GUESSES, NAMES, Three, ThreeView
from ui.fool_view import FoolView
from ui.fool_words import KIND_WORDS
from ui.parts import Parts, on
from ui.service import Service

TEXTS = ("query", "right", "mine")
HIDDEN = ("ask", "halt", "removed")
"""Boxes that the page's script writes: typing rests, typing goes on, an entry is to go."""


def build_fool(
    service: Service, explore: Parts, tab: gr.Tab, referee: Referee | None = None
) -> Parts:
    """Everything on Fool it; nothing is scored before `tab` is selected."""
    referee = referee or Referee(service)
    from_explore = {"explore_query": explore.by_name["query"]}
    with gr.Column(elem_id="fool"):
        parts = Parts(_duel() | from_explore)
        three = Parts(_exercise() | from_explore)
    _wire_duel(parts, Fool(referee), tab)
    _wire_keep(parts, FoolKeep(referee), tab)
    _wire_three(three, Three(referee), tab)
    return parts


def _duel() -> dict[str, Any]:
    named: dict[str, Any] = {}
    gr.HTML(views.head(), elem_id="fool-head")
    with gr.Row(elem_id="fool-row"):
        with gr.Column(min_width=300, scale=3):
            _texts(named)
        with gr.Column(min_width=300, scale=2):
            named["live"] = gr.HTML(views.live("0"), elem_id="fool-live")
        with gr.Column(min_width=300, scale=3):
            _tag_and_keep(named)
    named["kept_list"] = gr.HTML(views.kept((), ""), elem_id="fool-kept")
    # The browser keeps it; key and "secret" are fixed so that it outlives a restart (it is no secret).
    named["kept"] = gr.BrowserState([], storage_key="rerank-fooled-1", secret="kept in the open")
    named["asked"] = gr.Textbox("", visible=False, elem_id="fool-asked")
    for name in HIDDEN:  # "hidden": in the page, for its script
        named[name] = gr.Textbox("0", visible="hidden", elem_id=f"fool-{name}", interactive=True)
    return named


def _texts(named: dict[str, Any]) -> None:
    named["query"] = gr.Textbox(
        "", label="Query", info="the library's, or one of your own", lines=1, max_lines=1,
        max_length=limits.QUERY_MAX_CHARS, elem_id="fool-query", interactive=True,
    )  # fmt: skip
    with gr.Row(elem_classes="fool-buttons"):
        named["take"] = gr.Button(
            "Start from Explore's query", size="sm", scale=0, elem_id="fool-take"
        )
        named["next_query"] = gr.Button(
            "Next query of the library", size="sm", scale=0, elem_id="fool-next"
        )
    named["right"] = gr.Textbox(
        "", label="The right passage", info="the one to beat", lines=3, max_lines=6,
        max_length=limits.OWN_CHARS, elem_id="fool-right", interactive=True,
    )  # fmt: skip
    with gr.Row(elem_classes="fool-buttons"):
        named["says"] = gr.HTML("", elem_id="fool-says")
        named["another"] = gr.Button(
            "Another right passage", size="sm", scale=0, visible=False, elem_id="fool-another"
        )
    named["mine"] = gr.Textbox(
        "", label="Yours", info="wrong, and scored higher", lines=4, max_lines=8,
        max_length=limits.OWN_CHARS, elem_id="fool-mine", interactive=True,
    )  # fmt: skip


def _tag_and_keep(named: dict[str, Any]) -> None:
    named["kind"] = gr.Radio(
        [(KIND_WORDS[kind], kind) for kind in KINDS],
        label="What is wrong with yours?",
        elem_id="fool-kind",
        interactive=True,
    )
    gr.HTML(views.kinds(), elem_id="fool-kinds")
    with gr.Row(elem_classes="fool-buttons"):
        named["keep"] = gr.Button("Keep it", variant="primary", scale=0, elem_id="fool-keep")
        named["message"] = gr.HTML("", elem_id="fool-message")


def _exercise() -> dict[str, Any]:
    named: dict[str, Any] = {}
    gr.HTML(fool_three_views.head(), elem_id="three-head")
    named["query"] = gr.Textbox(
        "", label="Query", lines=1, max_lines=1, max_length=limits.QUERY_MAX_CHARS,
        elem_id="three-query", interactive=True,
    )  # fmt: skip
    with gr.Row(elem_id="three-texts"):
        for name in NAMES:
            named[name] = gr.Textbox(
                "", label=f"Passage {name}", lines=3, max_lines=6, max_length=limits.OWN_CHARS,
                elem_id=f"three-{name.lower()}", interactive=True, min_width=240,
            )  # fmt: skip
    with gr.Row(elem_id="three-guess-row"):
        named["guess"] = gr.CheckboxGroup(
            [(said, value) for value, said in GUESSES],
            label="Guess first: whose order will change?", elem_id="three-guess", interactive=True,
        )  # fmt: skip
        named["sure"] = gr.Slider(
            50, 100, 75, step=5, label="How sure of each answer, in percent?", buttons=[],
            elem_id="three-sure", interactive=True,
        )  # fmt: skip
    with gr.Row(elem_classes="fool-buttons"):
        named["commit"] = gr.Button(
            "Commit and read", variant="primary", scale=0, elem_id="three-commit"
        )
        named["message"] = gr.HTML("", elem_id="three-message")
    named["answer"] = gr.HTML("", elem_id="three-answer")
    named["asked"] = gr.Textbox("", visible=False, elem_id="three-asked")
    return named


def _wire_duel(parts: Parts, handlers: Fool, tab: gr.Tab) -> None:
    named = parts.by_name
    reading = (*TEXTS, "ask")
    live = on(named["ask"].input, handlers.live, parts, reading, FoolView._fields, latest=True)
    on(named["halt"].input, None, parts, (), (), cancels=[live])
    starts = (
        (tab.select, handlers.open, ("asked", "mine", "explore_query")),
        (named["take"].click, handlers.take, ("explore_query",)),
        (named["next_query"].click, handlers.next_query, ("query",)),
        (named["another"].click, handlers.another, ("query", "right")),
    )
    for event, handler, inputs in starts:
        started = on(event, handler, parts, inputs, FoolView._fields, cancels=[live])
        on(started.success, handlers.live, parts, reading, FoolView._fields)


def _wire_keep(parts: Parts, handlers: FoolKeep, tab: gr.Tab) -> None:
    named, fields = parts.by_name, FoolView._fields
    on(tab.select, handlers.show, parts, ("kept",), fields)
    on(named["keep"].click, handlers.keep, parts, (*TEXTS, "kind", "kept"), fields)
    on(named["removed"].input, handlers.remove, parts, ("removed", "kept"), fields)


def _wire_three(parts: Parts, handlers: Three, tab: gr.Tab) -> None:
    fields, texts = ThreeView._fields, NAMES
    on(tab.select, handlers.open, parts, ("asked", *texts, "explore_query"), fields)
    on(
        parts.by_name["commit"].click, handlers.commit, parts,
        ("query", *texts, "guess", "sure"), fields,
    )  # fmt: skip
