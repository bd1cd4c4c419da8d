"""Cost in words and tables: measurements and scale rows -> escaped HTML. What was not measured says "estimated"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rerank_core.scale import WAITS_S, ScaleRow, SearchBenchmark, within
from ui.board_words import day, machine
from ui.cost_measure import Measured
from ui.cost_words import about, duration, memory, times
from ui.templates import render
from ui.words import milliseconds, plural

PATIENCE_S = 60
"""Seconds after which nobody waits for an answer any more: what "could not" means here."""


def head(m: Measured) -> str:
    """What was measured, and the plain sentence about reading everything."""
    everything = m.passages * m.ms_per_pair
    size = about(within(PATIENCE_S, m.ms_per_pair))
    return render(
        "cost_head",
        facts=[
            ("encode the query, once", milliseconds(m.ms_encode)),
            (f"search {plural(m.passages, 'passage')}", milliseconds(m.ms_search)),
            ("read one pair", milliseconds(m.ms_per_pair)),
        ],
        measured=f"Measured here, live: medians of {plural(m.runs, 'run')} of {plural(m.pairs, 'pair')}, "
        f"{m.tokens:.0f} tokens a pair, for “{m.query}”.",
        plain=f"This library of {plural(m.passages, 'passage')} could be cross-encoded whole in "
        f"{duration(everything)} a query (estimated): one thousand passages take {duration(1_000 * m.ms_per_pair)}. "
        + (
            "Nobody needs a first stage for that, where such a wait is allowed. "
            if everything < PATIENCE_S * 1e3
            else ""
        )
        + f"From about {size} passages on it takes more than a minute a query, so that it could not be done for "
        "somebody who waits; the first stage is what makes a larger corpus possible.",
        waits=[
            {"wait": duration(s * 1e3), "size": about(within(s, m.ms_per_pair))} for s in WAITS_S
        ],
    )


def ratios(m: Measured) -> str:
    """Cross to dense per pair, by what is counted as the dense side's cost."""
    search = m.ms_search / max(m.passages, 1)
    query = (m.ms_encode + m.ms_search) / max(m.passages, 1)
    rows = [
        ("the dot product alone", "search ÷ passages; vectors and query are there already", search),
        ("the whole query", "(encode + search) ÷ passages: what a visitor waits for", query),
    ]
    if m.ms_passage:
        rows.append(
            ("encoding the passage, too", "as if there were no index: one forward pass a passage", m.ms_passage + query)
        )  # fmt: skip
    return render(
        "cost_ratios",
        pair=milliseconds(m.ms_per_pair),
        rows=[
            {"name": name, "counted": counted, "dense": _small(dense),
             "ratio": times(m.ms_per_pair / dense) if dense else "–"}
            for name, counted, dense in rows
        ],
        words=_ratio_words(m, query),
    )  # fmt: skip


def _ratio_words(m: Measured, query: float) -> str:
    words = (
        "Textbooks say about 100 times. There is no such number without saying what is counted, and over how many "
        f"passages the query’s encoding is shared: here, over {m.passages:,}, a pair read together costs "
        f"{times(m.ms_per_pair / query) if query else '–'} as much as one compared by vectors."
    )
    if m.ms_passage:
        words += (
            f" Encoding one passage took {milliseconds(m.ms_passage)} here, reading one pair "
            f"{milliseconds(m.ms_per_pair)}: what sets the two apart is when it is paid, once or with every query."
        )
    return words


def _small(ms: float) -> str:
    return (
        f"{ms * 1e6:.0f} ns"
        if ms < 1e-3
        else f"{ms * 1e3:.1f} µs"
        if ms < 0.1
        else milliseconds(ms)
    )


def table(rows: Sequence[ScaleRow], m: Measured, n: int, search: SearchBenchmark | None) -> str:
    """The figure's numbers, in words; and where the searches were measured."""
    return render(
        "cost_table",
        n=n,
        dims=m.dims,
        rows=[_row(row, row.passages == m.passages) for row in rows],
        where=_where(search),
    )


def _row(row: ScaleRow, library: bool) -> dict[str, Any]:
    return {
        "size": f"{row.passages:,}",
        "library": library,
        "search": milliseconds(row.searched.ms),
        "how": "measured" if row.searched.measured else "estimated",
        "dense": duration(row.dense),
        "two": duration(row.two_stage),
        "cross": duration(row.cross),
        "memory": memory(row.vectors_bytes),
        "pairs": row.pairs,
    }


def _where(search: SearchBenchmark | None) -> str:
    if search is None:
        return (
            "Search was measured in this library alone, so larger corpora show no line for it: run "
            "“python -m benchmarks.search” to measure more."
        )
    sizes = " and ".join(f"{p.passages:,}" for p in search.points)
    return (
        f"Search was measured live in this library, and over {sizes} random unit vectors of {search.dims} numbers on "
        f"{day(search.made_at)}, on {machine(search.environment)}, {plural(search.cores, 'core')}; at other sizes it "
        "is estimated in proportion. Everything that is not marked measured is estimated."
    )
