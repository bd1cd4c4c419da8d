"""Makes the report of queries that were scored: means, intervals, latencies, and the losses and gains with texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import fmean, median

import numpy as np

from rerank_core.depth import order_at
from rerank_core.evaluate import TIE
from rerank_core.evaluation import Facts, Scored, Tally
from rerank_core.failures import failure_kind
from rerank_core.first_stage import FirstStage
from rerank_core.intervals import bootstrap_intervals
from rerank_core.judged import JudgedQuery
from rerank_core.limits import EXCERPT_CHARS, REPORT_CHANGES
from rerank_core.pool import Pool
from rerank_core.query_figures import SWEEP, QueryFigures, measures
from rerank_core.records import ModelCard, StageTiming
from rerank_core.report import (
    Counts,
    Latency,
    Mean,
    MetricRow,
    QueryRow,
    Report,
    Shown,
    ShownQuery,
    StageLatency,
    SweepPoint,
)
from rerank_core.trace import this_environment

STAGES = ("encode query", "search", "cross-encode")
"""Those that a query waits for on a machine of its own, in their order; waiting for others is left out."""

SHOWN_TOP = 3
"""Rows of both lists that a shown query has."""


def report_of(
    tally: Tally,
    stage: FirstStage,
    cross_encoder: ModelCard,
    facts: Facts,
    pool_of: Callable[[JudgedQuery], Pool],
) -> Report:
    """The report of at least one scored query; `pool_of` gives a query's pool again, for the few that are shown."""
    scored, plan = tally.scored, tally.plan
    found = [s.figures for s in scored]

    def shown(some: Sequence[Scored]) -> tuple[ShownQuery, ...]:
        return tuple(
            _shown(s, pool_of(s.query), stage, plan.retrieve_k) for s in some[:REPORT_CHANGES]
        )

    falling = sorted(scored, key=lambda s: (s.figures.lift, s.query.query_id))
    rising = sorted(scored, key=lambda s: (-s.figures.lift, s.query.query_id))
    return Report(
        schema_version=1,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        name=facts.name,
        inputs_hash=facts.inputs_hash,
        first_stage=stage.kind,
        first_stage_name=stage.name,
        bi_encoder=stage.model,
        cross_encoder=cross_encoder,
        corpus_size=stage.corpus_size,
        retrieve_k=plan.retrieve_k,
        top_k=plan.top_k,
        relevant=plan.relevant,
        counts=Counts(
            judged=tally.judged,
            evaluated=len(scored),
            without_relevant=tally.without_relevant,
            without_candidates=tally.without_candidates,
            resumed=tally.resumed,
            absent=sum(_absent(s.query, stage, plan.relevant) for s in scored),
            queries_cut=sum(s.query.cut for s in scored),
            passages_cut=facts.passages_cut,
        ),
        metrics=_metrics(found, tuple(measures(plan.retrieve_k, plan.top_k))),
        sweep=tuple(
            SweepPoint(n=n, **dict(zip(SWEEP, map(float, row), strict=True)))
            for n, row in enumerate(tally.sweep.means, 1)
        ),
        latency=_latency([s.timings for s in scored]),
        index=facts.index,
        losses=shown([s for s in falling if s.figures.lift < -TIE]),
        gains=shown([s for s in rising if s.figures.lift > TIE]),
        queries=tuple(
            QueryRow(query_id=f.query_id, pairs=f.pairs, before=f.before, after=f.after)
            for f in found
        ),
        environment=this_environment(),
    )


def _metrics(found: Sequence[QueryFigures], called: Sequence[str]) -> tuple[MetricRow, ...]:
    """A row a figure, in the order of `called`."""
    befores = list(zip(*(f.before for f in found), strict=True))
    afters = list(zip(*(f.after for f in found), strict=True))
    ceilings = list(zip(*(f.ceiling for f in found), strict=True))
    lifts = [
        [a - b for b, a in zip(before, after, strict=True)]
        for before, after in zip(befores, afters, strict=True)
    ]
    spans = bootstrap_intervals([*befores, *afters, *lifts], [f.query_id for f in found])
    m = len(called)
    return tuple(
        MetricRow(
            name=name,
            before=Mean(mean=fmean(befores[i]), interval=spans[i]),
            after=Mean(mean=fmean(afters[i]), interval=spans[m + i]),
            lift=Mean(mean=fmean(lifts[i]), interval=spans[2 * m + i]),
            ceiling=fmean(ceilings[i]),
            wins=sum(x > TIE for x in lifts[i]),
            ties=sum(abs(x) <= TIE for x in lifts[i]),
            losses=sum(x < -TIE for x in lifts[i]),
        )
        for i, name in enumerate(called)
    )


def _absent(query: JudgedQuery, stage: FirstStage, relevant: int) -> int:
    return sum(g >= relevant and not stage.holds(query, d) for d, g in query.relevance.items())


def _latency(all_timings: Sequence[tuple[StageTiming, ...]]) -> Latency:
    warm = [t for t in all_timings if not any(stage.cold for stage in t)] or list(all_timings)
    by_name = [{t.name: t for t in timings} for timings in warm]
    columns = {
        name: [row[name].ms for row in by_name]
        for name in STAGES
        if all(name in row for row in by_name)
    }
    columns["total"] = [sum(parts) for parts in zip(*columns.values(), strict=True)]
    pairs = [row["cross-encode"].ms_per_pair for row in by_name if "cross-encode" in row]
    known = [ms for ms in pairs if ms is not None]
    return Latency(
        queries=len(warm),
        stages=tuple(
            StageLatency(
                stage=name,
                p50_ms=float(np.percentile(ms, 50)),
                p95_ms=float(np.percentile(ms, 95)),
            )
            for name, ms in columns.items()
        ),
        ms_per_pair=median(known) if known else None,
    )


def _shown(scored: Scored, pool: Pool, stage: FirstStage, n: int) -> ShownQuery:
    query, result = scored.query, scored.figures.result
    before, after = pool.before, order_at(pool, n)
    rank_before = {d: rank for rank, d in enumerate(before, 1)}
    best = next((s.doc_id for s in result.standings if s.doc_id in pool.doc_ids[:n]), None)
    wanted = {*before[:SHOWN_TOP], *after[:SHOWN_TOP], *([best] if best else [])}
    ordered = [(rank, d) for rank, d in enumerate(after, 1) if d in wanted]
    texts = stage.passages(query, [d for _, d in ordered])
    loss = scored.figures.lift < 0
    return ShownQuery(
        query_id=query.query_id,
        query=query.text,
        before=scored.figures.before[0],
        after=scored.figures.after[0],
        kind=failure_kind(result) if loss else None,
        missed=sum(s.before is None or s.before > n for s in result.standings),
        passages=tuple(
            Shown(
                doc_id=d,
                text=texts[d].text[:EXCERPT_CHARS],
                cut=len(texts[d].text) > EXCERPT_CHARS,
                grade=query.relevance.get(d),
                rank_before=rank_before[d],
                rank_after=rank,
            )
            for rank, d in ordered
        ),
    )
