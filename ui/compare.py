"""The components of a comparison: two lists with the prediction between them, and what the reveal says below.

Explore has one, Your own another: `part` begins the ids of its elements. Left out: what is asked and of which corpus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from rerank_core import limits
from ui import figures, views
from ui.predictions import NO, SAME, SHUFFLED, YES
from ui.rows import SHOWN
from ui.templates import render

PREDICTION = ("will_change", "sure", "leader", "new_in_top3", "middle")


def lists(
    named: dict[str, Any],
    first_words: str,
    part: str = "",
    more: Callable[[dict[str, Any], str], None] | None = None,
) -> None:
    """Both lists and the prediction; `first_words` stand where the first list will, `more` adds a list to the row."""
    with gr.Row(elem_id=f"{part}compare"):
        with gr.Column(elem_classes="side", min_width=300):
            named["before"] = gr.HTML(
                views.fault_list(first_words, is_fault=False, part=part), elem_id=f"{part}before"
            )
        with gr.Column(elem_id=f"{part}middle", min_width=240):
            _predict(named, part)
        with gr.Column(elem_classes="side", min_width=300):
            named["after"] = gr.HTML(views.waiting(0, part=part), elem_id=f"{part}after")
        if more:
            more(named, part)


def _predict(named: dict[str, Any], part: str) -> None:
    with gr.Column(elem_id=f"{part}predict") as predict:
        named["predict_head"] = gr.HTML(views.predict_head(""), elem_id=f"{part}predict-head")
        named["will_change"] = gr.Radio(
            [("yes", YES), ("no", NO)],
            label="Will the top result change?",
            elem_id=f"{part}will-change",
            interactive=True,
        )
        named["sure"] = gr.Slider(
            50,
            100,
            75,
            step=5,
            label="How sure, in percent?",
            elem_id=f"{part}sure",
            interactive=True,
            buttons=[],
        )
        named["leader"] = gr.Radio(
            [(str(r), r) for r in range(2, SHOWN + 1)] + [("below", 0)],
            label="If yes, which row will lead?",
            elem_id=f"{part}leader",
            interactive=True,
        )
        named["new_in_top3"] = gr.Radio(
            [(str(n), n) for n in range(4)],
            label="New in the top 3?",
            elem_id=f"{part}new-in-top3",
            interactive=True,
        )
        named["middle"] = gr.Radio(
            [("same order", SAME), ("shuffled", SHUFFLED)],
            label="Ranks 4 to 10?",
            elem_id=f"{part}middle-order",
            interactive=True,
        )
        named["commit"] = gr.Button(
            "Commit and rerank", variant="primary", elem_id=f"{part}commit", interactive=False
        )
        named["just_show"] = gr.Button(
            "Just show me", elem_id=f"{part}just-show", interactive=False, size="sm"
        )
    named["predict"] = predict
    named["lines"] = gr.HTML(views.lines(), elem_id=f"{part}lines", visible=False)


def costs(named: dict[str, Any], part: str = "") -> None:
    """What each stage cost, as bars and as a table."""
    gr.HTML(render("costs_head"), elem_id=f"{part}costs-head")
    with gr.Row(elem_id=f"{part}cost-row"):
        with gr.Column(min_width=320):
            named["bars"] = gr.Plot(
                figures.latency_bars([]), show_label=False, container=False, elem_id=f"{part}bars"
            )
        with gr.Column(min_width=320):
            named["costs"] = gr.HTML("", elem_id=f"{part}costs")


def n_and_k(named: dict[str, Any], part: str = "") -> None:
    """The two sliders, in the row that the caller has begun."""
    named["retrieve_k"] = gr.Slider(
        limits.RETRIEVE_K_MIN,
        limits.RETRIEVE_K_MAX,
        limits.RETRIEVE_K_DEFAULT,
        step=1,
        label="N, the shortlist",
        info="pairs that get read",
        buttons=[],
        elem_id=f"{part}retrieve-k",
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
        elem_id=f"{part}top-k",
        interactive=True,
        scale=1,
    )
