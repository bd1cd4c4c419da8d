"""A right passage and one written to beat it, under one query; and pairs of passages that two models order otherwise.

A cosine, a logit and a probability are three scales: each is compared with its own kind alone. Left out: running the
models, and whether a passage is right or wrong, which only a person can say.

>>> duel = Duel(right=Reading(0.50, 2.0, 0.7), wrong=Reading(0.56, 1.5, 0.6))
>>> duel.fools, round(duel.cosine_lead, 2), duel.logit_lead
(('bi-encoder',), 0.06, -0.5)
>>> read = {"b": Reading(0.6, 1.0, None), "a": Reading(0.5, 3.0, None), "c": Reading(0.1, 0.0, None)}
>>> [(p.first, p.second, p.changes) for p in pairings(read)]
[('a', 'b', True), ('a', 'c', False), ('b', 'c', False)]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations

from rerank_core.comparison import calibrated
from rerank_core.errors import InputError
from rerank_core.metrics import brier
from rerank_core.models import BI_ENCODER, CROSS_ENCODER
from rerank_core.prediction import Outcome, Verdict
from rerank_core.records import ModelCard, PairScore


@dataclass(frozen=True, slots=True)
class Reading:
    """What both models said of one text, on three scales.

    `cosine` is the bi-encoder's, in [-1, 1]; `logit` the cross-encoder's, raw; `probability` the calibrated logit, in
    [0, 1], None where the model is not calibrated. `cut` counts the tokens that the cross-encoder did not read.
    """

    cosine: float
    logit: float
    probability: float | None
    cut: int = 0

    @classmethod
    def of(cls, cosine: float, pair: PairScore, card: ModelCard) -> Reading:
        """A cosine, and what the cross-encoder of `card` said."""
        return cls(cosine, pair.logit, calibrated(pair.logit, card), pair.cut)


@dataclass(frozen=True, slots=True)
class Duel:
    """The right passage's reading and that of the one written to beat it. A tie is no win."""

    right: Reading
    wrong: Reading

    @property
    def cosine_lead(self) -> float:
        """The wrong passage's cosine minus the right one's."""
        return self.wrong.cosine - self.right.cosine

    @property
    def logit_lead(self) -> float:
        """The wrong passage's logit minus the right one's."""
        return self.wrong.logit - self.right.logit

    @property
    def fools(self) -> tuple[str, ...]:
        """The kinds of the models that put the wrong passage first; the probability orders as its logit does."""
        leads = ((BI_ENCODER, self.cosine_lead), (CROSS_ENCODER, self.logit_lead))
        return tuple(kind for kind, lead in leads if lead > 0)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two passages of one query by doc_id, `first` before `second` in the alphabet.

    `cosine_lead` and `logit_lead` are those of `first` over `second`; ties fall to `first`, as everywhere.
    """

    first: str
    second: str
    cosine_lead: float
    logit_lead: float

    @property
    def before(self) -> str:
        """The one that the bi-encoder puts first."""
        return self.first if self.cosine_lead >= 0 else self.second

    @property
    def after(self) -> str:
        """The one that the cross-encoder puts first."""
        return self.first if self.logit_lead >= 0 else self.second

    @property
    def changes(self) -> bool:
        """Whether the two models order them otherwise."""
        return self.before != self.after


Pair = tuple[str, str]


def pairs_of(doc_ids: Collection[str]) -> tuple[Pair, ...]:
    """All pairs, each and all of them in the order of the alphabet.

    >>> pairs_of(["c", "a", "b"])
    (('a', 'b'), ('a', 'c'), ('b', 'c'))
    """
    return tuple(combinations(sorted(doc_ids), 2))


def pairings(readings: Mapping[str, Reading]) -> tuple[Pairing, ...]:
    """Every pair of the passages read, by doc_id."""
    return tuple(
        Pairing(
            a, b,
            readings[a].cosine - readings[b].cosine,
            readings[a].logit - readings[b].logit,
        )
        for a, b in pairs_of(readings)
    )  # fmt: skip


def judge_pairings(said: Collection[Pair], sure: float, found: Collection[Pairing]) -> Verdict:
    """Hold a guess, the pairs said to change their order, against what came: one outcome a pair.

    `sure` is the stated probability that each answer is right, 0.5 to 1; the Brier score is the mean over the pairs.
    Raises InputError for another `sure`, for no pair, and for a pair that was not asked.
    """
    if not 0.5 <= sure <= 1:
        raise InputError(f"How sure you are runs from 50 % to 100 %, not {sure:.0%}.")
    asked = {(p.first, p.second) for p in found}
    if not asked or not set(said) <= asked:
        raise InputError(f"A guess is about the pairs {sorted(asked)}, not {sorted(set(said))}.")
    outcomes = tuple(
        Outcome(f"{p.first}-{p.second}", (p.first, p.second) in said, p.changes) for p in found
    )
    scores = [brier(sure if o.said else 1 - sure, bool(o.was)) for o in outcomes]
    return Verdict(outcomes, sum(scores) / len(scores))
