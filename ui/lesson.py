"""The lesson after the reveal, and a textbook's printed scores beside the live ones."""

from __future__ import annotations

from collections.abc import Mapping

from rerank_core.pipeline import Comparison
from rerank_core.scenarios import Printed, PrintedRow, Query, Scenario
from ui.templates import prose, render
from ui.views import is_embedded, short
from ui.words import cosine, joined, logit


def lesson(scenario: Scenario, query: Query | None, comparison: Comparison) -> str:
    """The scenario's lesson, how it was written, and a textbook's printed scores beside the live ones."""
    printed = None
    if scenario.printed and query and scenario.printed.query == query.id:
        rows = [_printed_row(row, comparison) for row in scenario.printed.rows]
        printed = {
            "caption": "Three passages of a textbook's worked example",
            "rows": rows,
            "words": _printed_words(scenario.printed, comparison, query.relevance),
        }
    models = (comparison.retrieved.model, comparison.reranked.model)
    others = [short(model.name) for model in models if not is_embedded(model)]
    return render(
        "lesson",
        lesson=prose(scenario.lesson),
        author_note=scenario.author_note,
        chosen=query.chosen if query else None,
        printed=printed,
        others=f"The lesson was written for the embedded models; this run is of {joined(others)}."
        if others
        else "",
    )


def _printed_row(row: PrintedRow, comparison: Comparison) -> dict[str, str]:
    before = comparison.before.rank_of(row.doc_id)
    scored = comparison.before[before - 1] if before else None
    return {
        "text": scored.passage.text if scored else f"{row.doc_id}, not among these candidates",
        "printed_bi": cosine(row.bi_encoder)[:-1],
        "printed_cross": cosine(row.cross_encoder)[:-1],
        "cosine": cosine(scored.score) if scored else "–",
        "logit": logit(comparison.pair(row.doc_id).logit) if scored else "–",
        "before": str(before) if before else f"below {len(comparison.before)}",
        "after": str(comparison.after.rank_of(row.doc_id)) if before else "not reached",
    }


def _printed_words(printed: Printed, comparison: Comparison, relevance: Mapping[str, int]) -> str:
    """Where the live run differs from the printed example, said from the numbers of both."""
    before, after = comparison.before, comparison.after
    ids = [row.doc_id for row in printed.rows]
    if any(before.rank_of(i) is None for i in ids):
        return "Not all three are among these candidates; raise N to compare them all."
    text = {i: before[(before.rank_of(i) or 1) - 1].passage.text for i in ids}
    typed = [r.doc_id for r in sorted(printed.rows, key=lambda r: -r.bi_encoder)]
    typed_after = [r.doc_id for r in sorted(printed.rows, key=lambda r: -r.cross_encoder)]
    bi = short(comparison.retrieved.model.name)
    live = [i for i in before.doc_ids if i in ids]
    live_after = [i for i in after.doc_ids if i in ids]
    said = [
        f"The chapter's numbers are typed in: its bi-encoder puts “{text[typed[0]]}” first of the three."
    ]
    if live == typed:
        said.append(f"Live, {bi} gives the three the same order.")
    else:
        place = ("first", "second", "last")[live.index(typed[0])]
        said.append(f"Live, {bi} puts it {place} already.")
    best = before[(before.rank_of(live[0]) or 1) - 1]
    fooled = [r for r in before.top(best.rank - 1) if relevance.get(r.doc_id) == 0]
    if fooled:
        said.append(
            f"What fools it is a passage such as “{fooled[-1].passage.text}” ({cosine(fooled[-1].score)}), "
            f"above “{best.passage.text}” ({cosine(best.score)})."
        )
    same = "as the chapter's does" if live_after == typed_after else "not as the chapter's does"
    said.append(
        f"The live cross-encoder orders the three “{text[live_after[0]]}”, “{text[live_after[1]]}”, "
        f"“{text[live_after[2]]}”, {same}."
    )
    return " ".join(said)
