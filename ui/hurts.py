"""Where it hurts: every loss with both lists, its failure kind, and what to inspect first. Records -> escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rerank_core.evaluate import QueryResult
from rerank_core.failure_notes import FailureNote
from rerank_core.failures import Loss, losses
from rerank_core.metrics import RELEVANT
from ui.board_views import Texts, href
from ui.board_words import fraction, signed
from ui.links import Link
from ui.rows import MARKS, UNJUDGED
from ui.templates import render
from ui.words import slice_words

ROWS = 5
"""Rows of either list that a loss shows."""

FIRST = 8
"""Losses that are open to view; the smaller ones are one click away."""

INSPECT = {
    "candidate": (
        "by rule: the best passage was not among the N",
        "the first stage: at which rank the passage stands, whether another N or wording reaches it. "
        "No reranker can.",
    ),
    "scoring": (
        "by rule: it was among the N, and was ranked lower",
        "the pair: both texts side by side, the logit against the one that was put above it, and whether its end "
        "was cut off.",
    ),
    "intent": (
        "by hand",
        "the judgements: what somebody who types this wants, and whether the grades say so.",
    ),
    "calibration": (
        "by hand",
        "the threshold: the order may be right where a cut-off is wrong. Look at the probability against grades.",
    ),
    "freshness": (
        "by hand",
        "the dates: whether a newer passage is in the library, and whether its text says that it is newer.",
    ),
    "feedback": (
        "seen in a log, see the simulated one below",
        "how the judgements came about: clicks tell what was shown first, too.",
    ),
    "debugging": (
        "when nobody can tell",
        "the trace: open the query with its result, take every score away as a file, and compute it again with "
        "“python -m rerank_core check”.",
    ),
}
"""Failure kind -> how it is told, what to inspect first."""


def hurts(
    results: Sequence[QueryResult],
    relevance: Mapping[str, Mapping[str, int]],
    notes: Mapping[str, FailureNote],
    texts: Texts,
    passages: Mapping[str, str],
    link: Link,
) -> str:
    """Kinds with their counts, then every loss, the largest first. `relevance` is query id -> grades, `passages`
    doc_id -> text."""
    found = losses(results)
    lost = [_loss(loss, relevance, notes, texts, passages, link) for loss in found]
    counts: dict[str, int] = {}
    for loss in lost:
        for kind in loss["kinds"]:
            counts[kind] = counts.get(kind, 0) + 1
    ids = {loss.result.query_id for loss in found}
    return render(
        "board_hurts",
        losses=lost[:FIRST],
        more=lost[FIRST:],
        n=link.retrieve_k,
        counted=len(results),
        kinds=[
            {"name": name, "told": told, "inspect": inspect, "count": counts.get(name, 0)}
            for name, (told, inspect) in INSPECT.items()
        ],
        others=[
            {"text": texts.get(r.query_id, r.query_id), "href": href(r, texts, link, True),
             "kind": notes[r.query_id].kind, "reason": notes[r.query_id].reason}
            for r in results if r.query_id in notes and r.query_id not in ids
        ],
    )  # fmt: skip


def _loss(
    loss: Loss,
    relevance: Mapping[str, Mapping[str, int]],
    notes: Mapping[str, FailureNote],
    texts: Texts,
    passages: Mapping[str, str],
    link: Link,
) -> dict[str, Any]:
    r, note = loss.result, notes.get(loss.result.query_id)
    grades = relevance.get(r.query_id, {})
    kinds = [note.kind, loss.kind] if note else [loss.kind]
    return {
        "text": texts.get(r.query_id, r.query_id),
        "href": href(r, texts, link, reveal=True),
        "slice": slice_words(r.slice),
        "chosen": r.chosen,
        "lift": signed(r.lift),
        "before": fraction(r.before),
        "after": fraction(r.after),
        "kinds": kinds,
        "reason": note.reason if note else "",
        "inspect": INSPECT[kinds[0]][1],
        "fell": [
            {"mark": MARKS[s.grade][0], "before": s.before, "after": s.after,
             "text": passages.get(s.doc_id, s.doc_id)}
            for s in loss.fell[:2]
        ],
        "lists": [
            ("Before, bi-encoder", _rows(r.top_before, r.top_after, "after", grades, passages)),
            ("After, cross-encoder", _rows(r.top_after, r.top_before, "before", grades, passages)),
        ],
    }  # fmt: skip


def _rows(
    shown: Sequence[str],
    other: Sequence[str],
    word: str,
    grades: Mapping[str, int],
    passages: Mapping[str, str],
) -> list[dict[str, Any]]:
    rows = []
    for doc_id in shown[:ROWS]:
        grade = grades.get(doc_id)
        mark, glyph = UNJUDGED if grade is None else MARKS[grade]
        there = other.index(doc_id) + 1 if doc_id in other else None
        rows.append(
            {
                "text": passages.get(doc_id, doc_id),
                "mark": mark,
                "glyph": glyph,
                "relevant": (grade or 0) >= RELEVANT,
                "there": f"{word}: {there or f'below {len(other)}'}",
            }
        )
    return rows
