"""The simulated click log in words and one table: a study -> escaped HTML."""

from __future__ import annotations

from rerank_core.clicks import NOISE, ClickStudy, Judged
from ui.board_words import fraction, signed
from ui.templates import render


def clicks(study: ClickStudy | None) -> str:
    """Three judges of the same lists; empty where there is no query."""
    if study is None:
        return ""
    judges = [
        ("people’s grades", study.grades),
        ("clicks on the reranked lists", study.clicks_after),
        ("clicks on the bi-encoder’s lists", study.clicks_before),
    ]
    return render(
        "board_clicks",
        visits=study.visits,
        n=study.n,
        noise=f"{100 * NOISE:.0f} %",
        judges=[_judge(name, judged, study.n) for name, judged in judges],
        shown=_sentence(study),
        rates=_rates(study),
    )


def _judge(name: str, judged: Judged, n: int) -> dict[str, str]:
    return {
        "name": name,
        "before": fraction(judged.before),
        "after": fraction(judged.after),
        "lift": signed(judged.after - judged.before),
        "counts": f"{judged.wins} / {n - judged.wins - judged.losses} / {judged.losses}",
    }


def _sentence(study: ClickStudy) -> str:
    mine = study.clicks_after.after - study.clicks_after.before
    theirs = study.clicks_before.after - study.clicks_before.before
    real = study.grades.after - study.grades.before
    told = (
        f"By grades the lift is {signed(real)}. Read from clicks on the reranked lists it is {signed(mine)}; read from "
        f"clicks on the bi-encoder’s lists it is {signed(theirs)}."
    )
    if mine > theirs + 0.005:
        return (
            f"{told} Each list looks best in its own log: what is shown first is clicked first, and what is not shown "
            "gets no click. Clicks on a reranked list are no judgements of the reranker."
        )
    return f"{told} On these lists the bias of position is too small to see."


def _rates(study: ClickStudy) -> str:
    if study.rank1_useless is None or study.low_relevant is None:
        return ""
    return (
        f"A row that is not relevant is clicked at rank 1 in {100 * study.rank1_useless:.0f} of 100 visits "
        f"to reranked lists, a relevant one at ranks 6 to 10 in {100 * study.low_relevant:.0f}."
    )
