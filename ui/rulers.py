"""Three rulers for one query: cosine, logit and probability, each with an axis of its own. Records -> escaped HTML.

A letter names the same passage on all three. Left out: any line from one ruler to another, which would compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from rerank_core.comparison import calibrated
from rerank_core.metrics import RELEVANT
from rerank_core.pool import Pool
from rerank_core.records import ModelCard, Passage
from ui.rows import MARKS, UNJUDGED
from ui.spread import spread
from ui.templates import render
from ui.words import cosine, logit, probability

LETTERED = 8
"""Passages with a letter: as many as can be named on a ruler without crowding."""
FIRST = 3
"""Leaders of either order that get a letter before any other."""
SNIPPET = 48
"""Characters of a passage beside its letter, where a ruler has the width."""
HEIGHT, GAP = 380, 17
"""Pixels of a ruler, and between the names on it."""


@dataclass(frozen=True)
class Candidate:
    """One passage on the three scales; `letter` is "" for most."""

    passage: Passage
    before: int
    after: int
    cosine: float
    logit: float
    probability: float | None
    grade: int | None
    letter: str = ""


def candidates(
    pool: Pool, n: int, card: ModelCard, passages: Mapping[str, Passage]
) -> tuple[Candidate, ...]:
    """The first `n`, in the bi-encoder's order, the leaders of both orders and the best relevant ones lettered."""
    n = min(n, len(pool))
    order = sorted(range(n), key=lambda i: pool.keys[i])
    after = {i: rank for rank, i in enumerate(order, 1)}
    grade = pool.relevance.get
    found = [i for i in range(n) if (grade(pool.doc_ids[i]) or 0) >= RELEVANT]
    found.sort(key=lambda i: (-(grade(pool.doc_ids[i]) or 0), after[i]))
    chosen = sorted(list(dict.fromkeys([*range(min(FIRST, n)), *order[:FIRST], *found]))[:LETTERED])
    letters = dict(zip(chosen, "ABCDEFGH", strict=False))
    return tuple(
        Candidate(
            passages.get(pool.doc_ids[i]) or Passage(pool.doc_ids[i], pool.doc_ids[i]),
            i + 1, after[i], pool.cosines[i], pool.logits[i],
            calibrated(pool.logits[i], card), grade(pool.doc_ids[i]), letters.get(i, ""),
        )
        for i in range(n)
    )  # fmt: skip


def rulers(found: Sequence[Candidate], *, judged: bool) -> str:
    """The rulers, the key to their letters, and every number in a table."""
    chances = [c.probability for c in found]
    known = [x for x in chances if x is not None]
    scales = [
        _ruler("Cosine", "bi-encoder, −1 to 1", found, [c.cosine for c in found], cosine, None),
        _ruler("Logit", "cross-encoder, no bounds", found, [c.logit for c in found], logit, None),
        _ruler(
            "Probability",
            "the logit, calibrated, 0 to 100 %",
            found,
            known,
            probability,
            (0.0, 1.0),
        )
        if len(known) == len(found) and found
        else _no_ruler(),
    ]
    return render(
        "rulers", scales=scales, height=HEIGHT, judged=judged,
        key=[_row(c, judged) for c in found if c.letter],
        rows=[_row(c, judged) for c in sorted(found, key=lambda c: c.after)],
    )  # fmt: skip


def _ruler(
    name: str, words: str, found: Sequence[Candidate], values: Sequence[float],
    shown: Callable[[float], str], whole: tuple[float, float] | None,
) -> dict[str, Any]:  # fmt: skip
    ticks = _ticks(*(whole or (min(values, default=0.0), max(values, default=1.0))))
    low, high = ticks[0], ticks[-1]

    def down(value: float) -> float:
        return round(100 * (1 - (value - low) / (high - low)), 3)

    lettered = [i for i, c in enumerate(found) if c.letter]
    places = spread([down(values[i]) for i in lettered], 100 * GAP / HEIGHT, 0.0, 100.0)
    at = dict(zip(lettered, places, strict=True))
    return {
        "name": name,
        "words": words,
        "none": "",
        "ticks": [{"at": down(t), "words": _short(shown(t))} for t in ticks],
        "marks": [
            {
                "at": down(value),
                "letter": c.letter,
                "label_at": at.get(i, 0.0),
                "words": shown(value),
                "doc_id": c.passage.doc_id,
                "relevant": (c.grade or 0) >= RELEVANT,
                "snippet": c.passage.text[:SNIPPET],
                "title": f"{shown(value)}: {c.passage.text[:80]}",
            }
            for i, (c, value) in enumerate(zip(found, values, strict=True))
        ],
    }


def _short(words: str) -> str:
    """A round number of an axis without its last noughts: +4.00 as +4, .650 as .65."""
    if "." not in words:
        return words
    words = words.rstrip("0").rstrip(".")
    return "0" if words in ("", "+", "\N{MINUS SIGN}", "+0", "\N{MINUS SIGN}0") else words


def _no_ruler() -> dict[str, Any]:
    none = (
        "This model is not calibrated: nobody has measured how often a pair with a given logit is relevant, so there "
        "is no probability to show. A sigmoid of the logit would look like one and mean nothing."
    )
    return {
        "name": "Probability",
        "words": "the logit, calibrated",
        "none": none,
        "ticks": [],
        "marks": [],
    }


def _row(c: Candidate, judged: bool) -> dict[str, Any]:
    mark, glyph = UNJUDGED if c.grade is None else MARKS[c.grade]
    return {
        "letter": c.letter, "doc_id": c.passage.doc_id, "text": c.passage.text or "(empty passage)",
        "cosine": cosine(c.cosine), "logit": logit(c.logit), "probability": probability(c.probability),
        "before": c.before, "after": c.after, "mark": mark if judged else "", "glyph": glyph if judged else "",
    }  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, three to eight of them, from at or below `low` to at or above `high`."""
    span = max(high - low, 1e-6)
    raw = span / 5
    unit = 10.0 ** floor(log10(raw))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= raw)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]
