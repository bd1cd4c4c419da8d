"""The report of an evaluation: one frozen record.

Figures are means over the queries that have a relevant passage. `relevant` says from which grade on a passage counts
as relevant; the gain of a grade is 2^grade - 1, whatever the scale: for grades 0 and 1 that is the same nDCG as with
linear gains, for higher grades it weighs them more than trec_eval does. Intervals are 95 % by bootstrap over queries
(intervals.py), null for fewer than five. Left out: files (report_file.py), how it reads (report_text.py) and how it is
made (report_of.py, evaluate_run.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rerank_core.errors import InputError
from rerank_core.forms import shown
from rerank_core.limits import GRADE_MAX
from rerank_core.records import ModelCard
from rerank_core.trace import Environment

Share = Annotated[float, Field(ge=0, le=1)]
Change = Annotated[float, Field(ge=-1, le=1)]
Ms = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Rank = Annotated[int, Field(ge=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Mean(_Record):
    """A mean with its interval."""

    mean: Change
    interval: tuple[float, float] | None


class MetricRow(_Record):
    """A figure before and after; `lift` is after minus before; `ceiling` the mean of the best order of the N
    candidates. `wins`, `ties` and `losses` count queries whose own figure rose, stayed (within 1e-9), fell.
    """

    name: str
    before: Mean
    after: Mean
    lift: Mean
    ceiling: Share
    wins: Count
    ties: Count
    losses: Count


class SweepPoint(_Record):
    """Means at N = `n`, all from one scoring of the largest pool: nDCG@10, nDCG@3 and success at 1 of the first n
    reranked and then the first stage's order; the share of relevant passages among the n; the best order's nDCG@10.
    """

    n: Rank
    ndcg10: Share
    ndcg3: Share
    success1: Share
    candidate_recall: Share
    ceiling: Share


class StageLatency(_Record):
    """Milliseconds a query of one stage, or of "total": median and 95th percentile (linear) over the queries."""

    stage: str
    p50_ms: Ms
    p95_ms: Ms


class Latency(_Record):
    """`stages` is over `queries` queries, cold ones left out where there are others; `ms_per_pair` is a median."""

    queries: Count
    stages: tuple[StageLatency, ...]
    ms_per_pair: Ms | None


class Index(_Record):
    """Paid once: distinct texts encoded by this run in `ms`, and those whose vectors were kept from before.

    `search` says how they are searched: "exact", or by which index, built in `build_ms`; `recall` is then its mean
    recall@100 against exact search on sample queries.
    """

    encoded: Count
    kept: Count
    ms: Ms
    search: str = "exact"
    recall: Share | None = None
    build_ms: Ms = 0.0


class Counts(_Record):
    """Of queries: `judged` were asked for, `evaluated` are in the means; `without_relevant` (no passage is relevant)
    and `without_candidates` (the given first stage lacks them) are in none; `resumed` of those evaluated were scored
    by an earlier run. `absent` counts relevant judgements of passages that the corpus lacks, which stay in the ideal;
    `queries_cut` and `passages_cut` count texts that were longer than what is read, and were cut.
    """

    judged: Count
    evaluated: Count
    without_relevant: Count
    without_candidates: Count
    resumed: Count
    absent: Count
    queries_cut: Count
    passages_cut: Count


class Shown(_Record):
    """A passage of a query that is shown: its text (the beginning, where `cut`), grade (null: unjudged), both ranks."""

    doc_id: str
    text: str
    cut: bool
    grade: Annotated[int, Field(ge=0, le=GRADE_MAX)] | None
    rank_before: Rank
    rank_after: Rank


class ShownQuery(_Record):
    """A loss or a gain with its texts: nDCG@10 before and after, and the passages behind it, by rank after.

    `kind` of a loss is "candidate" or "scoring" (failures.py); `missed` counts relevant passages outside the N.
    `passages` holds the first three of both lists and the best relevant one that is among the candidates.
    """

    query_id: str
    query: str
    before: Share
    after: Share
    kind: Literal["candidate", "scoring"] | None
    missed: Count
    passages: tuple[Shown, ...]


class QueryRow(_Record):
    """One query: `pairs` read, and its figures before and after, in the order of the report's `metrics`."""

    query_id: str
    pairs: Count
    before: tuple[Share, ...]
    after: tuple[Share, ...]


class Report(_Record):
    """One evaluation. `name` is the folder's or file's name, `first_stage_name` the model's or the run's.

    `losses` and `gains` are the largest of each by nDCG@10; `sweep` runs from N = 1 to `retrieve_k`; `queries` holds
    those of the means. `inputs_hash` is of the files, null where they came from memory.
    """

    schema_version: Literal[1]
    made_at: str
    name: str
    inputs_hash: str | None
    first_stage: Literal["bi-encoder", "run", "lists"]
    first_stage_name: str
    bi_encoder: ModelCard | None
    cross_encoder: ModelCard
    corpus_size: Count | None
    retrieve_k: Rank
    top_k: Rank
    relevant: Annotated[int, Field(ge=1, le=GRADE_MAX)]
    counts: Counts
    metrics: tuple[MetricRow, ...]
    sweep: tuple[SweepPoint, ...]
    latency: Latency
    index: Index | None
    losses: tuple[ShownQuery, ...]
    gains: tuple[ShownQuery, ...]
    queries: tuple[QueryRow, ...]
    environment: Environment

    @model_validator(mode="after")
    def _parallel(self) -> Report:
        m = len(self.metrics)
        for row in self.queries:
            if len(row.before) != m or len(row.after) != m:
                raise InputError(f"query {shown(row.query_id)} needs {m} figures before and after.")
        if len(self.queries) != self.counts.evaluated:
            raise InputError(
                f"{self.counts.evaluated} queries are counted but {len(self.queries)} are listed."
            )
        return self

    def metric(self, name: str) -> MetricRow:
        """The row of that name. KeyError for any other name."""
        return {row.name: row for row in self.metrics}[name]

    def to_json(self) -> str:
        """UTF-8 JSON, two spaces a level, a query a line, one line feed at the end."""
        head = self.model_dump_json(indent=2, exclude={"queries"}).removesuffix("\n}")
        lines = ",\n".join(f"    {row.model_dump_json()}" for row in self.queries)
        return f'{head},\n  "queries": [\n{lines}\n  ]\n}}\n'
