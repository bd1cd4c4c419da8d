"""Ranking metrics over grades in rank order: pure functions, no models, no records.

Grades are 0 not relevant, 1 on the topic only, 2 partly answers, 3 answers; "relevant" means RELEVANT or more,
unless a caller whose judgements are on another scale (a BEIR folder's 0 and 1) says from which grade on: `relevant`.
A ranked list is given as its doc_ids, judgements as a mapping doc_id -> grade; what is not listed is unjudged and
counts as 0. Ties are settled before: a list has an order.

Sources: Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002, with the
exponential gains 2^grade - 1 of Burges et al., "Learning to rank using gradient descent", ICML 2005.

Worked by hand: judged grades a=3, b=2; the list b, x, a.
DCG@3 = 3/log2(2) + 0 + 7/log2(4) = 3 + 3.5 = 6.5; ideal a, b: 7/1 + 3/log2(3) = 8.8928; nDCG@3 = .7309.

>>> round(ndcg_at_k(["b", "x", "a"], {"a": 3, "b": 2}, 3), 4)
0.7309
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from rerank_core.errors import InputError

RELEVANT = 2
"""The lowest grade that counts as relevant: a passage that at least partly answers."""

Grades = Mapping[str, int]


def gain(grade: int) -> int:
    """2^grade - 1: 0, 1, 3, 7 for the grades 0 to 3."""
    return 2**grade - 1


def dcg_at_k(grades_in_order: Sequence[int], k: int) -> float:
    """Sum over ranks r <= k of gain / log2(r + 1). Range [0, inf)."""
    _check_k(k)
    return sum(gain(g) / log2(r + 1) for r, g in enumerate(grades_in_order[:k], 1))


def ndcg_at_k(doc_ids: Sequence[str], relevance: Grades, k: int) -> float:
    """DCG@k over the DCG@k of the best order of all judged passages, retrieved or not. Range [0, 1].

    0.0 where no passage has a positive grade; ask `has_relevant` first where that must read "no lift" instead.
    """
    ideal = dcg_at_k(sorted(relevance.values(), reverse=True), k)
    if ideal == 0:
        return 0.0
    return dcg_at_k([relevance.get(d, 0) for d in doc_ids], k) / ideal


def relevant_at_k(
    doc_ids: Sequence[str], relevance: Grades, k: int, relevant: int = RELEVANT
) -> int:
    """How many of the first k are relevant."""
    _check_k(k)
    return sum(relevance.get(d, 0) >= relevant for d in doc_ids[:k])


def precision_at_k(
    doc_ids: Sequence[str], relevance: Grades, k: int, relevant: int = RELEVANT
) -> float:
    """Relevant among the first k, over k (also where the list is shorter). Range [0, 1]."""
    return relevant_at_k(doc_ids, relevance, k, relevant) / k


def recall_at_k(
    doc_ids: Sequence[str], relevance: Grades, k: int, relevant: int = RELEVANT
) -> float:
    """Relevant among the first k, over all relevant judged passages; 0.0 where there are none. Range [0, 1]."""
    total = sum(g >= relevant for g in relevance.values())
    return relevant_at_k(doc_ids, relevance, k, relevant) / total if total else 0.0


def success_at_k(
    doc_ids: Sequence[str], relevance: Grades, k: int, relevant: int = RELEVANT
) -> float:
    """1.0 where at least one of the first k is relevant, else 0.0."""
    return 1.0 if relevant_at_k(doc_ids, relevance, k, relevant) else 0.0


def reciprocal_rank(doc_ids: Sequence[str], relevance: Grades, relevant: int = RELEVANT) -> float:
    """1 / rank of the first relevant passage; 0.0 where there is none. Range [0, 1]."""
    for rank, doc_id in enumerate(doc_ids, 1):
        if relevance.get(doc_id, 0) >= relevant:
            return 1 / rank
    return 0.0


def unjudged_at_k(doc_ids: Sequence[str], relevance: Grades, k: int) -> int:
    """How many of the first k carry no judgement (they count as 0, and are shown as unjudged)."""
    _check_k(k)
    return sum(d not in relevance for d in doc_ids[:k])


def has_relevant(relevance: Grades, relevant: int = RELEVANT) -> bool:
    """True where some judged passage is relevant: without one a query has no lift."""
    return any(g >= relevant for g in relevance.values())


def ceiling_order(candidates: Sequence[str], relevance: Grades) -> list[str]:
    """The best order any reranker could give these candidates: by grade, ties as they stand."""
    return sorted(candidates, key=lambda d: -relevance.get(d, 0))


def brier(probability: float, outcome: bool) -> float:
    """Squared error of a stated probability in [0, 1]; a coin's .5 always scores .25.

    Source: Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950
    (the one-sided form, half of the original's two-class sum).
    """
    if not 0 <= probability <= 1:
        raise InputError(f"A probability lies between 0 and 1, not {probability}.")
    return (probability - outcome) ** 2


def _check_k(k: int) -> None:
    if k < 1:
        raise InputError(f"k is a depth of at least 1, not {k}.")
