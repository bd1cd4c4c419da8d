"""What happens on Explore: plain values in, a View out.

A View's fields are the names of the components it sets; a field that is not given leaves its component as it is.
Handlers hold no state between calls: `before` is derived anew on the server each time, so that no visitor can see
another's. Every RerankError becomes one sentence beside the buttons, and what was typed stays.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gradio as gr

from rerank_core import limits
from rerank_core.errors import InputError, ModelError, RerankError
from rerank_core.pipeline import Comparison
from rerank_core.prediction import Prediction, add_round, judge
from rerank_core.records import Progress, Reranked, Retrieved
from rerank_core.scenarios import Query
from rerank_core.trace import trace_of
from ui import figures, results, views
from ui.links import Link, read_link
from ui.predictions import prediction_from, round_key, rounds_from, rounds_to, to_round
from ui.service import Service
from ui.trace_table import trace_table

log = logging.getLogger(__name__)
SKIP = gr.skip()
OURS = "Something went wrong on our side, and the server's log says what. What you typed is kept: try again."


class View(NamedTuple):
    """What one event sets; field names are component names."""

    scenario: Any = SKIP
    query_choice: Any = SKIP
    query: Any = SKIP
    retrieve_k: Any = SKIP
    top_k: Any = SKIP
    message: Any = SKIP
    before: Any = SKIP
    predict: Any = SKIP
    predict_head: Any = SKIP
    will_change: Any = SKIP
    sure: Any = SKIP
    leader: Any = SKIP
    new_in_top3: Any = SKIP
    middle: Any = SKIP
    commit: Any = SKIP
    just_show: Any = SKIP
    lines: Any = SKIP
    next_query: Any = SKIP
    after: Any = SKIP
    verdict: Any = SKIP
    bars: Any = SKIP
    costs: Any = SKIP
    lesson: Any = SKIP
    trace: Any = SKIP
    record: Any = SKIP
    record_words: Any = SKIP
    clear_record: Any = SKIP


def says_why(handler: Callable[..., Iterator[View]]) -> Callable[..., Iterator[View]]:
    """An error ends a handler with one sentence and live buttons, never with a traceback on the page."""

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Iterator[View]:
        try:
            yield from handler(*args, **kwargs)
        except RerankError as error:
            if isinstance(error, ModelError):
                log.exception("in %s", handler.__name__)
            said = OURS if isinstance(error, ModelError) else str(error)
            yield View(message=views.message(said), **_buttons(True))
        except Exception:
            log.exception("in %s", handler.__name__)
            yield View(message=views.message(OURS), **_buttons(True))

    return guarded


class Explore:
    """The handlers of the Explore part, over one Service."""

    def __init__(self, service: Service, base: str = "") -> None:
        self.service = service
        self.base = base

    @says_why
    def load(self, record: Any, request: gr.Request) -> Iterator[View]:
        """The page has opened: apply the address, wait for the models, show the first ranking."""
        link = read_link(dict(request.query_params), self.service.scenarios)
        rounds = rounds_from(record)
        if not self.service.ready:
            yield self._inputs(link)._replace(
                before=views.fault_list(
                    "The models are loading; this takes a few seconds after the server starts.", is_fault=False
                ),
            )
            try:
                self.service.wait()
            except RerankError as fault:
                yield View(before=views.fault_list(str(fault)), after=views.waiting(0))
                return
        view = self._retrieved(link)._replace(
            message=views.message(" ".join(link.notes)),
            record_words=results.record(rounds),
            clear_record=gr.update(visible=bool(rounds)),
        )
        yield view
        if link.reveal:
            yield from self._reveal(link, None, rounds, request)

    @says_why
    def choose_scenario(self, scenario: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """A card: its first query runs."""
        first = self.service.library.scenario(scenario).queries[0]
        yield self._retrieved(self._link(scenario, first.text, retrieve_k, top_k))

    @says_why
    def choose_query(self, scenario: str, query_id: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """One of the scenario's written queries."""
        query = self.service.library.query(query_id)
        yield self._retrieved(self._link(scenario, query.text, retrieve_k, top_k))

    @says_why
    def change(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """The query was edited, or N or K moved: rank again, and forget the reveal."""
        yield self._retrieved(self._link(scenario, query, retrieve_k, top_k))

    @says_why
    def next(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """The scenario's next written query, round and round."""
        queries = self.service.library.scenario(scenario).queries
        written = self.service.written_query(query)
        here = next((i for i, q in enumerate(queries) if written and q.id == written.id), -1)
        following = queries[(here + 1) % len(queries)]
        yield self._retrieved(self._link(scenario, following.text, retrieve_k, top_k))

    @says_why
    def commit(
        self,
        scenario: str,
        query: str,
        retrieve_k: int,
        top_k: int,
        will_change: str | None,
        sure: float,
        leader: int | None,
        new_in_top3: int | None,
        middle: str | None,
        record: Any,
        request: gr.Request,
    ) -> Iterator[View]:
        """Lock the prediction, rerank, score it."""
        prediction = prediction_from(will_change, sure, leader, new_in_top3, middle)
        link = self._link(scenario, query, retrieve_k, top_k)
        yield from self._reveal(link, prediction, rounds_from(record), request)

    @says_why
    def just_show(
        self, scenario: str, query: str, retrieve_k: int, top_k: int, record: Any, request: gr.Request
    ) -> Iterator[View]:
        """Rerank without a prediction: nothing is scored."""
        link = self._link(scenario, query, retrieve_k, top_k)
        yield from self._reveal(link, None, rounds_from(record), request)

    def clear(self) -> View:
        """Forget the record kept in this browser."""
        return View(record=[], record_words=results.record([]), clear_record=gr.update(visible=False))

    # How a state becomes a View -------------------------------------------------------------------

    def _link(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Link:
        """What the controls say, checked: the limits hold here, whatever the browser sent."""
        n = _whole(retrieve_k, "N, the shortlist", limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX)
        k = _whole(top_k, "K, the rows handed on", limits.TOP_K_MIN, limits.TOP_K_MAX)
        if k > n:
            raise InputError(f"K = {k} rows cannot be handed on from a shortlist of N = {n}; lower K or raise N.")
        written = self.service.written_query(query)
        return Link(scenario, query, written.id if written else None, n, k)

    def _inputs(self, link: Link) -> View:
        scenario = self.service.library.scenario(link.scenario)
        return View(
            scenario=link.scenario,
            query_choice=gr.update(
                choices=[(q.text, q.id) for q in scenario.queries],
                value=link.query_id if any(q.id == link.query_id for q in scenario.queries) else None,
            ),
            query=link.query,
            retrieve_k=link.retrieve_k,
            top_k=link.top_k,
        )

    def _retrieved(self, link: Link) -> View:
        """Stage one has run; nothing is predicted yet and nothing revealed."""
        retrieved = self.service.retrieve(link.query, link.retrieve_k)
        n = len(retrieved.ranking)
        leaders = [(str(r), r) for r in range(2, min(n, views.SHOWN) + 1)]
        return self._inputs(link)._replace(
            message=views.message(""),
            before=views.ranking_before(retrieved, top_k=link.top_k, link=link.to_query_string()),
            predict=gr.update(visible=True),
            predict_head=views.predict_head(self._question(link)),
            will_change=gr.update(value=None, interactive=True),
            sure=gr.update(value=75, interactive=True),
            leader=gr.update(choices=[*leaders, ("below", 0)], value=None, interactive=True),
            new_in_top3=gr.update(value=None, interactive=True),
            middle=gr.update(value=None, interactive=True),
            lines=gr.update(visible=False),
            next_query=gr.update(visible=False),
            after=views.waiting(n),
            verdict="",
            bars=figures.latency_bars(retrieved.timings),
            costs=self._costs(retrieved.timings, retrieved),
            lesson="",
            trace="",
            **_buttons(n > 0),
        )

    def _reveal(
        self, link: Link, prediction: Prediction | None, rounds: list[Any], request: gr.Request
    ) -> Iterator[View]:
        retrieved = self.service.retrieve(link.query, link.retrieve_k)
        n = len(retrieved.ranking)
        locked = gr.update(interactive=False)
        yield View(
            message=views.message(""),
            will_change=locked,
            sure=locked,
            leader=locked,
            new_in_top3=locked,
            middle=locked,
            after=views.waiting(n, Progress(0, n)),
            **_buttons(False),
        )
        reranked = None
        for item in self.service.rerank_stream(link.query, retrieved.ranking, request.session_hash):
            if isinstance(item, Reranked):
                reranked = item
            else:
                yield View(after=views.waiting(n, item))
        assert reranked is not None  # the stream's last item, by its contract
        yield self._revealed(link, Comparison.of(retrieved, reranked, link.top_k), prediction, rounds)

    def _revealed(
        self, link: Link, comparison: Comparison, prediction: Prediction | None, rounds: list[Any]
    ) -> View:
        query: Query | None = self.service.written_query(link.query)
        relevance = query.relevance if query else None
        judged = prediction and judge(prediction, comparison.before, comparison.after, views.SHOWN)
        counted = False
        if judged:
            rounds, counted = add_round(rounds, to_round(round_key(link), judged), limits.ROUNDS_KEPT)
        trace = trace_of(
            comparison,
            relevance=relevance,
            prediction=prediction,
            scenario=link.scenario,
            query_id=query.id if query else None,
        )
        return View(
            before=views.ranking_before(
                comparison.retrieved, top_k=link.top_k, link=link.to_query_string(),
                after=comparison.after, relevance=relevance,
            ),
            predict=gr.update(visible=False),
            lines=gr.update(visible=True),
            next_query=gr.update(visible=True),
            after=views.ranking_after(comparison, relevance=relevance),
            verdict=results.verdict(comparison, relevance=relevance, judged=judged or None, counted=counted),
            bars=figures.latency_bars(comparison.timings),
            costs=self._costs(comparison.timings, comparison.retrieved),
            lesson=results.lesson(self.service.library.scenario(link.scenario), query, comparison),
            trace=trace_table(comparison, trace, relevance),
            record=rounds_to(rounds) if counted else SKIP,
            record_words=results.record(rounds),
            clear_record=gr.update(visible=bool(rounds)),
        )  # fmt: skip

    def _question(self, link: Link) -> str:
        written = self.service.written_query(link.query)
        return written.predict if written else ""

    def _costs(self, timings: Any, retrieved: Retrieved) -> str:
        return results.costs(timings, corpus_size=retrieved.corpus_size, index_ms=self.service.index_ms)


def _buttons(live: bool) -> dict[str, Any]:
    return {"commit": gr.update(interactive=live), "just_show": gr.update(interactive=live)}


def _whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:  # NaN too
        raise InputError(f"{what} is a whole number from {low} to {high}, not {value!r}.")
    if not low <= value <= high:
        raise InputError(f"{what} runs from {low} to {high}, not {int(value)}.")
    return int(value)
