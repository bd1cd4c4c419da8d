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
from ui.compare_states import read
from ui.links import Link, checked_link, read_link
from ui.predictions import prediction_from, rounds_from
from ui.service import Service
from ui.states import inputs, ranked, revealed
from ui.view import SKIP, View, buttons, says_why


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
        first, *rest = self._ranked(link)
        yield first._replace(
            message=views.message(" ".join(link.notes)),
            record_words=results.record(rounds),
            clear_record=gr.update(visible=bool(rounds)),
        )
        yield from rest
        if link.reveal:
            yield from self._reveal(link, None, rounds, request)

    @says_why
    def choose_scenario(self, scenario: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """A card: its first query runs."""
        first = self.service.library.scenario(scenario).queries[0]
        yield from self._ranked(self._link(scenario, first.text, retrieve_k, top_k))

    @says_why
    def choose_query(
        self, scenario: str, query_id: str, retrieve_k: int, top_k: int
    ) -> Iterator[View]:
        """One of the scenario's written queries."""
        query = self.service.library.query(query_id)
        yield from self._ranked(self._link(scenario, query.text, retrieve_k, top_k))

    @says_why
    def change(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """The query was edited, or N or K moved: rank again, and forget the reveal."""
        yield from self._ranked(self._link(scenario, query, retrieve_k, top_k))

    @says_why
    def next(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Iterator[View]:
        """The scenario's next written query, round and round."""
        queries = self.service.library.scenario(scenario).queries
        written = self.service.written_query(query)
        here = next((i for i, q in enumerate(queries) if written and q.id == written.id), -1)
        following = queries[(here + 1) % len(queries)]
        yield from self._ranked(self._link(scenario, following.text, retrieve_k, top_k))

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
    ) -> Iterator[View]:
        """Lock the prediction, rerank, score it."""
        prediction = prediction_from(will_change, sure, leader, new_in_top3, middle)
        link = self._link(scenario, query, retrieve_k, top_k)
        same_list(query, ranked_query)
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
    ) -> Iterator[View]:
        """Rerank without a prediction: nothing is scored."""
        link = self._link(scenario, query, retrieve_k, top_k)
        same_list(query, ranked_query)
        yield from self._reveal(link, None, rounds_from(record), request)

    def typed(self) -> View:
        """The query is being edited: the list shown is not its list, so there is nothing to commit to."""
        return View(message=views.note("Press Enter to rank this query."), **buttons(False))

    def clear(self) -> View:
        """Forget the record kept in this browser."""
        return View(
            record=[], record_words=results.record([]), clear_record=gr.update(visible=False)
        )

    def _link(self, scenario: str, query: str, retrieve_k: Any, top_k: Any) -> Link:
        written = self.service.written_query(query)
        return checked_link(scenario, query, retrieve_k, top_k, written.id if written else None)

    def _ranked(self, link: Link) -> Iterator[View]:
        view = ranked(self.service, link, self.service.retrieve(link.query, link.retrieve_k))
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
        retrieved = self.service.retrieve(link.query, link.retrieve_k)
        stream = self.service.rerank_stream(link.query, retrieved.ranking, request.session_hash)
        for item in read(retrieved, stream, link.top_k):
            if isinstance(item, Comparison):
                yield revealed(self.service, link, item, prediction, rounds)
            else:
                yield View(**item)


def same_list(query: str, ranked_query: str) -> None:
    """Raise InputError where the query was edited since the list shown was ranked (pasting sends no key)."""
    if query.strip() != ranked_query.strip():
        raise InputError("The list shown is of another query; press Enter to rank this one first.")
