"""What the reveal says below the lists: lift, prediction, the run in one sentence; and the record over rounds.

Each function takes records and returns escaped HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rerank_core.metrics import has_relevant
from rerank_core.movement import new_in_top
from rerank_core.pipeline import Comparison, Lift
from rerank_core.prediction import BELOW, Outcome, Round, Verdict
from ui.templates import render
from ui.words import joined, plural, probability

TOP = 3
"""The depth of the headline figure: what fits on a phone, or in a short prompt."""


def verdict(
    comparison: Comparison,
    *,
    relevance: Mapping[str, int] | None,
    judged: Verdict | None,
    counted: bool | str,
    no_lift: str = "",
    part: str = "",
) -> str:
    """Lift, prediction and one sentence on the run, side by side.

    `counted` says whether the round counts in the record, or in words why there is none. `no_lift` is said where there
    is no lift and something else is true than of the library's queries. `part` begins the ids of elements.
    """
    lift = None if relevance is None else comparison.lift_at(TOP, relevance)
    return render(
        "verdict",
        lift=None if lift is None else lift_words(lift),
        no_lift=no_lift or _no_lift(relevance),
        part=part,
        outcomes=[{"hit": o.hit, "words": outcome_words(o)} for o in judged.outcomes]
        if judged
        else [],
        hits=judged.hits if judged else 0,
        brier=f"{judged.brier:.2f}".replace("0.", ".", 1) if judged else "",
        counted=counted
        if isinstance(counted, str)
        else "This round counts in your record."
        if counted
        else "Not counted in your record: only the first commit for a query, N and models is.",
        no_prediction="You looked without predicting, so nothing was scored.",
        shown=run_sentence(comparison, lift),
        confidence=_confidence(comparison),
    )


def lift_words(lift: Lift) -> dict[str, Any]:
    """A lift as people read it: with its sign, from what to what, and what nobody judged."""
    sign = f"{lift.lift:+.2f}".replace("-", "\N{MINUS SIGN}").replace("0.", ".", 1)
    judged = "Every passage in both top threes is judged."
    if lift.unjudged_before or lift.unjudged_after:
        judged = (
            f"Unjudged, so counted as not relevant: {lift.unjudged_before} in the top 3 before, "
            f"{lift.unjudged_after} after."
        )
    return {
        "sign": "±0" if abs(lift.lift) < 0.005 else sign,
        "direction": "up" if lift.lift >= 0.005 else "down" if lift.lift <= -0.005 else "same",
        "before": f"{lift.before:.2f}".replace("0.", ".", 1),
        "after": f"{lift.after:.2f}".replace("0.", ".", 1),
        "relevant_before": lift.relevant_before,
        "relevant_after": lift.relevant_after,
        "unjudged": judged,
    }


def _no_lift(relevance: Mapping[str, int] | None) -> str:
    if relevance is None:
        return (
            "No lift for this query: nobody has judged which passages answer it. "
            "What moved and what it cost are real."
        )
    if not has_relevant(relevance):
        return "No lift for this query: no passage in the library answers it, so there is nothing to find."
    return ""


def outcome_words(outcome: Outcome) -> str:
    """A question, what was said and what came, in one sentence."""
    said, was = outcome.said, outcome.was
    if outcome.question == "change":
        return f"You said the top result would {'change' if said else 'stay'}; it {'changed' if was else 'stayed'}."
    if outcome.question == "leader":
        return f"You said {_place(said)} would lead; {_place(was)} does."
    if outcome.question == "new":
        return f"You said {said} of the top 3 would be new; {was} {'is' if was == 1 else 'are'}."
    return f"You said ranks 4 to 10 would {'stay' if said else 'shuffle'}; they {'stayed' if was else 'shuffled'}."


def _place(rank: int) -> str:
    return (
        "one below those shown"
        if rank == BELOW
        else "the old leader"
        if rank == 1
        else f"row {rank}"
    )


def run_sentence(comparison: Comparison, lift: Lift | None) -> str:
    """What this run showed, from its own numbers; it says so where reranking did nothing or harm."""
    if not comparison.movement:
        return "There was no candidate to rerank."
    leader = comparison.movement[0]
    moved = sum(m.change != 0 for m in comparison.movement)
    if not moved:
        return f"Nothing moved: both models put these {plural(len(comparison.movement), 'passage')} in the same order."
    parts = [
        "the top result stayed"
        if leader.before == 1
        else f"the top result changed: the new one stood at {leader.before}",
        f"{new_in_top(comparison.before, comparison.after, TOP)} of the top 3 are new",
    ]
    climb = max(comparison.movement, key=lambda m: m.change)
    if climb.change > 1 and climb.doc_id != leader.doc_id:
        parts.append(f"the longest climb was from {climb.before} to {climb.after}")
    sentence = joined(parts)
    sentence = sentence[0].upper() + sentence[1:] + "."
    if lift is None:
        return sentence
    if lift.lift <= -0.005:
        return f"{sentence} Here reranking made the top 3 worse."
    if lift.lift < 0.005:
        best = (
            "it was already as good as it can be"
            if lift.before > 0.995
            else "the same grades stand in the same places"
        )
        return f"{sentence} For the top 3 it changed nothing that counts: {best}."
    if lift.after > 0.995:
        return f"{sentence} The top 3 is now the best that these passages allow."
    return f"{sentence} The top 3 is better, and not yet the best that these passages allow."


def _confidence(comparison: Comparison) -> str:
    if comparison.confident is None or not len(comparison.after):
        return ""
    p = probability(comparison.probability(comparison.after[0].doc_id))
    if comparison.confident:
        return f"Estimated probability that rank 1 is relevant: {p} (for pools like these)."
    return f"Not confident: the estimated probability that rank 1 is relevant is only {p} (for pools like these)."


def record(rounds: Sequence[Round]) -> str:
    """The record over rounds, with n."""
    n = len(rounds)
    if not n:
        return render(
            "record",
            words="No scored round yet. Only the first commit for a query, N and models counts.",
        )
    hits, asked = sum(r.hits for r in rounds), sum(r.asked for r in rounds)
    mean = sum(r.brier for r in rounds) / n
    shown = f"{mean:.2f}".replace("0.", ".", 1)
    return render(
        "record",
        words=f"Your record: {hits} of {asked} answers right over {plural(n, 'round')}; mean Brier score {shown} "
        f"(a coin's is .25). Kept in this browser alone.",
    )
