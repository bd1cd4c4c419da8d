"""The lists below the figures about depth: ghosts, and every number as a table. Records -> escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rerank_core.depth import DEPTH_MAX, DepthPoint, Ghost, ghosts
from rerank_core.latency import Cost
from rerank_core.pool import Pool
from rerank_core.records import Passage
from rerank_core.turnover import TurnoverPoint
from ui import depth_words as said
from ui.depth_mean import Mean
from ui.rows import MARKS
from ui.templates import render
from ui.words import logit, milliseconds, plural

SHOWN = 6
"""Ghosts that are seen before the rest is asked for."""


def ghost_list(
    pool: Pool, n: int, passages: Mapping[str, Passage], corpus_size: int, is_written: bool, part: str = ""
) -> str:  # fmt: skip
    """Every relevant passage that is not among the first N, and what would have become of it.

    `part` begins the ids of elements.
    """
    here = min(n, len(pool))
    if not pool.has_relevant:
        words = (
            "No passage here answers this query, so none is missed."
            if is_written
            else "Nobody has judged this query, so nobody can say which passages are missed."
        )
        return render("depth_ghosts", part=part, shown=SHOWN, n=here, words=words, rows=[])
    missed = ghosts(pool, here)
    total = said.relevant(pool)
    if not missed:
        both = (
            "The relevant passage is a candidate"
            if total == 1
            else f"All {total} relevant passages are candidates"
        )
        return render(
            "depth_ghosts",
            part=part,
            shown=SHOWN,
            n=here,
            words=f"{both}: at this N nothing is out of reach.",
            rows=[],
        )
    are, them = ("is", "it") if len(missed) == 1 else ("are", "them")
    words = (
        f"{len(missed)} of {plural(total, 'relevant passage')} {are} outside the first {here}. "
        f"What the cross-encoder says of {them} is shown, and enters no order."
    )
    rows = [_ghost(g, here, passages, corpus_size) for g in missed]
    return render("depth_ghosts", part=part, shown=SHOWN, n=here, words=words, rows=rows)


def _ghost(
    ghost: Ghost, n: int, passages: Mapping[str, Passage], corpus_size: int
) -> dict[str, str]:
    passage = passages.get(ghost.doc_id)
    grade = MARKS[ghost.grade][0]
    if ghost.rank is None or passage is None:
        return {
            "place": "–",
            "text": ghost.doc_id,
            "words": f"It {grade}, and the library does not hold it.",
        }
    would = (
        "it was not read"
        if ghost.logit is None
        else f"logit {logit(ghost.logit)}, which among these {n} would have been rank {ghost.would_rank}"
    )
    deeper = f" From N = {ghost.rank} up it is read." if ghost.rank <= DEPTH_MAX else ""
    return {
        "place": str(ghost.rank),
        "text": passage.text or "(empty passage)",
        "words": f"It {grade}; the bi-encoder has it at {ghost.rank:,} of {corpus_size:,}; {would}.{deeper}",
    }


def table(
    pool: Pool, points: Sequence[DepthPoint], moved: Sequence[TurnoverPoint], mean: Mean, cost: Cost | None, k: int
) -> str:  # fmt: skip
    """Every N as a row: the numbers of all figures about depth."""
    names = ["nDCG@3", "ceiling", "success@1", f"answer in top {k}", "candidate recall"]
    heads, groups, columns = (
        ["N"],
        [{"name": "", "span": 1}],
        [[str(n) for n in range(1, len(pool) + 1)]],
    )
    for who, curve in (("This query", points), (said.capital(mean.who), mean.points)):
        if curve:
            heads += names
            groups.append({"name": who, "span": len(names)})
            columns += _columns(curve[: len(pool)])
    if not points and moved:
        top = min(k, len(pool))
        heads += [
            "the leader's rank before",
            "new in the top 3",
            f"new in the top {top}",
            f"top {top} settled",
        ]
        groups.append({"name": "This query", "span": 4})
        columns += [
            [str(p.leader_before) for p in moved], [str(p.new3) for p in moved],
            [str(p.new_k) for p in moved], [f"{100 * p.settled:.0f} %" for p in moved],
        ]  # fmt: skip
    if cost:
        heads.append("time, estimated")
        groups.append({"name": "", "span": 1})
        columns.append(
            [milliseconds(cost.ms_query + n * cost.ms_per_pair) for n in range(1, len(pool) + 1)]
        )
    rows = list(zip(*columns, strict=False))
    return render(
        "depth_table",
        caption="Depth: every N from the one scoring",
        heads=heads,
        groups=groups,
        rows=rows,
    )


def _columns(curve: Sequence[DepthPoint]) -> list[list[str]]:
    return [
        [said.two(getattr(p, name)) for p in curve]
        for name in ("ndcg3", "ceiling", "success1", "answer_in_top_k", "candidate_recall")
    ]
