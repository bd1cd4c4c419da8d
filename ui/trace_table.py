"""The pair score trace as a sortable table, with the same trace as JSON and CSV to take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from rerank_core.pipeline import Comparison
from rerank_core.trace import Trace
from ui.rows import MARKS, UNJUDGED
from ui.templates import render
from ui.words import cosine, logit, probability

HEADS = (
    ("after", True), ("before", True), ("cosine", True), ("logit", True), ("probability", True),
    ("tokens", True), ("cut", True), ("scored", False), ("relevance", False), ("doc_id", False), ("passage", False),
)  # fmt: skip


def trace_rows(comparison: Comparison, relevance: Mapping[str, int] | None) -> Markup:
    """The table's rows: every candidate, in the cross-encoder's order."""
    rows = [_cells(comparison, row.doc_id, relevance) for row in comparison.after]
    return Markup(render("trace_rows", rows=rows))  # escaped by its own template


def trace_table(comparison: Comparison, trace: Trace, rows: Markup, csv: str) -> str:
    """The whole table around its rows, and the trace in both forms."""
    calibrated = comparison.confident is not None
    return render(
        "trace",
        heads=[{"name": n, "numeric": num, "sorted": n == "after"} for n, num in HEADS],
        rows=rows,
        words="Probability is estimated, for pools like these. "
        if calibrated
        else "This model is not calibrated: no probability.",
        json=trace.to_json(),
        csv=csv,
        filename=f"trace-{trace.query_id or 'query'}",
    )


def _cells(
    comparison: Comparison, doc_id: str, relevance: Mapping[str, int] | None
) -> list[dict[str, Any]]:
    before = comparison.before.rank_of(doc_id) or 0
    after = comparison.after.rank_of(doc_id) or 0
    scored = comparison.before[before - 1]
    pair = comparison.pair(doc_id)
    p = comparison.probability(doc_id)
    grade = None if relevance is None else relevance.get(doc_id)
    mark = "–" if relevance is None else (UNJUDGED if grade is None else MARKS[grade])[0]
    values: list[tuple[Any, str]] = [
        (after, str(after)), (before, str(before)), (scored.score, cosine(scored.score)),
        (pair.logit, logit(pair.logit)), ("" if p is None else p, probability(p)),
        (pair.tokens, str(pair.tokens)), (pair.cut, str(pair.cut)),
        ("", "cached" if pair.cached else "live"), ("", mark), ("", doc_id), ("", scored.passage.text),
    ]  # fmt: skip
    return [
        {"value": value if value != "" else shown, "shown": shown, "numeric": num, "kind": name}
        for (value, shown), (name, num) in zip(values, HEADS, strict=True)
    ]
