"""What happens on Cost: plain values in, a CostView out. One short live measurement; N then asks no model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from rerank_core import limits
from rerank_core.scale import SIZES, ScaleRow, SearchBenchmark, read_search, scale
from ui import cost_figures, cost_views, views
from ui.asked import whole
from ui.cost_measure import Measured, Meter
from ui.faults import says_why_in
from ui.service import Service
from ui.view import SKIP

SEARCH = Path(__file__).parents[1] / "benchmarks" / "search.json"


class CostView(NamedTuple):
    """What one event sets on Cost, by component name."""

    message: Any = SKIP
    retrieve_k: Any = SKIP
    head: Any = SKIP
    by_size: Any = SKIP
    table: Any = SKIP
    ratios: Any = SKIP


class CostTab:
    """The handlers of the tab, over one Service; `search` is the file that benchmarks.search writes."""

    def __init__(self, service: Service, search: Path = SEARCH) -> None:
        self.service = service
        self.meter = Meter(service)
        self._search = search

    @cached_property
    def benchmark(self) -> SearchBenchmark | None:
        """Searches over many vectors; None where none were measured."""
        return read_search(self._search)

    @says_why_in(CostView)
    def open(self, query: str, retrieve_k: int) -> Iterator[CostView]:
        """The tab was chosen: N of Explore; measured now where nothing was."""
        n = _n(retrieve_k)
        if not self.meter.measured:
            yield CostView(message=views.note("Measuring ..."), retrieve_k=n)
        yield self._shown(self.meter.get(self._text(query)), n)._replace(retrieve_k=n)

    @says_why_in(CostView)
    def again(self, query: str, retrieve_k: int) -> Iterator[CostView]:
        """Measure again, on the query that Explore shows where it is a written one."""
        n = _n(retrieve_k)
        yield self._shown(self.meter.get(self._text(query), again=True), n)

    @says_why_in(CostView)
    def turn(self, query: str, retrieve_k: int) -> Iterator[CostView]:
        """N moved; no model is asked, but by the first who comes."""
        yield self._shown(self.meter.get(self._text(query)), _n(retrieve_k))

    def _text(self, query: str) -> str:
        """A written query: what is measured is shown to everybody, so a visitor's own stays theirs."""
        written = self.service.written_query(query)
        return (written or self.service.scenarios[0].queries[0]).text

    def rows(self, m: Measured, n: int) -> tuple[ScaleRow, ...]:
        """Every size that a search is known for: without the benchmark, up to the library's own."""
        points = [(m.passages, m.ms_search)]
        sizes = {*SIZES, m.passages}
        if self.benchmark is None:
            sizes = {size for size in sizes if size <= m.passages}
        else:
            own = [(p.passages, p.ms) for p in self.benchmark.points if p.passages > m.passages * 2]
            points += own
        return scale(
            points,
            ms_encode=m.ms_encode,
            ms_per_pair=m.ms_per_pair,
            n=n,
            dims=m.dims,
            sizes=sorted(sizes),
        )

    def _shown(self, m: Measured, n: int) -> CostView:
        rows = self.rows(m, n)
        return CostView(
            message="",
            head=cost_views.head(m),
            by_size=cost_figures.by_size(rows, n, m.passages),
            table=cost_views.table(rows, m, n, self.benchmark),
            ratios=cost_views.ratios(m),
        )


def _n(retrieve_k: Any) -> int:
    return whole(retrieve_k, "N, the shortlist", limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX)
