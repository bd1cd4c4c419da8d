"""What happens between the two lists of one's own passages: rank, predict, reveal, mark, judge. Values in, Views out.

As on Explore, over the visitor's own corpus: what is private stays with it (own_corpus.py). Marks live in the browser
and come with each event that needs them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from rerank_core.errors import InputError
from rerank_core.metrics import has_relevant
from rerank_core.pipeline import Comparison
from rerank_core.prediction import Prediction, judge
from rerank_core.records import Retrieved
from rerank_core.trace import trace_of
from ui import compare_states as states
from ui import own_judging, views
from ui.asked import said_privately
from ui.compare_states import Setting
from ui.desk import Desk
from ui.faults import says_why_in
from ui.grades import marks_from
from ui.handlers import same_list
from ui.links import checked_link
from ui.own_corpus import Own, Run
from ui.own_depth import depth
from ui.own_view import PART, OwnView, show
from ui.predictions import prediction_from
from ui.rows import SHOWN
from ui.view import buttons
from ui.words import plural

NOT_KEPT = "Not kept in your record: these are your own passages."
MARK = (
    "No lift yet: mark what answers the query on the rows above, 0 to 3; 2 and 3 count as relevant."
)


def _live_buttons() -> dict[str, Any]:
    return buttons(True)


says_why = says_why_in(OwnView, said_privately, after=_live_buttons)


class OwnLists:
    """The handlers of the two lists; `rng` decides the order of blind judging."""

    def __init__(self, desk: Desk, rng: random.Random | None = None) -> None:
        self.desk = desk
        self._rng = rng or random.SystemRandom()

    @says_why
    def rank(self, token: str, query: str, retrieve_k: Any, top_k: Any) -> Iterator[OwnView]:
        """The query was entered, or N or K moved: rank again, and forget the reveal."""
        own = self.desk.own(token)
        link = checked_link("", query, retrieve_k, top_k, None)
        retrieved = own.retrieve(query, link.retrieve_k)
        own.keep(Run(retrieved))
        setting = _setting(own, retrieved, link.top_k, {}, self.desk.service.load_ms)
        shown = states.ranked(setting, retrieved)
        bars = shown.pop("bars")  # redrawing it takes the browser longer than all the rest
        yield OwnView(
            **shown | {"message": _few(retrieved, link.retrieve_k)},
            ranked_query=retrieved.query, judge=show(False), judging="", depth="",
        )  # fmt: skip
        yield OwnView(bars=bars)

    @says_why
    def choose(
        self, token: str, choice: str | None, retrieve_k: Any, top_k: Any
    ) -> Iterator[OwnView]:
        """One of an opened scenario's queries."""
        yield OwnView(query=choice or "")
        yield from self.rank(token, choice or "", retrieve_k, top_k)

    @says_why
    def commit(
        self, token: str, query: str, retrieve_k: Any, top_k: Any, ranked_query: str, marks: str,
        will_change: str | None, sure: float, leader: int | None, new_in_top3: int | None, middle: str | None,
        request: gr.Request,
    ) -> Iterator[OwnView]:  # fmt: skip
        """Lock the prediction, rerank, score it."""
        prediction = prediction_from(will_change, sure, leader, new_in_top3, middle)
        yield from self._reveal(
            token, query, retrieve_k, top_k, ranked_query, marks, prediction, request
        )

    @says_why
    def just_show(
        self, token: str, query: str, retrieve_k: Any, top_k: Any, ranked_query: str, marks: str,
        request: gr.Request,
    ) -> Iterator[OwnView]:  # fmt: skip
        """Rerank without a prediction: nothing is scored."""
        yield from self._reveal(token, query, retrieve_k, top_k, ranked_query, marks, None, request)

    @says_why
    def mark(self, token: str, ranked_query: str, top_k: Any, marks: str) -> Iterator[OwnView]:
        """A row was marked: lift, ceiling and depth anew, without asking a model."""
        own = self.desk.own(token)
        run = own.run(ranked_query)
        if run is None or run.comparison is None:
            yield OwnView()  # before the reveal there is nothing to derive
            return
        grades = marks_from(marks).get(ranked_query, {})
        setting = _setting(own, run.retrieved, run.comparison.top_k, grades, None)
        counted = NOT_KEPT if run.judged else False
        yield OwnView(
            verdict=states.verdict(setting, run.comparison, run.judged, counted),
            depth=depth(run.comparison, grades, own.passages),
        )

    @says_why
    def judging(self, token: str, ranked_query: str) -> Iterator[OwnView]:
        """The top rows of both lists, one at a time, in an order that says nothing of either."""
        run = self.desk.own(token).run(ranked_query)
        if run is None or run.comparison is None:
            raise InputError(
                "There are no two lists to judge yet; rank a query and look at both first."
            )
        passages = own_judging.both_tops(run.comparison, SHOWN)
        self._rng.shuffle(passages)
        yield OwnView(judging=own_judging.dialog(ranked_query, passages))

    def _reveal(
        self, token: str, query: str, retrieve_k: Any, top_k: Any, ranked_query: str, marks: str,
        prediction: Prediction | None, request: gr.Request,
    ) -> Iterator[OwnView]:  # fmt: skip
        session = request.session_hash
        own = self.desk.own(token)
        link = checked_link("", query, retrieve_k, top_k, None)
        same_list(query, ranked_query)
        retrieved = own.retrieve(query, link.retrieve_k)
        few = _few(retrieved, link.retrieve_k)
        for item in states.read(retrieved, own.rerank_stream(retrieved, session), link.top_k, PART):
            if isinstance(item, Comparison):
                yield self._revealed(own, item, marks, prediction)
            else:
                yield OwnView(**item | ({"message": few} if "message" in item else {}))

    def _revealed(
        self, own: Own, comparison: Comparison, marks: str, prediction: Prediction | None
    ) -> OwnView:
        judged = prediction and judge(prediction, comparison.before, comparison.after, SHOWN)
        own.keep(Run(comparison.retrieved, comparison, judged or None))
        grades = marks_from(marks).get(comparison.query, {})
        setting = _setting(
            own, comparison.retrieved, comparison.top_k, grades, self.desk.service.load_ms
        )
        trace = trace_of(comparison, relevance=grades, prediction=prediction)
        return OwnView(
            **states.revealed(
                setting, comparison, trace, judged or None, NOT_KEPT if judged else False
            ),
            judge=show(len(comparison.after) > 0),
            depth=depth(comparison, grades, own.passages),
        )


def _setting(
    own: Own, retrieved: Retrieved, top_k: int, grades: Mapping[str, int], load_ms: float | None
) -> Setting:
    marked = plural(len(grades), "passage")
    return Setting(
        top_k=top_k,
        part=PART,
        relevance=grades,
        no_lift="" if has_relevant(grades) else MARK if not grades
        else f"No lift yet: of the {marked} that you marked, none is relevant, that is 2 or 3.",
        asked=retrieved.query,
        load_ms=load_ms,
        index_ms=own.corpus.encode_ms,
    )  # fmt: skip


def _few(retrieved: Retrieved, asked: int) -> str:
    n = retrieved.corpus_size
    if n >= asked:
        return views.message("")
    all_of = "it is the only candidate" if n == 1 else f"all {n} are candidates"
    return views.note(f"You have {plural(n, 'passage')}, fewer than N = {asked}: {all_of}.")
