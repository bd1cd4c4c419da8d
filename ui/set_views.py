"""A report of `python -m rerank_core evaluate`, as the page shows it: record -> escaped HTML.

The same figures as in a terminal (report_text.py), as tables; the largest losses and gains are folded away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rerank_core.report import Mean, MetricRow, Report, Shown, ShownQuery
from rerank_core.report_text import SWEPT, index_lines, notes
from ui.templates import prose, render, text_file
from ui.words import plural

KINDS = {
    "candidate": "the right one was not among the candidates",
    "scoring": "the right one was scored lower",
}
FIRST_STAGE = {
    "bi-encoder": "Bi-encoder",
    "run": "First stage, a run file",
    "lists": "First stage, given lists",
}


def head() -> str:
    """What the section is."""
    return str(prose(text_file("set_report")))


def report(found: Report) -> str:
    """The whole report."""
    return render(
        "set_report",
        title=f"{found.name}: {plural(found.counts.evaluated, 'query', 'queries')}",
        verdict=_verdict(found),
        made=(
            f"Computed on {found.made_at[:10]} by the command line, not by this page: {found.retrieve_k} candidates "
            f"read (N), top {found.top_k} (K); relevant from grade {found.relevant} on."
        ),
        models=_models(found),
        notes=[*notes(found.counts), *index_lines(found.index)],
        tables=[_metrics(found.metrics), _sweep(found), _latency(found)],
        sides=[
            _side("largest losses", "No query lost", found.losses),
            _side("largest gains", "No query gained", found.gains),
        ],
        environment=(
            f"Python {found.environment.python} on {found.environment.platform}; inputs "
            f"{found.inputs_hash[:12] if found.inputs_hash else 'from memory, without a hash'}."
        ),
    )


def _verdict(found: Report) -> str:
    """Whether reranking helped, by the first of the figures, in a sentence."""
    if not found.metrics:
        return "The report holds no figure."
    row = found.metrics[0]
    counts = f"{row.wins:,} won, {row.ties:,} tied, {row.losses:,} lost"
    change = f"{row.name} went from {row.before.mean:.3f} to {row.after.mean:.3f} ({counts})"
    if row.lift.interval is None:
        return f"{change}; fewer than five queries tell nothing about others."
    low, high = row.lift.interval
    if low > 0:
        return f"Reranking helped here: {change}; the interval of the lift, {low:+.3f} to {high:+.3f}, lies above 0."
    if high < 0:
        return f"Reranking hurt here: {change}; the interval of the lift, {low:+.3f} to {high:+.3f}, lies below 0."
    return f"Not decided: {change}; the interval of the lift, {low:+.3f} to {high:+.3f}, holds 0."


def _models(found: Report) -> Iterator[dict[str, str]]:
    first = found.bi_encoder
    yield {
        "kind": FIRST_STAGE[found.first_stage],
        "name": found.first_stage_name,
        "hash": first.model_hash if first else "",
    }
    yield {
        "kind": "Cross-encoder",
        "name": found.cross_encoder.name,
        "hash": found.cross_encoder.model_hash,
    }


def _mean(mean: Mean, sign: str = "") -> str:
    if mean.interval is None:
        return f"{mean.mean:{sign}.3f}"
    low, high = mean.interval
    return f"{mean.mean:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def _metrics(rows: Sequence[MetricRow]) -> dict[str, Any]:
    counted = any(row.lift.interval for row in rows)
    return {
        "caption": "Before and after",
        "heads": ("figure", "before", "after", "lift", "ceiling", "won", "tied", "lost"),
        "rows": [
            (row.name, _mean(row.before), _mean(row.after), _mean(row.lift, "+"), f"{row.ceiling:.3f}",
             f"{row.wins:,}", f"{row.ties:,}", f"{row.losses:,}")
            for row in rows
        ],
        "words": ("In brackets: 95 % intervals by bootstrap over queries. " if counted else "")
        + "Ceiling: the best order of the candidates.",
    }  # fmt: skip


def _sweep(found: Report) -> dict[str, Any]:
    points = [p for p in found.sweep if p.n in SWEPT or p.n == found.retrieve_k]
    return {
        "caption": "By depth N, from one scoring",
        "heads": ("N", "nDCG@10", "nDCG@3", "relevant first", "recall@N", "ceiling"),
        "rows": [
            (f"{p.n:,}", *(f"{share:.3f}" for share in
             (p.ndcg10, p.ndcg3, p.success1, p.candidate_recall, p.ceiling)))
            for p in points
        ],
        "words": "",
    }  # fmt: skip


def _latency(found: Report) -> dict[str, Any]:
    pair = found.latency.ms_per_pair
    return {
        "caption": f"Latency of a query, over {plural(found.latency.queries, 'query', 'queries')}",
        "heads": ("stage", "median ms", "95th percentile ms"),
        "rows": [(s.stage, f"{s.p50_ms:,.1f}", f"{s.p95_ms:,.1f}") for s in found.latency.stages],
        "words": "" if pair is None else f"A pair: {pair:.1f} ms (median).",
    }


def _side(what: str, none: str, queries: Sequence[ShownQuery]) -> dict[str, Any]:
    return {
        "summary": f"{len(queries)} {what}, by nDCG@10" if queries else none,
        "queries": [
            {
                "query": q.query,
                "change": _change(q),
                "passages": [{"rank": p.rank_after, "place": _place(p), "text": p.text} for p in q.passages],
            }
            for q in queries
        ],
    }  # fmt: skip


def _change(shown: ShownQuery) -> str:
    words = [f"{shown.before:.3f} to {shown.after:.3f}"]
    words += [KINDS[shown.kind]] if shown.kind else []
    words += [f"{shown.missed:,} relevant not among the candidates"] if shown.missed else []
    return "; ".join(words)


def _place(row: Shown) -> str:
    moved = "stayed" if row.rank_before == row.rank_after else f"was {row.rank_before}"
    grade = "unjudged" if row.grade is None else f"grade {row.grade}"
    return f"rank {row.rank_after}, {moved}, {grade}:"
