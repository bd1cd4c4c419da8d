"""The components of Your own that no other tab has: what is brought, asked, judged and taken away.

Left out: their wiring (own.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from rerank_core import limits
from ui import compare, own_views, set_views
from ui.own_reading import CSV, JSONL, LINES, PARAGRAPHS
from ui.own_view import MUST_HOLD, NOW, PART

SCRIPT = Path(__file__).parent / "assets" / "own_download.js"


def intake(named: dict[str, Any]) -> None:
    """Box, file, how they are read, and the buttons."""
    with gr.Row(elem_id="own-intake"):
        with gr.Column(min_width=300, scale=2):
            named["box"] = gr.Textbox(
                label="Paste passages",
                info=f"up to {limits.OWN_PASSAGES:,} of {limits.OWN_CHARS:,} characters each",
                lines=8,
                max_lines=8,
                elem_id="own-box",
                interactive=True,
            )
        with gr.Column(min_width=240, scale=1):
            named["file"] = gr.File(
                label="or upload a file: .txt, .csv, .jsonl, or a scenario's .zip",
                height=120,
                elem_id="own-file",
                interactive=True,
            )
            named["kind"] = gr.Radio(
                [
                    ("a passage a line", LINES),
                    ("blank lines between", PARAGRAPHS),
                    ("CSV", CSV),
                    ("JSON lines", JSONL),
                ],
                value=LINES,
                label="The text is",
                elem_id="own-kind",
                interactive=True,
            )
            named["column"] = gr.Dropdown(
                [],
                label="Column with the texts",
                info="doc_id, title, date and source are read besides; other columns are left out",
                visible=False,
                allow_custom_value=True,  # a name that is not there gets our sentence, not Gradio's
                elem_id="own-column",
                interactive=True,
            )
    with gr.Row(elem_id="own-run"):
        named["encode"] = gr.Button(
            "Encode these passages", variant="primary", elem_id="own-encode", scale=0
        )
        named["split"] = gr.Button(
            "Split the long ones at sentences, and encode", elem_id="own-split", visible=False, size="sm", scale=0
        )  # fmt: skip
        named["stop"] = gr.Button("Stop", elem_id="own-stop", visible=False, size="sm", scale=0)
        named["forget"] = gr.Button(
            "Forget my passages now", elem_id="own-forget", visible=False, size="sm", scale=0
        )
    named["status"] = gr.HTML(
        own_views.status("Nothing of yours is here yet."), elem_id="own-status"
    )
    for name in ("draft", "token", "fingerprint"):  # "hidden": in the page, for its script
        named[name] = gr.Textbox("", visible="hidden", elem_id=f"own-{name}", interactive=True)


def asking(named: dict[str, Any]) -> None:
    """Query, N and K; an opened scenario's queries above them."""
    named["query_choice"] = gr.Radio(
        [], label="Queries in it", visible=False, elem_id="own-query-choice", interactive=True
    )
    with gr.Row(elem_id="own-ask"):
        named["query"] = gr.Textbox(
            "",
            label="Query",
            info="press Enter to rank",
            lines=1,
            max_lines=1,
            max_length=limits.QUERY_MAX_CHARS,
            elem_id="own-query",
            interactive=True,
            scale=3,
        )
        # Which query the lists are of: a prediction and a mark are about the list that is shown.
        named["ranked_query"] = gr.Textbox("", visible=False, elem_id="own-ranked-query")
        compare.n_and_k(named, PART)
    named["rank"] = gr.Button("Rank", elem_id="own-rank", size="sm")
    named["message"] = gr.HTML("", elem_id="own-message")


def judging(named: dict[str, Any]) -> None:
    """The walk through both tops; the marks themselves, which the page's script writes."""
    named["judge"] = gr.Button(
        "Judge the top 10 of both", elem_id="own-judge", visible=False, size="sm"
    )
    named["judging"] = gr.HTML("", elem_id="own-judging")
    named["marks"] = gr.Textbox("{}", visible="hidden", elem_id="own-marks", interactive=True)


def taking(named: dict[str, Any], zip_of: Callable[[str], dict[str, str]]) -> None:
    """Words about a scenario, the check, and the zip."""
    gr.HTML(own_views.take_head(), elem_id="own-take-head")
    with gr.Row(elem_id="own-words"):
        with gr.Column(min_width=300):
            named["title"] = gr.Textbox(
                label="Title",
                max_length=limits.OWN_TITLE_CHARS,
                elem_id="own-title-box",
                interactive=True,
            )
            named["lesson"] = gr.Textbox(
                label="Lesson", info="what one learns from it; Markdown", lines=3, max_lines=8,
                max_length=limits.OWN_WORDS_CHARS, elem_id="own-lesson", interactive=True,
            )  # fmt: skip
        with gr.Column(min_width=300):
            named["note"] = gr.Textbox(
                label="How it was made", info="who wrote the queries, and whether before a model ran",
                lines=3, max_lines=8, max_length=limits.OWN_WORDS_CHARS, elem_id="own-note", interactive=True,
            )  # fmt: skip
            named["must_hold"] = gr.Radio(
                list(MUST_HOLD),
                value=NOW,
                label="What must hold",
                elem_id="own-must-hold",
                interactive=True,
            )
    named["check"] = gr.Button("Check it, then download", elem_id="own-check", size="sm")
    named["report"] = gr.HTML("", elem_id="own-report")

    def zip(token: str) -> dict[str, str]:  # a plain function: Gradio marks it with an attribute
        return zip_of(token)

    # The zip goes to the browser by a call of its own: as a component's value Gradio would keep it for the session.
    named["download"] = gr.HTML(
        "",
        elem_id="own-download",
        js_on_load=SCRIPT.read_text(encoding="utf-8"),
        server_functions=[zip],
    )


def whole_set(named: dict[str, Any]) -> None:
    """A report of many queries, made on the command line."""
    gr.HTML(set_views.head(), elem_id="own-set-head")
    named["set_file"] = gr.File(
        label="Open a report (report.json)",
        file_types=[".json"],
        elem_id="own-set-file",
        height=120,
        interactive=True,
    )
    named["set_report"] = gr.HTML("", elem_id="own-set-report")
