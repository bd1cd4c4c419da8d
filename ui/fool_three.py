"""Three passages, a guess, and which pairings changed their order. Plain values in, a ThreeView out.

The guess comes with the event that reveals, so that nothing is scored before it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import gradio as gr

from rerank_core.duel import Pair, judge_pairings, pairings, pairs_of
from rerank_core.errors import InputError
from rerank_core.inputs import clean_query
from rerank_core.records import Progress
from ui import fool_three_views as views
from ui.asked import number, said_privately
from ui.faults import says_why_in
from ui.fool_reading import Referee, clean_text, same_text
from ui.view import SKIP
from ui.views import message

NAMES = ("A", "B", "C")
NONE = "none"
GUESSES = (*(("-".join(p), f"{p[0]} and {p[1]}") for p in pairs_of(NAMES)), (NONE, "none of them"))
"""What can be ticked: value and words."""


class ThreeView(NamedTuple):
    """What one event sets; field names are component names."""

    asked: Any = SKIP
    query: Any = SKIP
    message: Any = SKIP
    answer: Any = SKIP


def _no_answer() -> dict[str, Any]:
    return {"answer": ""}


says_why = says_why_in(ThreeView, said_privately, after=_no_answer)


class Three:
    """The handlers, over one Referee."""

    def __init__(self, referee: Referee) -> None:
        self.referee = referee

    @says_why
    def open(self, asked: str, a: str, b: str, c: str, explore_query: str) -> Iterator[ThreeView]:
        """The tab was chosen: Explore's query, unless passages are being written for another one."""
        if asked != explore_query and not (a + b + c).strip():
            yield ThreeView(asked=explore_query, query=explore_query)
        else:
            yield ThreeView()

    @says_why
    def commit(
        self, query: str, a: str, b: str, c: str, guess: Any, sure: Any, request: gr.Request
    ) -> Iterator[ThreeView]:
        """Lock the guess, read the three, score it."""
        visitor = request.session_hash
        query = clean_query(query)
        texts = _three(a, b, c)
        said = _guess(guess)
        sure = number(sure, "How sure you are, in percent,", 50, 100) / 100
        yield ThreeView(message=message(""), answer=views.reading(Progress(0, len(texts))))
        for item in self.referee.stream(query, texts, visitor):
            if isinstance(item, Progress):
                yield ThreeView(answer=views.reading(item))
            else:
                found = pairings(item)
                judged = judge_pairings(said, sure, found)
                yield ThreeView(answer=views.answer(query, texts, item, found, judged))


def _three(a: str, b: str, c: str) -> dict[str, str]:
    """The three passages by name, or InputError."""
    texts = {
        name: clean_text(text, f"Passage {name}")
        for name, text in zip(NAMES, (a, b, c), strict=True)
    }
    for one, other in combinations(NAMES, 2):
        if same_text(texts[one], texts[other]):
            raise InputError(f"{one} and {other} hold the same text; write three different ones.")
    return texts


def _guess(guess: Any) -> tuple[Pair, ...]:
    """The pairs said to change their order; InputError where nothing was said, or not one thing."""
    pairs = {"-".join(p): p for p in pairs_of(NAMES)}
    ticked = guess if isinstance(guess, list) else []
    said = tuple(pairs[value] for value in pairs if value in ticked)
    if not said and NONE not in ticked:
        raise InputError(
            "Guess first: tick the pairs that will change their order, or “none of them”."
        )
    if said and NONE in ticked:
        raise InputError("You ticked a pair and “none of them”; take one of the two back.")
    return said
