"""What Fool it shows: records -> escaped HTML from templates. Every scale has an axis of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import Any

from rerank_core.duel import Duel, Reading
from rerank_core.fooled import Fooled, best_first, contrast_lines, passages_csv
from rerank_core.models import BI_ENCODER, CROSS_ENCODER
from ui import fool_words as words
from ui.templates import prose, render, text_file
from ui.words import cosine, logit, plural, probability

LEFT, RIGHT = 12.0, 288.0
"""Where an axis begins and ends, in the units of its drawing."""
COSINE_AXIS, LOGIT_AXIS, CHANCE_AXIS = (0.0, 1.0, 0.5), (-12.0, 8.0, 4.0), (0.0, 1.0, 0.5)
"""Low end, high end and step of each axis: where scores commonly lie, so that it stands still while one types."""
CALIBRATED = "the logit, calibrated: estimated, for pools like the library's"
NO_PROBABILITY = "This model is not calibrated, so there is no probability to show."
EMPTY = (
    "Nothing kept yet. What beats the right passage under a model, and is wrong, can be kept here."
)


def head() -> str:
    """The tab's heading, and what becomes of what is written."""
    return render("fool_head", text=prose(text_file("fool")))


def kinds() -> str:
    """What each failure kind means."""
    return render("fool_kinds", text=prose(text_file("fool_kinds")))


def says(sentence: str, *, wrong: bool = False) -> str:
    """Who says that the right passage is right."""
    return render("fool_says", words=sentence, wrong=wrong)


def live(
    serial: str,
    right: Reading | None = None,
    mine: Reading | None = None,
    *,
    verdict: str = words.WRITE,
    more: str = "",
    state: str = "settled",
    fault: bool = False,
) -> str:
    """The three scales with what has been read; `serial` names the keystroke that this answers."""
    return render(
        "fool_live",
        serial=serial,
        state=state,
        scales=_scales(right, mine),
        verdict=verdict,
        more=more,
        fault=fault,
    )


def kept(items: Sequence[Fooled], weights: str) -> str:
    """What the visitor keeps, the best first; `weights` names the models in use."""
    entries = [
        {
            "query": item.query,
            "right": item.right,
            "wrong": item.wrong,
            "start": item.wrong[:40],
            "kind": words.KIND_WORDS[item.kind],
            "fools": words.fools(item.duel),
            "scores": words.scores(item.duel),
            "other": item.weights != weights,
            "key": item.key,
        }
        for item in best_first(items)
    ]
    both = sum(len(item.duel.fools) == 2 for item in items)
    counted = (
        f"{plural(both, 'passage')} of {len(items)} fool{'s' if both == 1 else ''} both models"
    )
    return render(
        "fool_kept",
        entries=entries,
        words=f"{counted}. Kept in this browser alone." if entries else EMPTY,
        jsonl=contrast_lines(items),
        csv=passages_csv(items),
    )


def _scales(right: Reading | None, mine: Reading | None) -> list[dict[str, Any]]:
    duel = Duel(right, mine) if right and mine else None
    both = right, mine
    chances = [r and r.probability for r in both]
    found = [
        _scale(
            "Cosine", "bi-encoder", COSINE_AXIS, cosine, [r and r.cosine for r in both],
            words.leads(BI_ENCODER, duel.cosine_lead) if duel else "",
        ),
        _scale(
            "Logit", "cross-encoder, raw", LOGIT_AXIS, logit, [r and r.logit for r in both],
            words.leads(CROSS_ENCODER, duel.logit_lead) if duel else "",
        ),
    ]  # fmt: skip
    if any(r and r.probability is None for r in both):
        return [*found, {"name": "Probability", "words": CALIBRATED, "none": NO_PROBABILITY}]
    leads = "Always in the logit's order" if duel else ""
    return [*found, _scale("Probability", CALIBRATED, CHANCE_AXIS, probability, chances, leads)]


def _scale(
    name: str, said: str, axis: tuple[float, float, float], shown: Callable[[float], str],
    both: Sequence[Any], leads: str,
) -> dict[str, Any]:  # fmt: skip
    """One scale; `both` are the right passage's value and the visitor's, None where not read."""
    values = [float(v) for v in both if v is not None]
    low, high, step = axis
    low = min([low, *(step * floor(v / step + 1e-9) for v in values)])
    high = max([high, *(step * ceil(v / step - 1e-9) for v in values)])

    def place(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (value - low) / (high - low), 2)

    def mark(value: float | None) -> dict[str, Any] | None:
        return None if value is None else {"at": place(value), "words": shown(value)}

    ticks = [low + i * step for i in range(round((high - low) / step) + 1)]
    return {
        "name": name,
        "words": said,
        "none": "",
        "ticks": [{"at": place(t), "words": _tick(shown(t))} for t in ticks],
        "right": mark(both[0]),
        "mine": mark(both[1]),
        "leads": leads,
        "wins": leads.startswith("Yours"),
    }


def _tick(text: str) -> str:
    """A round number of an axis without its noughts: +4.00 as +4, .500 as .5."""
    if "." not in text:
        return text
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "+", "+0", "\N{MINUS SIGN}0") else text
