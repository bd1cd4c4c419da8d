"""The lesson after the reveal, and a textbook's printed scores beside the live ones."""

from __future__ import annotations

from rerank_core.pipeline import Comparison
from rerank_core.scenarios import PrintedRow, Query, Scenario
from ui.templates import prose, render
from ui.words import cosine, logit


def lesson(scenario: Scenario, query: Query | None, comparison: Comparison) -> str:
    """The scenario's lesson, how it was written, and a textbook's printed scores beside the live ones."""
    printed = None
    if scenario.printed and query and scenario.printed.query == query.id:
        rows = [_printed_row(row, comparison) for row in scenario.printed.rows]
        printed = {
            "caption": "Three passages of a textbook's worked example",
            "rows": rows,
            "words": _printed_words(rows),
        }
    return render(
        "lesson",
        lesson=prose(scenario.lesson),
        author_note=scenario.author_note,
        chosen=query.chosen if query else None,
        printed=printed,
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


def _printed_words(rows: list[dict[str, str]]) -> str:
    def order(key: str) -> list[str]:
        ranked = [r for r in rows if r[key].isdigit()]
        return [r["text"] for r in sorted(ranked, key=lambda r: int(r[key]))]

    printed = [r["text"] for r in sorted(rows, key=lambda r: float(r["printed_bi"]), reverse=True)]
    live = order("before")
    if len(live) < len(rows):
        return "Not all three are among these candidates; raise N to compare them all."
    if live == printed:
        return "Live, the bi-encoder puts the three in the order that the chapter printed."
    return (
        f"The chapter's bi-encoder order is typed in: “{printed[0]}” first. Live, all-MiniLM-L6-v2 orders the three "
        f"as “{live[0]}”, “{live[1]}”, “{live[2]}”. The printed numbers illustrate; the live ones are measured."
    )
