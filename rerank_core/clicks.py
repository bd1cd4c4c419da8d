"""A simulated click log: what clicks on a list say of it, where the truth is known because it was put in.

Nobody clicked. Of every list, VISITS simulated visitors see the first SHOWN rows; each clicks the row at rank r, with
grade g, with probability

    examined(r) * attracted(g),   examined(r) = 1 / r,   attracted(g) = e + (1 - e) * (2^g - 1) / 7,   e = 0.1

the position-based model: a row must be looked at, which the first rows are far more often, and must then look good,
which e of the useless ones do. Fixed seed. Sources: Joachims, Swaminathan and Schnabel, "Unbiased learning-to-rank
with biased feedback", WSDM 2017 (the model, and 1 / r); Ai, Bi, Luo, Guo and Croft, "Unbiased learning to rank with
unbiased propensity estimation", SIGIR 2018 (attraction by grade, e = 0.1). Left out: what real visitors do; rows
that are unjudged attract like those that are not relevant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from zlib import crc32

import numpy as np

from rerank_core.evaluate import SHOWN, TIE, Case, QueryResult
from rerank_core.metrics import RELEVANT, gain

VISITS, NOISE, SEED = 1_000, 0.1, 0
DEPTH = 3


def examined(rank: int) -> float:
    """The probability that a visitor looks at this rank."""
    return 1 / rank


def attracted(grade: int) -> float:
    """The probability that somebody who looks at a row with this grade clicks it."""
    return NOISE + (1 - NOISE) * gain(grade) / gain(3)


def simulate(shown: Sequence[str], relevance: Mapping[str, int], name: str) -> dict[str, int]:
    """doc_id -> clicks of VISITS visitors on one list; the same `name` and list give the same clicks.

    >>> clicks = simulate(["x", "answer"], {"answer": 3}, "a query")
    >>> 60 < clicks["x"] < 140 and 440 < clicks["answer"] < 560
    True
    """
    rng = np.random.default_rng([SEED, crc32(name.encode("utf-8"))])
    chances = [examined(r) * attracted(relevance.get(d, 0)) for r, d in enumerate(shown, 1)]
    return dict(zip(shown, rng.binomial(VISITS, chances).tolist(), strict=True))


def ndcg_by(gains: Mapping[str, float], shown: Sequence[str], depth: int = DEPTH) -> float:
    """nDCG at `depth` with any gains, ideal over all that have one; 0.0 where none has."""
    ideal = _dcg(sorted(gains.values(), reverse=True)[:depth])
    return _dcg([gains.get(d, 0.0) for d in shown[:depth]]) / ideal if ideal else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(g / log2(r + 1) for r, g in enumerate(gains, 1))


@dataclass(frozen=True, slots=True)
class Judged:
    """Mean nDCG@3 of both lists as one judge sees them, and for how many queries the reranked list wins or loses."""

    before: float
    after: float
    wins: int
    losses: int


@dataclass(frozen=True)
class ClickStudy:
    """The same two lists of each query, judged three ways: by people's grades, by clicks on the reranked list, by
    clicks on the bi-encoder's list.

    `rank1_useless` is clicks a visit on rank 1 where it is not relevant, `low_relevant` on ranks 6 to 10 where they
    are, both on the reranked lists; None where there is no such row. `n` queries, `visits` to each list.
    """

    n: int
    visits: int
    grades: Judged
    clicks_after: Judged
    clicks_before: Judged
    rank1_useless: float | None
    low_relevant: float | None


def click_study(results: Iterable[QueryResult], cases: Iterable[Case]) -> ClickStudy | None:
    """Show both lists of every query to simulated visitors, and judge both by either log; None for no queries."""
    grades = {case.query_id: case.pool.relevance for case in cases}
    rows: dict[str, list[tuple[float, float]]] = {"grades": [], "after": [], "before": []}
    top: list[float] = []
    low: list[float] = []
    for r in results:
        relevance = grades[r.query_id]
        logs: dict[str, Mapping[str, float]] = {
            "grades": {d: float(gain(g)) for d, g in relevance.items()},
            "after": simulate(r.top_after, relevance, f"after {r.query_id}"),
            "before": simulate(r.top_before, relevance, f"before {r.query_id}"),
        }
        for name, log in logs.items():
            rows[name].append((ndcg_by(log, r.top_before), ndcg_by(log, r.top_after)))
        for rank, doc_id in enumerate(r.top_after[:SHOWN], 1):
            rate = logs["after"][doc_id] / VISITS
            relevant = relevance.get(doc_id, 0) >= RELEVANT
            if rank == 1 and not relevant:
                top.append(rate)
            if rank >= 6 and relevant:
                low.append(rate)
    if not rows["grades"]:
        return None
    return ClickStudy(
        len(rows["grades"]),
        VISITS,
        _judged(rows["grades"]),
        _judged(rows["after"]),
        _judged(rows["before"]),
        sum(top) / len(top) if top else None,
        sum(low) / len(low) if low else None,
    )


def _judged(pairs: Sequence[tuple[float, float]]) -> Judged:
    return Judged(
        sum(b for b, _ in pairs) / len(pairs),
        sum(a for _, a in pairs) / len(pairs),
        sum(a > b + TIE for b, a in pairs),
        sum(a < b - TIE for b, a in pairs),
    )
