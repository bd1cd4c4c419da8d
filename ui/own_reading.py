"""How what was brought is read: kinds, columns, a fingerprint that tells it from something else, an opened scenario.

Left out: reading itself (own_passages.py) and the handlers (own_intake.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import gradio as gr

from rerank_core.records import Passage
from rerank_core.scenarios import Scenario
from ui.grades import marks_to
from ui.own_view import AS_OPENED, MUST_HOLD, OwnView

LINES, PARAGRAPHS, CSV, JSONL = "lines", "paragraphs", "csv", "jsonl"
COLUMNS_SHOWN = 100
"""Columns that can be chosen among: a table with more is not one of texts."""


def fingerprint_of(passages: Sequence[Passage]) -> str:
    """What tells one set of passages from another: a hash of ids and texts."""
    digest = hashlib.sha256()
    for passage in passages:
        digest.update(
            f"{len(passage.doc_id)} {len(passage.text)} {passage.doc_id}{passage.text}".encode()
        )
    return digest.hexdigest()


def opened(view: OwnView, scenario: Scenario) -> OwnView:
    """A scenario's own queries, marks and words."""
    first = scenario.queries[0].text
    return view._replace(
        query_choice=gr.update(
            choices=[q.text for q in scenario.queries], value=first, visible=True
        ),
        query=first,
        marks=marks_to({q.text: q.relevance for q in scenario.queries}),
        title=scenario.title,
        lesson=scenario.lesson,
        note=scenario.author_note,
        must_hold=gr.update(
            choices=[("what the zip says", AS_OPENED), *MUST_HOLD], value=AS_OPENED
        ),
    )


def column_of(columns: Sequence[str], chosen: str | None) -> str | None:
    """The column to read: the chosen one, else the one that is called text, else the only one there is."""
    if chosen in columns:
        return chosen
    if "text" in columns:
        return "text"
    return columns[0] if len(columns) == 1 else None


def chooser(columns: Sequence[str]) -> Any:
    """The choice among a csv's columns."""
    return gr.update(
        choices=list(columns[:COLUMNS_SHOWN]), value=column_of(columns, None), visible=True
    )
