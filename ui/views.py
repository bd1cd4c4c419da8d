"""The two lists, and what stands around them: records -> escaped HTML.

What the reveal says below the lists is in results.py, costs.py, lesson.py and trace_table.py; nothing here knows
Gradio, a model or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rerank_core.pipeline import Comparison
from rerank_core.records import Progress, Ranking, Retrieved, Scored
from ui.templates import render, text_file
from ui.words import cosine, logit, plural, probability

SHOWN = 10
"""Rows of a ranking that are visible before "show all": what a person compares at a glance."""

MARKS = {
    3: ("answers", "●●●"),
    2: ("partly answers", "●●○"),
    1: ("topic only", "●○○"),
    0: ("not relevant", "○○○"),
}
UNJUDGED = ("unjudged", "· · ·")


def ranking_before(
    retrieved: Retrieved,
    *,
    top_k: int,
    link: str,
    after: Ranking | None = None,
    relevance: Mapping[str, int] | None = None,
) -> str:
    """The bi-encoder's list; with `after`, each row says where it went and carries its relevance mark."""
    n = len(retrieved.ranking)
    return render(
        "ranking",
        side="before",
        step=1,
        title="Retrieve",
        note=f"bi-encoder · cosine · the first {n} of {retrieved.corpus_size:,} passages",
        link=link,
        state="revealed" if after is not None else "open",
        sentence="" if n else "There is no passage to rank.",
        fault=False,
        scale="cosine",
        rows=[
            _row(row, cosine(row.score), "cosine", top_k, n, relevance) | _went(row, after)
            for row in retrieved.ranking
        ],
        top_k=min(top_k, n),
        hidden_rows=max(0, n - SHOWN),
    )


def ranking_after(comparison: Comparison, *, relevance: Mapping[str, int] | None) -> str:
    """The cross-encoder's list; each row says in words and an arrow where it came from."""
    n = len(comparison.after)
    return render(
        "ranking",
        side="after",
        step=3,
        title="Rerank",
        note=f"cross-encoder · logit · read {plural(n, 'pair')}",
        link="",
        state="final",
        sentence="",
        fault=False,
        scale="logit",
        rows=[
            _row(
                row, logit(row.score), _logit_words(comparison, row), comparison.top_k, n, relevance
            )
            | _came(row, comparison.before)
            for row in comparison.after
        ],
        top_k=min(comparison.top_k, n),
        hidden_rows=max(0, n - SHOWN),
    )


def fault_list(sentence: str, *, link: str = "", is_fault: bool = True) -> str:
    """The first column where there is no ranking: one sentence says why."""
    return render(
        "ranking", side="before", step=1, title="Retrieve", note="bi-encoder · cosine", link=link,
        state="none", sentence=sentence, fault=is_fault, scale="cosine", rows=[],
        top_k=0, hidden_rows=0,
    )  # fmt: skip


def waiting(n: int, progress: Progress | None = None) -> str:
    """The second column before the reveal: what will happen, or how far it is."""
    words = None
    if progress is not None:
        words = {
            "total": max(progress.total, 1),
            "done": progress.done,
            "words": "Waiting for the model to be free"
            if progress.waiting
            else f"{progress.done} of {progress.total} pairs read",
        }
    return render(
        "waiting",
        note="cross-encoder · logit",
        progress=words,
        sentence=f"The cross-encoder has not read these {n} pairs yet. Predict first, then see."
        if n
        else "Nothing to rerank yet.",
        shown=min(n, SHOWN),
    )


def predict_head(question: str) -> str:
    """The heading of the prediction, and the question that its author put to the visitor."""
    return render(
        "predict_head", question=question or "What will the cross-encoder do with these rows?"
    )


def lines() -> str:
    """The space between the lists in which the page's script joins each passage with itself."""
    return render("lines")


def _row(
    row: Scored, score: str, words: str, top_k: int, n: int, relevance: Mapping[str, int] | None
) -> dict[str, Any]:
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


def _went(row: Scored, after: Ranking | None) -> dict[str, str]:
    to = None if after is None else after.rank_of(row.doc_id)
    if to is None:
        return {}
    if to == row.rank:
        return {"move": "= stays", "direction": "same"}
    up = to < row.rank
    return {"move": f"{'▲' if up else '▼'} to {to}", "direction": "up" if up else "down"}


def _came(row: Scored, before: Ranking) -> dict[str, str]:
    came = before.rank_of(row.doc_id) or row.rank
    change = came - row.rank
    if change == 0:
        return {"move": f"= still {row.rank}", "direction": "same"}
    word = "up" if change > 0 else "down"
    arrow = "▲" if change > 0 else "▼"
    return {"move": f"{arrow} from {came}, {word} {abs(change)}", "direction": word}


def _logit_words(comparison: Comparison, row: Scored) -> str:
    p = comparison.probability(row.doc_id)
    pair = comparison.pair(row.doc_id)
    cut = f", {pair.cut} cut" if pair.cut else ""
    estimated = "" if p is None else f", estimated probability of relevance {probability(p)}"
    return f"logit{estimated}; {pair.tokens} tokens read{cut}"


def message(sentence: str) -> str:
    """One sentence that says what is wrong and what would be right; empty for none."""
    return render("message", sentence=sentence)


def note(sentence: str) -> str:
    """One sentence that says what to do next; nothing is wrong."""
    return render("note", sentence=sentence)


def header(base: str) -> str:
    """Title, one sentence, and the two tools. `base` is the address a copied link begins with, or ""."""
    return render("header", claim=text_file("claim"), base=base)
