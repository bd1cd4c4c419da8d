"""The two lists, and what stands around them: records -> escaped HTML.

What the reveal says below the lists is in results.py, costs.py, lesson.py and trace_table.py; nothing here knows
Gradio, a model or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from rerank_core.models import KNOWN
from rerank_core.pipeline import Comparison
from rerank_core.records import ModelCard, Progress, Ranking, Retrieved
from ui.rows import CHOICES, SHOWN, came, logit_words, row_of, went
from ui.templates import render, text_file
from ui.words import cosine, logit, plural


def ranking_before(
    retrieved: Retrieved,
    *,
    top_k: int,
    link: str,
    after: Ranking | None = None,
    relevance: Mapping[str, int] | None = None,
    part: str = "",
    asked: str = "",
) -> str:
    """The bi-encoder's list; with `after`, each row says where it went and carries its relevance mark.

    `part` begins the ids of elements. `asked` is the query where rows can be marked on the page, else empty; marks are
    then the page's to show.
    """
    n = len(retrieved.ranking)
    return render(
        "ranking",
        side="before",
        step=1,
        title="Retrieve",
        note=f"{who(retrieved.model)} · cosine · the first {n} of {retrieved.corpus_size:,} passages",
        link=link,
        key=link or f"{asked} {n} {top_k}",
        part=part,
        asked=asked,
        grades=CHOICES,
        state="revealed" if after is not None else "open",
        sentence="" if n else "There is no passage to rank.",
        fault=False,
        scale="cosine",
        rows=[
            row_of(row, cosine(row.score), "cosine", top_k, n, relevance) | went(row, after)
            for row in retrieved.ranking
        ],
        top_k=min(top_k, n),
        hidden_rows=max(0, n - SHOWN),
    )


def ranking_after(
    comparison: Comparison,
    *,
    relevance: Mapping[str, int] | None,
    part: str = "",
    asked: str = "",
    side: str = "after",
    title: str = "Rerank",
) -> str:
    """The cross-encoder's list; each row says in words and an arrow where it came from. See `ranking_before`."""
    n = len(comparison.after)
    return render(
        "ranking",
        side=side,
        step=3,
        title=title,
        note=f"{who(comparison.reranked.model)} · logit · read {plural(n, 'pair')}",
        link="",
        key="",
        part=part,
        asked=asked,
        grades=CHOICES,
        state="final",
        sentence="",
        fault=False,
        scale="logit",
        rows=[
            row_of(
                row, logit(row.score), logit_words(comparison, row), comparison.top_k, n, relevance
            )
            | came(row, comparison.before)
            for row in comparison.after
        ],
        top_k=min(comparison.top_k, n),
        hidden_rows=max(0, n - SHOWN),
    )


def who(model: ModelCard) -> str:
    """The kind of a model that the page opens with, and the name of any other: what a list says of its maker."""
    return model.kind if is_embedded(model) else short(model.name)


def short(name: str) -> str:
    """A model's name as a heading has room for it: without whose it is, or the folders above it."""
    return name.rstrip("/").rsplit("/", 1)[-1] or name


def is_embedded(model: ModelCard) -> bool:
    """Whether a model is one of those that the page opens with."""
    return model.name in KNOWN and KNOWN[model.name].embedded


def fault_list(
    sentence: str,
    *,
    link: str = "",
    is_fault: bool = True,
    part: str = "",
    side: str = "before",
    title: str = "Retrieve",
) -> str:
    """A column where there is no ranking: one sentence says why."""
    first = side == "before"
    return render(
        "ranking", side=side, step=1 if first else 3, title=title,
        note="bi-encoder · cosine" if first else "cross-encoder · logit", link=link, key=link,
        part=part, asked="", grades=(), state="none", sentence=sentence, fault=is_fault,
        scale="cosine", rows=[], top_k=0, hidden_rows=0,
    )  # fmt: skip


def waiting(
    n: int,
    progress: Progress | None = None,
    part: str = "",
    side: str = "after",
    title: str = "Rerank",
    model: str = "",
) -> str:
    """A column before the reveal: what will happen, or how far it is; `model` is the name of one that was chosen."""
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
        part=part,
        side=side,
        title=title,
        note=f"{short(model) or 'cross-encoder'} · logit",
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


def message(sentence: str) -> str:
    """One sentence that says what is wrong and what would be right; empty for none."""
    return render("message", sentence=sentence)


def note(sentence: str) -> str:
    """One sentence that says what to do next; nothing is wrong."""
    return render("note", sentence=sentence)


def header(base: str) -> str:
    """Title, one sentence, and the two tools. `base` is the address a copied link begins with, or ""."""
    return render("header", claim=text_file("claim"), base=base)
