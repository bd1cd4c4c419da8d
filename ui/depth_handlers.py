"""What happens on Depth: plain values in, a DepthView out.

`open` scores the largest pool, once; everything else derives from the kept pool and can ask no model. Left out:
components and their wiring (depth.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr

from rerank_core import limits
from rerank_core.budget import knee, n_for_budget
from rerank_core.depth import DEPTH_MAX, DepthPoint, curve
from rerank_core.errors import RerankError
from rerank_core.evaluate import ALL
from rerank_core.latency import Cost, cost_of
from rerank_core.pool import Pool
from rerank_core.records import Progress
from rerank_core.turnover import turnover
from ui import depth_figures as figures
from ui import depth_lists as lists
from ui import depth_views as views
from ui.asked import number, said, whole
from ui.budget_slider import budget_slider
from ui.depth_mean import SLICE, Mean, mean_of
from ui.depth_words import pairs_read, relevant
from ui.latencies import RUNS, Latencies
from ui.pools import Pools
from ui.stored import StoredBoard
from ui.view import SKIP
from ui.words import milliseconds, plural


class DepthView(NamedTuple):
    """What one event sets on Depth; field names are component names."""

    head: Any = SKIP
    retrieve_k: Any = SKIP
    top_k: Any = SKIP
    budget: Any = SKIP
    stop: Any = SKIP
    score: Any = SKIP
    derived: Any = SKIP
    query_caption: Any = SKIP
    query_plot: Any = SKIP
    mean_caption: Any = SKIP
    mean_plot: Any = SKIP
    at: Any = SKIP
    latency_plot: Any = SKIP
    measure: Any = SKIP
    measure_stop: Any = SKIP
    measuring: Any = SKIP
    latency_words: Any = SKIP
    ghosts: Any = SKIP
    table: Any = SKIP


class Depth:
    """The handlers of the Depth part, over the kept pools and the stored board."""

    def __init__(self, pools: Pools, stored: StoredBoard) -> None:
        self.pools = pools
        self.stored = stored
        self.service = pools.service
        self.latencies = Latencies(self.service)

    def open(
        self, query: str, retrieve_k: Any, top_k: Any, over: Any, request: gr.Request
    ) -> Iterator[DepthView]:
        """The tab was chosen, or scoring asked for: read the pool's pairs unless it is kept, then show all."""
        try:
            n, k = _bounded(retrieve_k, top_k)
            if not self.pools.holds(query):
                yield self._reading(query, Progress(0, DEPTH_MAX))
            for item in self.pools.stream(query, request.session_hash):
                if isinstance(item, Pool):
                    yield self._scored(item, n, k, over)
                else:
                    yield self._reading(query, item)
        except Exception as error:
            yield self._failed(query, error)

    def move(self, query: str, retrieve_k: Any, top_k: Any, budget: Any, over: Any) -> DepthView:
        """N or the budget moved: derive anew."""
        try:
            pool = self.pools.of(query)
            n, k = _bounded(retrieve_k, top_k)
            ms = number(budget, "The budget in milliseconds", 0, limits.BUDGET_MS_MAX)
            return self._derived(pool, n, k, ms, over)
        except Exception as error:
            return self._failed(query, error)

    def turn(self, query: str, retrieve_k: Any, top_k: Any, budget: Any, over: Any) -> DepthView:
        """K, or what the mean is over, changed: derive anew, the table too."""
        view = self.move(query, retrieve_k, top_k, budget, over)
        if view.at == SKIP:
            return view
        return view._replace(table=self._table(self.pools.of(query), int(top_k), over))

    def stop(self, query: str) -> DepthView:
        """The run was stopped; what was read so far is kept by the engine and need not be read again."""
        return DepthView(
            head=views.head(query, "idle", views.STOPPED),
            stop=gr.update(visible=False),
            score=gr.update(visible=True),
        )

    def measure(
        self, query: str, retrieve_k: Any, top_k: Any, budget: Any, over: Any
    ) -> Iterator[DepthView]:
        """Live runs at several N, one after the other; at the end the figure holds their medians."""
        try:
            self.pools.of(query)
            yield self._measuring(0)
            for done in self.latencies.measure(query):
                yield self._measuring(done)
            yield self.move(query, retrieve_k, top_k, budget, over)._replace(
                measure=gr.update(visible=True, value="Measure again"),
                measure_stop=gr.update(visible=False),
                measuring=views.measuring(RUNS, RUNS),
            )
        except Exception as error:
            yield self._failed(query, error)._replace(**self._at_rest())

    def stop_measuring(self) -> DepthView:
        """The measurement was stopped: what was kept before stays."""
        return DepthView(**self._at_rest())

    def _measuring(self, done: int) -> DepthView:
        return DepthView(
            measure=gr.update(visible=False),
            measure_stop=gr.update(visible=True),
            measuring=views.measuring(done, RUNS),
        )

    def _at_rest(self) -> dict[str, Any]:
        return {
            "measure": gr.update(visible=True),
            "measure_stop": gr.update(visible=False),
            "measuring": "",
        }

    def _reading(self, query: str, progress: Progress) -> DepthView:
        return DepthView(
            head=views.head(query, "reading", progress=progress),
            derived=gr.update(visible=False),  # what stands there is another query's
            stop=gr.update(visible=True),
            score=gr.update(visible=False),
        )

    def _failed(self, query: str, error: Exception) -> DepthView:
        return DepthView(
            head=views.head(str(query), "idle", fault=said(error, "depth")),
            stop=gr.update(visible=False),
            score=gr.update(visible=True),
        )

    def _scored(self, pool: Pool, n: int, k: int, over: Any) -> DepthView:
        cost = self._cost(pool)
        slider, budget = budget_slider(cost, len(pool))
        spent = f" in {milliseconds(cost.ms_per_pair * pairs_read(pool))}" if cost else ""
        kept = next((t.cached for t in pool.timings if t.name == "cross-encode"), 0)
        earlier = f", {kept} of them by an earlier run" if kept else ""
        words = f"Live: {plural(pairs_read(pool), 'pair')} read once{spent}{earlier}, on the models in use."
        return self._derived(pool, n, k, budget, over)._replace(
            head=views.head(pool.query, "final", words),
            retrieve_k=n,
            top_k=k,
            budget=slider,
            stop=gr.update(visible=False),
            score=gr.update(visible=False),
            derived=gr.update(visible=True),
            **self._at_rest(),
            table=self._table(pool, k, over),
        )

    def _derived(self, pool: Pool, n: int, k: int, budget: float, over: Any) -> DepthView:
        written = self.service.written_query(pool.query) is not None
        points, moved = curve(pool, k), turnover(pool, k)
        mean, cost, live = (
            self._mean(pool, k, over),
            self._cost(pool),
            self.latencies.of(pool.query),
        )
        flat = points or [DepthPoint(p.n, 0, 0, 0, 0, 0) for p in moved]
        buys = n_for_budget(flat, budget, cost.ms_query, cost.ms_per_pair) if cost else None
        here = min(n, max(len(pool), 1))
        if points:
            title, plot = "This query", figures.depth_curves(points, here, k, knee(points))
            words = (
                f"One query, {plural(relevant(pool), 'relevant passage')}: curves move in steps."
            )
        else:
            title, plot = "This query: what moves", figures.movement_curves(moved, here, k)
            words = "Shares of places, not of quality: there are no judgements to measure it with."
        return DepthView(
            query_caption=views.caption(title, words),
            query_plot=plot,
            mean_caption=views.caption("The mean", mean.words),
            mean_plot=gr.update(
                visible=bool(mean.points),
                value=figures.depth_curves(mean.points, here, k, knee(mean.points)),
            ),
            at=views.at_n(pool, points, moved, mean, n, k, written),
            latency_plot=figures.latency_line(cost, pairs_read(pool), here, budget, buys, live),
            latency_words=views.latency_words(pool, points, mean, cost, budget, live),
            ghosts=lists.ghost_list(
                pool, n, self.pools.passages, len(self.service.library.passages), written
            ),
        )

    def _table(self, pool: Pool, k: int, over: Any) -> str:
        mean, cost = self._mean(pool, k, over), self._cost(pool)
        return lists.table(pool, curve(pool, k), turnover(pool, k), mean, cost, k)

    def _mean(self, pool: Pool, k: int, over: Any) -> Mean:
        try:
            stored = self.stored.get()
            written = self.service.written_query(pool.query)
            slice_name = written.slice if written and over == SLICE else ALL
            return mean_of(stored, slice_name, k, no_slice=over == SLICE and written is None)
        except RerankError as error:
            return Mean((), said(error, "the stored board"))

    def _cost(self, pool: Pool) -> Cost | None:
        cost = cost_of([pool])
        return cost if cost and cost.ms_per_pair > 0 else None


def _bounded(retrieve_k: Any, top_k: Any) -> tuple[int, int]:
    n = whole(retrieve_k, "N, the pairs that get read,", 1, DEPTH_MAX)
    return n, whole(top_k, "K, the rows handed on,", limits.TOP_K_MIN, limits.TOP_K_MAX)
