"""A person's prediction of what reranking will do, and how good it was: pure.

Four questions: will the top result change (with how sure), which passage will lead, how many of the top 3 will be
new, and will the middle (ranks 4 to 10) keep its order. Only the first must be answered. What is left out: where
rounds are kept (the page keeps them in the visitor's browser) and every word that a visitor reads.

>>> p = Prediction(will_change=True, sure=0.8, new_in_top3=1)
>>> round(p.brier(changed=True), 2)
0.04
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rerank_core.errors import InputError
from rerank_core.metrics import brier
from rerank_core.movement import new_in_top, same_order
from rerank_core.records import Ranking

MIDDLE = (4, 10)
"""First and last rank of the middle that the fourth question asks about."""

BELOW = 0
"""The answer "one below those shown" to the question which passage will lead."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was said before the reveal.

    `sure` is the stated probability that `will_change` is right, 0.5 to 1. `leader` is the rank before reranking of
    the passage said to lead (2 or more, or BELOW), asked only where a change was predicted. `new_in_top3` is 0 to 3.
    None is "not answered". Raises InputError for values outside these ranges.
    """

    will_change: bool
    sure: float
    leader: int | None = None
    new_in_top3: int | None = None
    middle_same: bool | None = None

    def __post_init__(self) -> None:
        if not 0.5 <= self.sure <= 1:
            raise InputError(f"How sure you are runs from 50 % to 100 %, not {self.sure:.0%}.")
        if self.new_in_top3 is not None and not 0 <= self.new_in_top3 <= 3:
            raise InputError(f"0 to 3 of the top 3 can be new, not {self.new_in_top3}.")
        if self.leader is not None and (self.leader < 0 or self.leader == 1):
            raise InputError(f"A new leader comes from rank 2 or below, not {self.leader}.")

    def brier(self, changed: bool) -> float:
        """Brier score of the first question, in [0, 1]; saying 50 % always scores .25."""
        return brier(self.sure if self.will_change else 1 - self.sure, changed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered question: `said` and `was` are its values, `question` its key."""

    question: str
    said: int | bool
    was: int | bool

    @property
    def hit(self) -> bool:
        return self.said == self.was


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a prediction did: its answered questions, and the Brier score of the first."""

    outcomes: tuple[Outcome, ...]
    brier: float

    @property
    def hits(self) -> int:
        return sum(o.hit for o in self.outcomes)


def judge(
    prediction: Prediction, before: Ranking, after: Ranking, shown: int = 10
) -> Verdict | None:
    """Hold a prediction against two rankings of the same candidates; None where there are none.

    `shown` is how many rows of the first list could be seen: a leader from further down counts as BELOW.
    """
    if not len(after):
        return None
    leader_was = before.rank_of(after[0].doc_id) or 1
    changed = leader_was != 1
    outcomes = [Outcome("change", prediction.will_change, changed)]
    if prediction.will_change and prediction.leader is not None:
        was = BELOW if leader_was > shown else leader_was
        outcomes.append(Outcome("leader", prediction.leader, was))
    if prediction.new_in_top3 is not None:
        outcomes.append(Outcome("new", prediction.new_in_top3, new_in_top(before, after, 3)))
    if prediction.middle_same is not None:
        outcomes.append(
            Outcome("middle", prediction.middle_same, same_order(before, after, *MIDDLE))
        )
    return Verdict(tuple(outcomes), prediction.brier(changed))


@dataclass(frozen=True, slots=True)
class Round:
    """One scored commit. `key` names scenario, query, N and models: only its first commit counts."""

    key: str
    hits: int
    asked: int
    brier: float


def add_round(rounds: Iterable[Round], new: Round, keep: int) -> tuple[tuple[Round, ...], bool]:
    """The rounds with `new` at the end (at most `keep`, oldest dropped), and whether it counted."""
    kept = tuple(rounds)
    if any(r.key == new.key for r in kept):
        return kept, False
    return (*kept, new)[-keep:], True
