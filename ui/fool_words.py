"""What Fool it says of readings, in sentences: records in, text out. Each margin is on its model's own scale."""

from __future__ import annotations

from collections.abc import Sequence

from rerank_core.duel import Duel, Pairing
from rerank_core.models import BI_ENCODER, CROSS_ENCODER
from rerank_core.prediction import Outcome
from ui.rows import MARKS
from ui.words import cosine, joined, logit, plural, probability

KIND_WORDS = {
    "word_sense": "word sense",
    "entity_role": "role swap",
    "negation": "negation",
    "quantity": "number",
    "condition": "condition",
    "answerhood": "only mentions it",
    "freshness": "out of date",
    "aspect": "another aspect",
    "direction": "direction",
    "identifier": "identifier",
}
"""The failure kinds as visitors read them."""

COUNTS = (
    "It counts only if it is wrong: a passage that answers the query fools nobody. "
    "Tag what is wrong with it, then keep it."
)
WRITE = "Write a passage that beats the right one and is wrong."


def margin(kind: str, lead: float) -> str:
    """How far apart two scores are, without a sign, on the scale of the model of that kind.

    >>> margin("bi-encoder", -0.0321), margin("cross-encoder", 2.306), margin("bi-encoder", 0.00002)
    ('.032', '2.31', '.00002')
    """
    size, figures = abs(lead), 3 if kind == BI_ENCODER else 2
    text = f"{size:.{figures}f}"
    if size and not float(text):
        text = f"{size:.1g}" if size >= 1e-4 else f"{size:.9f}".rstrip("0")
    return text.removeprefix("0") if kind == BI_ENCODER else text


def leads(kind: str, lead: float) -> str:
    """Who leads on one scale, and by how much; `lead` is the visitor's passage over the right one."""
    if not lead:
        return "A tie: nobody leads"
    who = "Yours leads" if lead > 0 else "The right one leads"
    return f"{who} by {margin(kind, lead)}"


def verdict(duel: Duel) -> str:
    """Which model is fooled, and by how much; the other by how much it is not."""
    by = {BI_ENCODER: duel.cosine_lead, CROSS_ENCODER: duel.logit_lead}
    if len(duel.fools) == 2:
        return (
            f"Yours wins under both models: by {margin(BI_ENCODER, by[BI_ENCODER])} of cosine under the bi-encoder, "
            f"by {margin(CROSS_ENCODER, by[CROSS_ENCODER])} of logit under the cross-encoder."
        )
    if not duel.fools:
        return f"Yours wins under neither model: {_holds(BI_ENCODER, by)}, {_holds(CROSS_ENCODER, by)}."
    (fooled,) = duel.fools
    other = CROSS_ENCODER if fooled == BI_ENCODER else BI_ENCODER
    scale = "cosine" if fooled == BI_ENCODER else "logit"
    return (
        f"Yours wins under the {fooled}, by {margin(fooled, by[fooled])} of {scale}; "
        f"{_holds(other, by)}."
    )


def _holds(kind: str, by: dict[str, float]) -> str:
    if not by[kind]:
        return f"under the {kind} it is a tie"
    return f"the {kind} puts the right one first, by {margin(kind, by[kind])}"


def fools(duel: Duel) -> str:
    """Which models a kept passage fools, each with its margin."""
    by = {BI_ENCODER: duel.cosine_lead, CROSS_ENCODER: duel.logit_lead}
    scale = {BI_ENCODER: "cosine", CROSS_ENCODER: "logit"}
    return "Fools " + joined(
        [f"the {kind} by {margin(kind, by[kind])} of {scale[kind]}" for kind in duel.fools]
    )


def scores(duel: Duel) -> str:
    """All scores of a kept passage against the right one's, scale by scale."""
    mine, right = duel.wrong, duel.right
    said = [
        f"cosine {cosine(mine.cosine)} against {cosine(right.cosine)}",
        f"logit {logit(mine.logit)} against {logit(right.logit)}",
    ]
    if mine.probability is not None and right.probability is not None:
        said.append(
            f"probability {probability(mine.probability)} against {probability(right.probability)}"
        )
    return ", ".join(said)


def answers(grade: int) -> str:
    """The visitor's text is a passage of the library that is right."""
    return f"The library grades yours {grade} for this query, {MARKS[grade][0]}: it fools nobody."


def says_right(grade: int | None, place: int | None, of: int) -> str:
    """Who says that the right passage is right; `place` is its place among the library's `of` right ones."""
    if grade is None:
        offered = f" The library has {plural(of, 'right one')} for this query." if of else ""
        return f"Your own: you say that it answers the query.{offered}"
    if not place:
        return f"The library grades it {grade}, {MARKS[grade][0]}: it is not right, so beating it proves nothing."
    among = f", right passage {place} of {of}" if of > 1 else ""
    return f"The library grades it {grade}, {MARKS[grade][0]}{among}."


def pair_words(pairing: Pairing) -> tuple[str, str]:
    """Who is first under each model, with the margin on that model's scale."""
    return (
        f"{pairing.before}, by {margin(BI_ENCODER, pairing.cosine_lead)}",
        f"{pairing.after}, by {margin(CROSS_ENCODER, pairing.logit_lead)}",
    )


def pair_outcome(outcome: Outcome) -> str:
    """A pairing, what was said and what came, in one sentence."""
    pair = outcome.question.replace("-", " and ")
    said, was = ("change" if x else "stay" for x in (outcome.said, outcome.was))
    return f"You said the order of {pair} would {said}; it {'changed' if was == 'change' else 'stayed'}."


def changing(found: Sequence[Pairing]) -> str:
    """Which of the three pairings change their order, in one sentence or two."""
    names = [f"{p.first} and {p.second}" for p in found if p.changes]
    if not names:
        return "No pairing changes its order: these three could have been left to the vectors."
    if len(names) == 1:
        return f"One pairing changes its order: {names[0]}. The other two could have been left to the vectors."
    if len(names) == len(found):
        return "All three pairings change their order: the cross-encoder turns it round."
    return f"Two pairings change their order: {', and '.join(names)}. The third could have been left to the vectors."
