"""What stands around one's own passages: intake, and the report on a scenario. Records -> escaped HTML and words."""

from __future__ import annotations

from collections.abc import Sequence

from rerank_core import limits
from rerank_core.holds import Hold
from rerank_core.lint import RETRIEVE_K, Finding
from rerank_core.records import ModelCard, Progress
from rerank_core.scenarios import Query
from ui.own_corpus import Own
from ui.templates import prose, render, text_file
from ui.words import milliseconds, plural

FINDINGS_SHOWN = 30
"""Findings of the linter that are listed; a scenario that needs more is not nearly done."""


def head() -> str:
    """The tab's heading and what becomes of what is brought."""
    return render("own_head", text=prose(text_file("own")), paste_bytes=limits.PASTE_BYTES)


def take_head() -> str:
    """The heading above what is taken away."""
    return render("own_take_head", text=prose(text_file("own_take")))


def status(words: str, *, to_do: bool = False) -> str:
    """How far the intake is; `to_do` where something is still to be done."""
    return render("own_status", words=words, to_do=to_do, progress=None)


def waiting_for_models() -> str:
    """Before the first batch."""
    return status("Waiting for the models.")


def encoding(progress: Progress) -> str:
    """How many texts are encoded."""
    words = (
        "Waiting for a turn"
        if progress.waiting
        else f"{progress.done:,} of {plural(progress.total, 'text')} encoded"
    )
    shown = {"done": progress.done, "total": max(progress.total, 1)}
    return render("own_status", words=words, to_do=False, progress=shown)


def ready(own: Own) -> str:
    """What is on the server now, and until when."""
    n = len(own.corpus)
    opened = f"The scenario “{own.scenario.title}”, its form checked: " if own.scenario else ""
    are = "is" if n == 1 else "are"
    return status(
        f"{opened}{plural(n, 'passage')}, encoded in {milliseconds(own.corpus.encode_ms)}, {are} in this server's "
        "memory for 60 minutes at most, or until you forget them. Ask something of them."
    )


def checking(number: int, total: int, progress: Progress) -> str:
    """How far the check of a scenario is."""
    words = f"Query {number} of {total}: " + (
        "waiting for the model to be free"
        if progress.waiting
        else f"{progress.done} of {progress.total} pairs read"
    )
    shown = {"done": progress.done, "total": max(progress.total, 1)}
    return render("own_status", words=words, to_do=False, progress=shown)


def hold_words(hold: Hold) -> str:
    """`first_after = p0003: holds, by 1.32 (logit)`."""
    said = "holds" if hold.holds else "does not hold"
    wanted = hold.wanted.replace("-", "\N{MINUS SIGN}") if hold.unit == "nDCG@3" else hold.wanted
    by = "" if hold.margin is None else f", by {_margin(abs(hold.margin), hold.unit)} ({hold.unit})"
    return f"{hold.key} = {wanted}: {said}{by}"


def report(
    held: Sequence[tuple[Query, Sequence[Hold]]],
    found: Sequence[Finding],
    cards: Sequence[ModelCard],
    passages: int,
) -> str:
    """Whether a scenario's lesson holds, by what margin, on which weights; and what the linter says."""
    every = [hold for _, holds in held for hold in holds]
    missed = sum(not hold.holds for hold in every)
    if not every:
        verdict = "Nothing is said to hold, so there is nothing to measure."
    elif missed:
        does = "does" if missed == 1 else "do"
        verdict = (
            f"{missed} of {plural(len(every), 'expectation')} {does} not hold on these weights."
        )
    else:
        verdict = (
            f"The lesson holds on these weights: {plural(len(every), 'expectation')}, all met."
        )
    errors = sum(f.level == "error" for f in found)
    return render(
        "own_report",
        verdict=verdict,
        ok=not missed,
        size=f"{plural(len(held), 'query', 'queries')} over {plural(passages, 'passage')}, at N = {RETRIEVE_K}.",
        queries=[
            {"text": q.text, "holds": [{"words": hold_words(h), "ok": h.holds} for h in holds]}
            for q, holds in held
        ],
        cards=[{"kind": c.kind, "name": c.name, "hash": c.model_hash} for c in cards],
        linted=f"The linter finds {plural(errors, 'error')} and {plural(len(found) - errors, 'warning')}."
        if found
        else "The linter finds nothing.",
        findings=[str(f) for f in found[:FINDINGS_SHOWN]],
        more=max(0, len(found) - FINDINGS_SHOWN),
    )


def download(name: str, size: int) -> str:
    """The button that hands the zip out."""
    return render("own_download", name=name, size=f"{max(1, round(size / 1024)):,} KB")


def _margin(value: float, unit: str) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if unit == "cosine" else f"{value:.2f}"
