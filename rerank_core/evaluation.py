"""An evaluation's own records: what is asked of it, and what gathers while queries are gone through."""

from __future__ import annotations

from dataclasses import dataclass, field

from rerank_core.inputs import check_retrieve_k, check_top_k
from rerank_core.judged import RELEVANT_FROM, JudgedQuery, check_relevant
from rerank_core.kept_scores import Said
from rerank_core.limits import EVALUATE_RETRIEVE_K, EVALUATE_TOP_K
from rerank_core.query_figures import QueryFigures, Sweep, figures
from rerank_core.records import StageTiming
from rerank_core.report import Index


@dataclass(frozen=True, slots=True)
class Plan:
    """N, K, and the lowest grade that counts as relevant. InputError where one is out of its range, or K > N."""

    retrieve_k: int = EVALUATE_RETRIEVE_K
    top_k: int = EVALUATE_TOP_K
    relevant: int = RELEVANT_FROM

    def __post_init__(self) -> None:
        check_top_k(self.top_k, check_retrieve_k(self.retrieve_k))
        check_relevant(self.relevant)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says of where its figures come from, beside the figures themselves."""

    name: str
    inputs_hash: str | None = None
    passages_cut: int = 0
    index: Index | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A query with its figures, and the timings of the run that scored it."""

    query: JudgedQuery
    figures: QueryFigures
    timings: tuple[StageTiming, ...]


@dataclass
class Tally:
    """Queries so far. Of those `judged`, some have no relevant passage and some no candidates; `resumed` of the scored
    ones came from an earlier run. Pools are not held: what is needed of them is summed.
    """

    plan: Plan
    judged: int
    without_relevant: int
    without_candidates: int = 0
    resumed: int = 0
    scored: list[Scored] = field(default_factory=list)
    sweep: Sweep = field(init=False)

    def __post_init__(self) -> None:
        self.sweep = Sweep(self.plan.retrieve_k)

    def add(self, query: JudgedQuery, said: Said) -> None:
        """Take in what the models said of a query."""
        pool = said.pool(query, self.plan.relevant)
        self.sweep.add(pool)
        found = figures(query.query_id, pool, self.plan.retrieve_k, self.plan.top_k)
        self.scored.append(Scored(query, found, said.timings))
