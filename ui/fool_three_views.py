"""What the exercise with three passages shows: readings and pairings -> escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rerank_core.duel import Pairing, Reading
from rerank_core.prediction import Verdict
from rerank_core.records import Passage, Progress, Ranking
from ui import fool_words as words
from ui.templates import prose, render, text_file
from ui.words import cosine, logit, probability

MORE = (
    "Where the order changes, the vectors alone would have misled you, or the cross-encoder does: which passage should "
    "lead is yours to say. And two scores cannot tell whether reading both texts together changed the order, or what "
    "the cross-encoder was trained on besides."
)


def head() -> str:
    """The exercise's heading."""
    return render("fool_three_head", text=prose(text_file("fool_three")))


def reading(progress: Progress) -> str:
    """The guess is locked, the three are being read."""
    said = (
        "Waiting for the model to be free"
        if progress.waiting
        else f"{progress.done} of {progress.total} passages read"
    )
    return render(
        "fool_answer",
        state="reading",
        progress={"words": said, "done": progress.done, "total": max(progress.total, 1)},
    )


def answer(
    query: str,
    texts: Mapping[str, str],
    readings: Mapping[str, Reading],
    found: Sequence[Pairing],
    judged: Verdict,
) -> str:
    """The pairings, what each model said, and how the guess did."""
    passages = [Passage(name, text) for name, text in texts.items()]
    before = Ranking.from_scores(passages, [readings[p.doc_id].cosine for p in passages])
    after = Ranking.from_scores(passages, [readings[p.doc_id].logit for p in passages])
    rows = [
        {
            "name": p.doc_id,
            "text": p.text,
            "cosine": cosine(readings[p.doc_id].cosine),
            "logit": logit(readings[p.doc_id].logit),
            "probability": probability(readings[p.doc_id].probability),
            "before": before.rank_of(p.doc_id),
            "after": after.rank_of(p.doc_id),
        }
        for p in passages
    ]
    pairs = [
        dict(zip(("before", "after"), words.pair_words(p), strict=True))
        | {"name": f"{p.first} and {p.second}", "changes": p.changes}
        for p in found
    ]
    return render(
        "fool_answer",
        state="final",
        progress=None,
        title=words.changing(found),
        hits=judged.hits,
        brier=f"{judged.brier:.2f}".replace("0.", ".", 1),
        outcomes=[{"hit": o.hit, "words": words.pair_outcome(o)} for o in judged.outcomes],
        query=query,
        pairings=pairs,
        rows=rows,
        more=MORE,
    )
