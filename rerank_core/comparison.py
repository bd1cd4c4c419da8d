"""One query through both stages: what each said, what moved, what it cost, and what it was worth.

Left out: running the models (pipeline.py). Everything here is derived from two records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import exp

from rerank_core import metrics
from rerank_core.errors import InputError
from rerank_core.inputs import check_top_k
from rerank_core.movement import Move, movement
from rerank_core.records import ModelCard, PairScore, Ranking, Reranked, Retrieved, StageTiming

STAGES = ("wait", "encode query", "search", "cross-encode")


def calibrated(logit: float, card: ModelCard) -> float | None:
    """sigmoid((logit - offset) / temperature), in [0, 1]; None where the model is not calibrated."""
    if card.temperature is None:
        return None
    x = (logit - (card.offset or 0.0)) / card.temperature
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


@dataclass(frozen=True, slots=True)
class Lift:
    """What reranking changed in the first `k`: nDCG@k before and after, in [0, 1], and the counts behind it."""

    k: int
    before: float
    after: float
    relevant_before: int
    relevant_after: int
    unjudged_before: int
    unjudged_after: int

    @property
    def lift(self) -> float:
        """nDCG@k after minus before, in [-1, 1]."""
        return self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """Both stages' answers to one query; `top_k` (K) is how many are handed on."""

    query: str
    top_k: int
    retrieved: Retrieved
    reranked: Reranked

    @classmethod
    def of(cls, retrieved: Retrieved, reranked: Reranked, top_k: int) -> Comparison:
        """Put two answers together. InputError unless they hold one query and the same candidates."""
        check_top_k(top_k)
        if retrieved.query != reranked.query:
            raise InputError(
                f"The first stage answered {retrieved.query!r}, the second {reranked.query!r}; compare one query."
            )
        movement(retrieved.ranking, reranked.ranking)  # the same doc_ids, or InputError
        return cls(retrieved.query, top_k, retrieved, reranked)

    @property
    def retrieve_k(self) -> int:
        """How many candidates there are: N, or all passages where those are fewer."""
        return len(self.retrieved.ranking)

    @property
    def before(self) -> Ranking:
        """All candidates as the bi-encoder ranked them."""
        return self.retrieved.ranking

    @property
    def after(self) -> Ranking:
        """All candidates as the cross-encoder ranked them."""
        return self.reranked.ranking

    @cached_property
    def movement(self) -> tuple[Move, ...]:
        """Every candidate's ranks before and after, in the order of `after`."""
        return movement(self.before, self.after)

    @property
    def timings(self) -> tuple[StageTiming, ...]:
        """The four stages, in the order of STAGES; "wait" is the sum of both stages' waiting."""
        found = [*self.retrieved.timings, *self.reranked.timings]
        wait = StageTiming("wait", sum(t.ms for t in found if t.name == "wait"))
        by_name = {t.name: t for t in found} | {"wait": wait}
        return tuple(by_name.get(name, StageTiming(name, 0.0)) for name in STAGES)

    @property
    def total_ms(self) -> float:
        """Milliseconds of all four stages."""
        return sum(t.ms for t in self.timings)

    def pair(self, doc_id: str) -> PairScore:
        """What the cross-encoder said of a candidate. KeyError for any other doc_id."""
        return self.reranked.pair(doc_id)

    def probability(self, doc_id: str) -> float | None:
        """The calibrated probability of relevance, in (0, 1); None where the model is not calibrated."""
        return calibrated(self.pair(doc_id).logit, self.reranked.model)

    @property
    def confident(self) -> bool | None:
        """Whether rank 1's probability reaches the model's threshold; None where there is none, or no candidate."""
        threshold = self.reranked.model.not_confident_below
        if threshold is None or not len(self.after):
            return None
        probability = self.probability(self.after[0].doc_id)
        return None if probability is None else probability >= threshold

    def lift_at(self, k: int, relevance: Mapping[str, int]) -> Lift | None:
        """nDCG@k before and after; None where no judged passage is relevant: such a query has no lift.

        "After" is the N reranked candidates, then the bi-encoder's tail; the ideal is over all judged passages.
        Raises InputError for k below 1, or deeper than the ranks that are known.
        """
        check_top_k(k)
        tail = self.retrieved.tail
        known = self.retrieve_k + len(tail)
        if k > known and known < self.retrieved.corpus_size:
            raise InputError(
                f"Lift at {k} needs {k} ranks but only {known} are known; retrieve at least {k - len(tail)}."
            )
        if not metrics.has_relevant(relevance):
            return None
        before, after = (*self.before.doc_ids, *tail), (*self.after.doc_ids, *tail)
        return Lift(
            k,
            metrics.ndcg_at_k(before, relevance, k),
            metrics.ndcg_at_k(after, relevance, k),
            metrics.relevant_at_k(before, relevance, k),
            metrics.relevant_at_k(after, relevance, k),
            metrics.unjudged_at_k(before, relevance, k),
            metrics.unjudged_at_k(after, relevance, k),
        )
