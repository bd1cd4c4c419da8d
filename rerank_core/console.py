"""A comparison as text for a terminal: two lists side by side, what moved, what it cost.

Pure: records in, lines out. Texts are made safe to print (no control characters) and are measured
as a terminal does (wide characters take two columns).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from rerank_core.comparison import Comparison
from rerank_core.records import Scored, StageTiming

WIDTH = (80, 120)
"""Columns: narrower terminals wrap, wider ones are not filled."""
GAP = 3


def render(comparison: Comparison, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, which is first brought into WIDTH."""
    width = min(max(width, WIDTH[0]), WIDTH[1])
    column = (width - GAP) // 2
    n, k = len(comparison.before), min(comparison.top_k, len(comparison.before))
    yield fit(f"Query: {comparison.query}", width)
    yield fit(
        f"{comparison.retrieved.corpus_size} passages, {n} candidates read (N), top {k} (K)", width
    )
    yield ""
    yield _beside("RETRIEVE  bi-encoder, cosine", "RERANK  cross-encoder, logit", column)
    for left, right in zip(comparison.before.top(k), comparison.after.top(k), strict=True):
        to = comparison.after.rank_of(left.doc_id) or left.rank
        came = comparison.before.rank_of(right.doc_id) or right.rank
        yield _beside(
            _head(left, going(left.rank, to)), _head(right, coming(came, right.rank)), column
        )
        yield _beside(f"      {left.passage.text}", f"      {right.passage.text}", column)
    if k < n:
        yield fit(f"... and {n - k} more; --top-k shows more, --json all of them", width)
    yield ""
    yield from (fit(line, width) for line in latency(comparison))


def coming(before: int, after: int) -> str:
    """Where a row of the second list came from.

    >>> coming(17, 1), coming(1, 3), coming(2, 2)
    ('↑ from 17, up 16', '↓ from 1, down 2', '= stays')
    """
    if before == after:
        return "= stays"
    arrow, word = ("↑", "up") if after < before else ("↓", "down")
    return f"{arrow} from {before}, {word} {abs(before - after)}"


def going(before: int, after: int) -> str:
    """Where a row of the first list will go.

    >>> going(1, 3), going(2, 2)
    ('↓ to 3', '= stays')
    """
    if before == after:
        return "= stays"
    return f"{'↑' if after < before else '↓'} to {after}"


def latency(comparison: Comparison) -> Iterator[str]:
    """One line a stage, then the total; milliseconds of wall clock."""
    for timing in comparison.timings:
        yield f"{timing.name:<13}{timing.ms:>9.1f} ms{_details(timing)}"
    yield f"{'total':<13}{comparison.total_ms:>9.1f} ms"


def _details(timing: StageTiming) -> str:
    parts = []
    if timing.pairs:
        parts += [f"{timing.pairs} pairs", f"{timing.tokens:,} tokens", _batches(timing.batches)]
    if timing.pairs and timing.ms_per_pair is not None:
        parts.append(f"{timing.ms_per_pair:.1f} ms a pair")
    if timing.cold:
        parts.append("cold")
    if timing.cached:
        parts.append(f"{timing.cached} from the cache")
    return "  " + ", ".join(parts) if parts else ""


def _batches(n: int) -> str:
    return f"{n} batch{'' if n == 1 else 'es'}"


def _head(row: Scored, move: str) -> str:
    return f"{row.rank:>4}  {row.score:>7.3f}  {move}  [{row.doc_id}]"


def _beside(left: str, right: str, column: int) -> str:
    left = fit(left, column)
    return f"{left}{' ' * (column - columns(left) + GAP)}{fit(right, column)}".rstrip()


def fit(text: str, width: int) -> str:
    """One printable line of at most `width` columns, cut with an ellipsis.

    >>> fit("a\\tlong\\x1b[31m text", 10)
    'a long [3…'
    """
    clean = "".join(c if c.isprintable() else " " for c in text)
    if columns(clean) <= width:
        return clean
    while columns(clean) > width - 1:
        clean = clean[:-1]
    return clean + "…"


def columns(text: str) -> int:
    """How many terminal columns a text takes: two for a wide character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
