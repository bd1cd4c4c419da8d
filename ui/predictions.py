"""Between the page's controls and the core's Prediction; and the record, to and from the browser.

What a browser hands back is a stranger's: anything that is not a well-formed round is dropped without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rerank_core import limits
from rerank_core.errors import InputError
from rerank_core.prediction import Prediction, Round, Verdict
from ui.links import Link

YES, NO = "yes", "no"
SAME, SHUFFLED = "same", "shuffled"


def prediction_from(
    will_change: str | None,
    sure: float,
    leader: int | None,
    new_in_top3: int | None,
    middle: str | None,
) -> Prediction:
    """The controls' values as a Prediction. Raises InputError with what is missing; `sure` is in percent."""
    if will_change not in (YES, NO):
        raise InputError(
            "Answer the first question, yes or no, before you commit; the others are yours to skip."
        )
    if isinstance(sure, bool) or not isinstance(sure, int | float):
        raise InputError(f"How sure you are is a number from 50 to 100, not {sure!r}.")
    return Prediction(
        will_change=will_change == YES,
        sure=sure / 100,
        leader=leader if will_change == YES else None,
        new_in_top3=new_in_top3,
        middle_same=None if middle is None else middle == SAME,
    )


def round_key(link: Link) -> str:
    """Scenario, query, N and models: only the first commit for these counts."""
    return "|".join(
        (link.scenario, link.query_id or link.query, str(link.retrieve_k), link.choice.pair.text)
    )


def to_round(key: str, verdict: Verdict) -> Round:
    """One scored commit, ready to be kept."""
    return Round(key, verdict.hits, len(verdict.outcomes), round(verdict.brier, 4))


def rounds_to(rounds: Sequence[Round]) -> list[list[Any]]:
    """Rounds as JSON: [[key, hits, asked, brier], ...]."""
    return [[r.key, r.hits, r.asked, r.brier] for r in rounds]


def rounds_from(raw: Any) -> list[Round]:
    """Rounds from JSON that a browser kept; what is malformed is left out."""
    if not isinstance(raw, list):
        return []
    return [Round(*item) for item in raw[-limits.ROUNDS_KEPT :] if _is_round(item)]


def _is_round(item: Any) -> bool:
    match item:
        case [str(), int() as hits, int() as asked, int() | float() as brier]:
            return 0 <= hits <= asked <= 4 and asked > 0 and 0 <= brier <= 1
    return False
