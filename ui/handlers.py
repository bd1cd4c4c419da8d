"""What happens on Explore: plain values in, a View out.

A View's fields are the names of the components it sets; a field that is not given leaves its component as it is.
Handlers hold no state between calls: `before` is derived anew on the server each time, so that no visitor can see
another's. Every RerankError becomes one sentence beside the buttons, and what was typed stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from rerank_core.errors import InputError, RerankError
from rerank_core.pipeline import Comparison
from rerank_core.prediction import Prediction, Round
from ui import results, views
from ui.chosen import opened, ready_pair, second_list
from ui.compare_states import read
from ui.crowd import Crowd
from ui.links import Link, checked_link, read_link
from ui.model_choice import EMBEDDED
from ui.model_service import Models
from ui.models_handlers import read_in_use
from ui.predictions import prediction_from, rounds_from
from ui.service import Service
from ui.states import inputs, ranked, revealed
from ui.view import SKIP, LastView, View, buttons, says_why


class Explore:
    """The handlers of the Explore part, over one Service."""

    def __init__(self, service: Service, models: Models | None = None) -> None:
        self.service = service
        self.models = models or Models(service)
        self.crowd = Crowd()

    @says_why
    def load(self, record: Any, request: gr.Request) -> Iterator[View]:
        """The page has opened: apply the address, wait for the models, show the first ranking."""
        link = read_link(dict(request.query_params), self.service.scenarios)
        link, section = opened(self.models, link)
        rounds = rounds_from(record)
        if not self.service.ready:
            yield inputs(self.service, link)._replace(
                before=views.fault_list(
                    "The models are loading; this takes a few seconds after the server starts.",
                    is_fault=False,
                ),
            )
            try:
                self.service.wait()
            except RerankError as fault:
                yield View(before=views.fault_list(str(fault)), after=views.waiting(0))
                return
        for view in self._ranked(link):
            if view.before is not SKIP:
                view = view._replace(
                    message=views.message(" ".join(link.notes)),
                    record_words=results.record(rounds),
                    clear_record=gr.update(visible=bool(rounds)),
                    **section,
                )
            yield view
        if link.reveal:
            yield from self._reveal(link, None, rounds, request)

    @says_why
    def choose_scenario(
        self, scenario: str, retrieve_k: int, top_k: int, models: str = EMBEDDED
    ) -> Iterator[View]:
        """A card: its first query runs."""
        first = self.service.library.scenario(scenario).queries[0]
        yield from self._ranked(self._link(scenario, first.text, retrieve_k, top_k, models))

    @says_why
    def choose_query(
        self, scenario: str, query_id: str, retrieve_k: int, top_k: int, models: str = EMBEDDED
    ) -> Iterator[View]:
        """One of the scenario's written queries."""
        query = self.service.library.query(query_id)
        yield from self._ranked(self._link(scenario, query.text, retrieve_k, top_k, models))

    @says_why
    def change(
        self, scenario: str, query: str, retrieve_k: int, top_k: int, models: str = EMBEDDED
    ) -> Iterator[View]:
        """The query was edited, or N or K moved: rank again, and forget the reveal."""
        yield from self._ranked(self._link(scenario, query, retrieve_k, top_k, models))

    @says_why
    def change_models(
        self,
        scenario: str,
        query: str,
        retrieve_k: int,
        top_k: int,
        models: str,
        ranked_models: str,
    ) -> Iterator[View]:
        """Other models may have come into use; where they have not, everything stays as it is."""
        if models == ranked_models:
            yield View()  # Gradio empties every output of a generator that yields nothing
            return
        yield from self._ranked(self._link(scenario, query, retrieve_k, top_k, models))

    @says_why
    def next(
        self, scenario: str, query: str, retrieve_k: int, top_k: int, models: str = EMBEDDED
    ) -> Iterator[View]:
        """The scenario's next written query, round and round."""
        queries = self.service.library.scenario(scenario).queries
        written = self.service.written_query(query)
        here = next((i for i, q in enumerate(queries) if written and q.id == written.id), -1)
        following = queries[(here + 1) % len(queries)]
        yield from self._ranked(self._link(scenario, following.text, retrieve_k, top_k, models))

    @says_why
    def commit(
        self,
        scenario: str,
        query: str,
        retrieve_k: int,
        top_k: int,
        ranked_query: str,
        will_change: str | None,
        sure: float,
        leader: int | None,
        new_in_top3: int | None,
        middle: str | None,
        record: Any,
        request: gr.Request,
        models: str = EMBEDDED,
        ranked_models: str = EMBEDDED,
    ) -> Iterator[View]:
        """Lock the prediction, rerank, score it."""
        prediction = prediction_from(will_change, sure, leader, new_in_top3, middle)
        link = self._link(scenario, query, retrieve_k, top_k, models)
        same_list(query, ranked_query)
        same_models(models, ranked_models)
        yield from self._reveal(link, prediction, rounds_from(record), request)

    @says_why
    def just_show(
        self,
        scenario: str,
        query: str,
        retrieve_k: int,
        top_k: int,
        ranked_query: str,
        record: Any,
        request: gr.Request,
        models: str = EMBEDDED,
        ranked_models: str = EMBEDDED,
    ) -> Iterator[View]:
        """Rerank without a prediction: nothing is scored."""
        link = self._link(scenario, query, retrieve_k, top_k, models)
        same_list(query, ranked_query)
        same_models(models, ranked_models)
        yield from self._reveal(link, None, rounds_from(record), request)

    def typed(self, query: str, ranked_query: str) -> View:
        """The query is being edited: where the list shown is not its list, there is nothing to commit to."""
        if is_listed(query, ranked_query):
            return View(message="", **buttons(True))
        return View(message=views.note("Press Enter to rank this query."), **buttons(False))

    def settled(self, query: str, ranked_query: str) -> View:
        """After the ranking. The answer to the last key may come later than it: the buttons stand as the list says."""
        if not is_listed(query, ranked_query):
            return View()
        return View(message="", **buttons(True))

    def clear(self) -> View:
        """Forget the record kept in this browser."""
        return View(
            record=[], record_words=results.record([]), clear_record=gr.update(visible=False)
        )

    def _link(self, scenario: str, query: str, retrieve_k: Any, top_k: Any, models: Any) -> Link:
        written = self.service.written_query(query)
        choice = read_in_use(models, self.models)
        query_id = written.id if written else None
        return checked_link(scenario, query, retrieve_k, top_k, query_id, choice)

    def _ranked(self, link: Link) -> Iterator[View]:
        ready = yield from ready_pair(self.models, link.choice)
        retrieved = ready.engine.retrieve(link.query, ready.corpus, link.retrieve_k)
        view = ranked(self.service, link, retrieved, ready)
        # The plot comes after the list: redrawing it takes the browser longer than all the rest.
        yield view._replace(bars=SKIP)
        yield View(bars=view.bars)

    def _reveal(
        self,
        link: Link,
        prediction: Prediction | None,
        rounds: Sequence[Round],
        request: gr.Request,
    ) -> Iterator[View]:
        ready = yield from ready_pair(self.models, link.choice)
        visitor = request.session_hash
        retrieved = ready.engine.retrieve(link.query, ready.corpus, link.retrieve_k)
        stream = ready.engine.rerank_stream(link.query, retrieved.ranking, visitor=visitor)
        first: Comparison | None = None
        with self.crowd.one_more() as crowd:
            for item in read(retrieved, stream, link.top_k, crowd=crowd):
                if isinstance(item, Comparison):
                    first = item
                else:
                    yield View(**item)
        if (
            first is not None
        ):  # outside: after a LastView nobody asks again, and this would stay in the crowd
            view = revealed(self.service, link, first, prediction, rounds, ready)
            yield view if link.choice.second else LastView(*view)
        del ready, stream  # the second cross-encoder takes the first one's place in memory
        if first is not None and link.choice.second:
            written = self.service.written_query(link.query)
            relevance = written.relevance if written else None
            yield from second_list(self.models, link, first, relevance, visitor)


def is_listed(query: str, ranked_query: str) -> bool:
    """Whether the list shown is this query's."""
    return query.strip() == ranked_query.strip()


def same_list(query: str, ranked_query: str) -> None:
    """Raise InputError where the query was edited since the list shown was ranked (pasting sends no key)."""
    if not is_listed(query, ranked_query):
        raise InputError("The list shown is of another query; press Enter to rank this one first.")


def same_models(models: str, ranked_models: str) -> None:
    """Raise InputError where other models came into use since the list shown was ranked."""
    if models != ranked_models:
        raise InputError(
            "The list shown is of other models; press Enter in the query to rank again."
        )
