"""A report as text for a terminal: figures before and after, the depths, the cost, the largest losses and gains.

Pure: a record in, lines out; what is shown of texts is made safe to print (console.fit).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rerank_core.console import WIDTH, columns, fit
from rerank_core.report import (
    Counts,
    Index,
    Latency,
    Mean,
    MetricRow,
    Report,
    Shown,
    ShownQuery,
    SweepPoint,
)

SWEPT = (1, 3, 5, 10, 20, 30, 50, 75, 100, 200, 300, 500, 750, 1000)
"""The depths of a sweep that a terminal shows, beside N itself; the JSON has all of them."""

TEXT_LINES = 2
"""Lines of a passage's text; the JSON has more of it."""


def render(report: Report, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, which is first brought into console.WIDTH."""
    width = min(max(width, WIDTH[0]), WIDTH[1])
    for line in _lines(report, width):
        yield fit(line, width).rstrip()


def _lines(report: Report, width: int) -> Iterator[str]:
    for line in _head(report):
        yield from wrapped(line, width)
    yield ""
    yield from _table(("", "before", "after", "change"), [_metric(row) for row in report.metrics])
    yield ""
    yield from _table(
        ("", "ceiling", "won", "tied", "lost"), [_counted(row) for row in report.metrics]
    )
    for line in _explained(report):
        yield from wrapped(line, width)
    yield ""
    yield "By depth N, from the same scores"
    yield from _table(
        ("N", "nDCG@10", "nDCG@3", "relevant first", "recall@N", "ceiling"),
        [_point(p) for p in report.sweep if p.n in SWEPT or p.n == report.retrieve_k],
    )
    yield ""
    yield from _latency(report.latency)
    for line in index_lines(report.index):
        yield from wrapped(line, width)
    for title, queries in (("Worst losses", report.losses), ("Best gains", report.gains)):
        yield ""
        yield (
            f"{title}, by nDCG@10; ranks after, grades (-: unjudged)"
            if queries
            else f"{title}: none"
        )
        for query in queries:
            yield from _query(query, report.retrieve_k, width)


def _head(report: Report) -> Iterator[str]:
    counts = report.counts
    size = "" if report.corpus_size is None else f", {report.corpus_size:,} passages"
    yield f"{report.name}: {_n(counts.evaluated, 'query', 'queries')}{size}"
    how = {"bi-encoder": "cosine", "run": "as the run file ranks", "lists": "as given"}
    yield f"First stage   {report.first_stage_name} ({how[report.first_stage]})"
    yield f"Second stage  {report.cross_encoder.name}"
    yield (
        f"{report.retrieve_k} candidates read (N), top {report.top_k} (K); relevant is grade {report.relevant} or "
        "more, the gain 2^grade - 1"
    )
    for note in notes(counts):
        yield f"Note: {note}."


def notes(counts: Counts) -> Iterator[str]:
    """What the counts say that a reader should know before the means."""
    found = (
        (counts.without_relevant, "judged query has no relevant passage and is in no mean",
         "judged queries have no relevant passage and are in no mean"),
        (counts.without_candidates, "query has no candidates in the first stage and is in no mean",
         "queries have no candidates in the first stage and are in no mean"),
        (counts.absent, "relevant passage is not in the corpus and counts as not found",
         "relevant passages are not in the corpus and count as not found"),
        (counts.queries_cut, "query was longer than what is read and was cut",
         "queries were longer than what is read and were cut"),
        (counts.passages_cut, "passage was longer than what is read and was cut",
         "passages were longer than what is read and were cut"),
        (counts.resumed, "query was scored by an earlier run, its latency with it",
         "queries were scored by an earlier run, their latencies with them"),
    )  # fmt: skip
    for n, one, many in found:
        if n:
            yield _n(n, one, many)


def index_lines(index: Index | None) -> Iterator[str]:
    """What encoding the corpus took, and how it is searched where that is not exactly."""
    if index is None:
        return
    yield (
        f"Index, paid once: {index.encoded:,} texts encoded now, {index.kept:,} kept from before, "
        f"{index.ms / 1e3:,.1f} s"
    )
    if index.recall is not None:
        yield (
            f"Search: {index.search}; recall@100 {index.recall:.3f} against exact search, "
            f"built in {index.build_ms / 1e3:,.1f} s"
        )


def _explained(report: Report) -> Iterator[str]:
    if any(row.lift.interval for row in report.metrics):
        yield "In brackets: 95 % intervals by bootstrap over queries."
    else:
        yield "Too few queries for intervals (fewer than 5)."
    yield "Ceiling: the best order of the N candidates. Reranking adds none: recall@N stays."


def _metric(row: MetricRow) -> Sequence[str]:
    return (
        row.name,
        _mean(row.before, ""),
        _mean(row.after, ""),
        _mean(row.lift, "+"),
    )


def _counted(row: MetricRow) -> Sequence[str]:
    return row.name, f"{row.ceiling:.3f}", str(row.wins), str(row.ties), str(row.losses)


def _mean(mean: Mean, sign: str) -> str:
    if mean.interval is None:
        return f"{mean.mean:{sign}.3f}"
    low, high = mean.interval
    return f"{mean.mean:{sign}.3f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def _point(point: SweepPoint) -> Sequence[str]:
    shares = point.ndcg10, point.ndcg3, point.success1, point.candidate_recall, point.ceiling
    return (str(point.n), *(f"{share:.3f}" for share in shares))


def _latency(latency: Latency) -> Iterator[str]:
    yield f"Latency of a query, over {_n(latency.queries, 'query', 'queries')}"
    yield from _table(
        ("", "p50 ms", "p95 ms"),
        [(s.stage, f"{s.p50_ms:,.1f}", f"{s.p95_ms:,.1f}") for s in latency.stages],
    )
    if latency.ms_per_pair is not None:
        yield f"A pair: {latency.ms_per_pair:.1f} ms (median)"


def _query(shown: ShownQuery, n: int, width: int) -> Iterator[str]:
    kinds = {"candidate": f"not among the {n} candidates", "scoring": "scored lower"}
    why = f"; the right one was {kinds[shown.kind]}" if shown.kind else ""
    missed = f"; {shown.missed:,} relevant beyond N" if shown.missed else ""
    yield ""
    yield from wrapped(f"  {shown.query}", width, "  ", TEXT_LINES)
    change = f"{shown.before:.3f} -> {shown.after:.3f}{why}{missed}"
    yield from wrapped(f"  [{shown.query_id}]  {change}", width, "  ")
    for row in shown.passages:
        yield from _passage(row, width)


def _passage(row: Shown, width: int) -> Iterator[str]:
    came = "stays" if row.rank_before == row.rank_after else f"from {row.rank_before}"
    grade = "-" if row.grade is None else str(row.grade)
    head = f"  {row.rank_after:>4}  {came:<9}  grade {grade:<2}  "
    yield from wrapped(head + row.text, width, " " * len(head), TEXT_LINES)


def wrapped(text: str, width: int, indent: str = "", most: int | None = None) -> Iterator[str]:
    """Lines of at most `width` columns, broken at spaces, the second and later ones indented; cut after `most`.

    >>> list(wrapped("one two three four", 9, "  ", most=2))
    ['one two', '  three …']
    """
    line, lines, words = "", 1, text.split(" ")
    for i, word in enumerate(words):
        longer = f"{line} {word}" if i else word
        if columns(longer) <= width or not line.strip():
            line = longer
            continue
        if lines == most:
            yield fit(f"{line} …", width)
            return
        yield line
        line, lines = indent + word, lines + 1
    yield line


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(columns(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        first = row[0].ljust(widths[0])
        yield "  ".join(
            ["  " + first, *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        )


def _n(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
