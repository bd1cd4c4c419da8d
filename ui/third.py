"""The third list: a second cross-encoder over the same candidates, and the two side by side in figures.

Shown beside the second list where a visitor compares two; the prediction is about the first of them. Records in,
component name -> value out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from rerank_core.pipeline import Comparison
from rerank_core.records import Progress
from ui import views
from ui.compare_states import Fields
from ui.results import TOP, lift_words
from ui.templates import render
from ui.views import short
from ui.words import live_ms, milliseconds, plural

SIDE, TITLE = "third", "Rerank, second"


def place(named: dict[str, Any], part: str = "") -> None:
    """The column of the third list, in the row that the caller has begun; absent until two are compared."""
    with gr.Column(
        elem_id=f"{part}third-place", elem_classes="side", min_width=300, visible=False
    ) as column:
        named["third"] = gr.HTML("", elem_id=f"{part}third")
    named["third_place"] = column


def waiting(second: str, n: int, progress: Progress | None = None, part: str = "") -> Fields:
    """Before the second cross-encoder has read, or while it reads; `second` is its name, "" for none."""
    return {
        "third_place": gr.update(visible=bool(second)),
        "third": views.waiting(n, progress, part=part, side=SIDE, title=TITLE, model=second) if second else "",
        "two": "",
    }  # fmt: skip


def failed(sentence: str, part: str = "") -> Fields:
    """The second cross-encoder cannot be had: the other lists stand as they are."""
    return {"third": views.fault_list(sentence, part=part, side=SIDE, title=TITLE)}


def revealed(
    first: Comparison, second: Comparison, relevance: Mapping[str, int] | None, part: str = ""
) -> Fields:
    """The third list, and both cross-encoders in figures."""
    return {
        "third": views.ranking_after(
            second, relevance=relevance, part=part, side=SIDE, title=TITLE
        ),
        "two": two(first, second, relevance),
    }


def two(first: Comparison, second: Comparison, relevance: Mapping[str, int] | None) -> str:
    """Both cross-encoders in one table, and how far they agree."""
    return render(
        "two",
        rows=[_row(c, relevance) for c in (first, second)],
        lifts=relevance is not None,
        agreement=agreement(first, second),
    )


def agreement(first: Comparison, second: Comparison) -> str:
    """How far two orders of the same candidates agree, in words."""
    if not len(first.after):
        return ""
    same_first = first.after[0].doc_id == second.after[0].doc_id
    depth = min(10, len(first.after))
    shared = len(set(first.after.doc_ids[:depth]) & set(second.after.doc_ids[:depth]))
    return (
        f"Both put {'the same passage' if same_first else 'different passages'} first; of the first {depth} of either "
        f"list, {shared} are in both. Their logits are on scales of their own: compare ranks, not scores."
    )


def _row(comparison: Comparison, relevance: Mapping[str, int] | None) -> dict[str, str]:
    lift = None if relevance is None else comparison.lift_at(TOP, relevance)
    timing = comparison.timings[-1]
    return {
        "name": short(comparison.reranked.model.name),
        "lift": lift_words(lift)["sign"] if lift else "–",
        "relevant": f"{lift.relevant_before} → {lift.relevant_after}" if lift else "–",
        "read": f"{plural(timing.pairs, 'pair')}, {plural(timing.tokens, 'token')}",
        "time": milliseconds(live_ms(timing))
        + (" (cached: what it took live)" if timing.cached else ""),
    }
