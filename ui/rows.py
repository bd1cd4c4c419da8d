"""One row of a ranking, as its template takes it; and what the grades of relevance look like.

Records in, plain values out; nothing here is markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rerank_core.pipeline import Comparison
from rerank_core.records import Ranking, Scored
from ui.words import probability

SHOWN = 10
"""Rows of a ranking that are visible before "show all": what a person compares at a glance."""

MARKS = {
    3: ("answers", "●●●"),
    2: ("partly answers", "●●○"),
    1: ("topic only", "●○○"),
    0: ("not relevant", "○○○"),
}
UNJUDGED = ("unjudged", "· · ·")
CHOICES = (("", "unjudged"), *((str(grade), MARKS[grade][0]) for grade in sorted(MARKS)))
"""What a row may be marked with, and what that means: no mark, and 0 to 3."""


def row_of(
    row: Scored, score: str, words: str, top_k: int, n: int, relevance: Mapping[str, int] | None
) -> dict[str, Any]:
    """What the template shows of a row; `score` and `words` are its score on its own scale, and what that is."""
    grade = None if relevance is None else relevance.get(row.doc_id)
    mark, glyph = UNJUDGED if grade is None else MARKS[grade]
    passage = row.passage
    facts = [
        passage.doc_id,
        passage.title,
        passage.date,
        passage.source and f"source: {passage.source}",
    ]
    return {
        "doc_id": row.doc_id,
        "rank": row.rank,
        "text": passage.text,
        "score": score,
        "score_words": words,
        "beyond": row.rank > SHOWN,
        "last_handed_on": row.rank == top_k and top_k < n,
        "grade": "none" if grade is None else grade,
        "mark": "" if relevance is None else mark,
        "glyph": glyph,
        "meta": " · ".join(str(f) for f in facts if f),
        "move": "",
        "direction": "",
    }


def went(row: Scored, after: Ranking | None) -> dict[str, str]:
    """Where a row of the first list went in the second; nothing before there is one."""
    to = None if after is None else after.rank_of(row.doc_id)
    if to is None:
        return {}
    if to == row.rank:
        return {"move": "= stays", "direction": "same"}
    up = to < row.rank
    return {"move": f"{'▲' if up else '▼'} to {to}", "direction": "up" if up else "down"}


def came(row: Scored, before: Ranking) -> dict[str, str]:
    """Where a row of the second list stood in the first, in an arrow and in words."""
    place = before.rank_of(row.doc_id) or row.rank
    change = place - row.rank
    if change == 0:
        return {"move": f"= still {row.rank}", "direction": "same"}
    word = "up" if change > 0 else "down"
    arrow = "▲" if change > 0 else "▼"
    return {"move": f"{arrow} from {place}, {word} {abs(change)}", "direction": word}


def logit_words(comparison: Comparison, row: Scored) -> str:
    """What stands behind a logit: the probability where there is one, and what was read."""
    p = comparison.probability(row.doc_id)
    pair = comparison.pair(row.doc_id)
    cut = f", {pair.cut} cut" if pair.cut else ""
    estimated = "" if p is None else f", estimated probability of relevance {probability(p)}"
    return f"logit{estimated}; {pair.tokens} tokens read{cut}"
