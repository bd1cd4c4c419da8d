"""Evaluate judged queries: score each once, keep what was said, derive the report. Any first stage, any judgements.

`evaluate_queries` is for small data in memory (an API, a notebook); `evaluate_stage` for files, with what an earlier
run kept. Every figure, at every N, comes from one scoring of the N candidates of each query. Left out: the command
line (evaluate_command.py) and what the report consists of (report_of.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from rerank_core.corpus import Corpus, OnProgress
from rerank_core.errors import InputError, RerankError
from rerank_core.evaluation import Facts, Plan, Tally
from rerank_core.first_stage import FirstStage, Searched, searched_by
from rerank_core.judged import RELEVANT_FROM, JudgedQuery, check_grades
from rerank_core.kept_scores import InMemory, Said
from rerank_core.limits import EVALUATE_RETRIEVE_K, EVALUATE_TOP_K
from rerank_core.pipeline import TwoStage
from rerank_core.pool import Pool
from rerank_core.records import Passage, Reranked
from rerank_core.report import Index, Report
from rerank_core.report_of import report_of
from rerank_core.score_cache import ScoreCache


class Kept(Protocol):
    """What is said of queries, from before and from now on."""

    def __contains__(self, query: JudgedQuery) -> bool: ...

    def get(self, query: JudgedQuery) -> Said | None: ...

    def add(self, said: Said) -> None: ...


def evaluate_queries(
    engine: TwoStage,
    corpus: Corpus | Iterable[str | Passage],
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, int]],
    retrieve_k: int = EVALUATE_RETRIEVE_K,
    top_k: int = EVALUATE_TOP_K,
    progress: OnProgress | None = None,
    *,
    relevant: int = RELEVANT_FROM,
    name: str = "queries",
) -> Report:
    """The report of a small set in memory: query id -> text, query id -> doc_id -> grade.

    Passages are encoded, unless they come as a Corpus. `progress(done, total)` counts queries; what it raises ends
    the evaluation. Scores are not kept in the engine's cache. Raises InputError for passages, queries, grades, N or K
    out of bounds and where no query has a relevant passage, and what TwoStage.retrieve and rerank_stream raise.
    """
    plan = Plan(retrieve_k, top_k, relevant)
    for query_id in qrels:
        if query_id not in queries:
            raise InputError(
                f"Query {query_id!r} is judged but has no text; add it to the queries."
            )
    judged = [
        JudgedQuery.of(q, text, check_grades(q, qrels[q]))
        for q, text in queries.items()
        if q in qrels
    ]
    index = None
    if not isinstance(corpus, Corpus):
        corpus = engine.corpus(corpus)
        index = Index(
            encoded=len({p.text for p in corpus.passages}), kept=0, ms=corpus.encode_ms, **searched_by(corpus)
        )  # fmt: skip
    stage = Searched(engine, corpus)
    return evaluate_stage(engine, stage, judged, plan, Facts(name, index=index), progress=progress)


def evaluate_stage(
    engine: TwoStage,
    stage: FirstStage,
    queries: Sequence[JudgedQuery],
    plan: Plan,
    facts: Facts,
    kept: Kept | None = None,
    progress: OnProgress | None = None,
) -> Report:
    """The report over `queries`; those that `kept` has are not scored again, the others are added to it one by one.

    `progress(done, total)` counts the queries that are scored now. Raises InputError where none has a relevant passage
    or none has candidates, and what the first stage, TwoStage.rerank_stream and `kept` raise.
    """
    kept = InMemory() if kept is None else kept
    asked = [q for q in queries if any(g >= plan.relevant for g in q.relevance.values())]
    if not asked:
        raise InputError(
            f"None of {len(queries)} judged queries has a passage of grade {plan.relevant} or more; without one there "
            "is nothing to find."
        )
    tally = Tally(plan, len(queries), len(queries) - len(asked))
    todo, done = sum(q not in kept for q in asked), 0
    for query in asked:
        said = kept.get(query)
        if said is not None:
            tally.resumed += 1
        else:
            said = said_of(engine, stage, query, plan.retrieve_k)
            if said is not None:
                kept.add(said)
            done += 1
            if progress:
                progress(done, todo)
        if said is None:
            tally.without_candidates += 1
        else:
            tally.add(query, said)
    if not tally.scored:
        raise InputError(f"{stage.name} has candidates for none of {len(asked)} queries.")

    def pool_of(query: JudgedQuery) -> Pool:
        again = kept.get(query)
        if again is None:
            raise RerankError(f"What was kept of query {query.query_id!r} is gone; start again.")
        return again.pool(query, plan.relevant)

    return report_of(tally, stage, engine.scorer_card, facts, pool_of)


def said_of(engine: TwoStage, stage: FirstStage, query: JudgedQuery, n: int) -> Said | None:
    """Both stages on one query, live; None where the first stage does not know it."""
    found = stage.candidates(query, n)
    if found is None:
        return None
    # A score cache of its own: every pair is computed, so that latency is live, and no text outlives the query.
    for item in engine.rerank_stream(
        query.text, found.ranking, cache=ScoreCache(max(1, len(found.ranking)))
    ):
        if isinstance(item, Reranked):
            pool = Pool(
                query.text,
                found.ranking.doc_ids,
                tuple(row.score for row in found.ranking),
                tuple(item.pair(row.doc_id).logit for row in found.ranking),
                found.beyond,
                query.relevance,
                timings=(*found.timings, *item.timings),
            )
            return Said.of(query, pool)
    raise RerankError("The reranking ended without an answer; try again.")
