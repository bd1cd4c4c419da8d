"""What happens on Fool it while one tries to beat a right passage: plain values in, a FoolView out.

Nothing is kept between calls: whenever the typing rests, query and both passages come anew. Left out: keeping what
fooled a model (fool_keep.py), and the exercise with three passages (fool_three.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from rerank_core.duel import Duel, Reading
from rerank_core.errors import InputError
from rerank_core.metrics import RELEVANT
from ui import fool_views as views
from ui import fool_words as words
from ui.asked import said_privately
from ui.fool_reading import Readings, Referee, clean_text, same_text
from ui.fool_view import MINE, RIGHT, FoolView, says_why
from ui.view import SKIP
from ui.views import message
from ui.words import plural

SERIAL_CHARS = 20
"""Characters of the number that the page's script gives a keystroke, and gets back with its answer."""


class Fool:
    """The handlers, over one Referee."""

    def __init__(self, referee: Referee) -> None:
        self.referee = referee

    @says_why
    def open(self, asked: str, mine: str, explore_query: str) -> Iterator[FoolView]:
        """The tab was chosen: Explore's query, unless something is being written for another one."""
        taken = asked == explore_query or mine.strip()
        yield FoolView() if taken else self._start(explore_query)

    @says_why
    def take(self, explore_query: str) -> Iterator[FoolView]:
        """Start from Explore's query; what was written stays."""
        yield self._start(explore_query)

    @says_why
    def next_query(self, query: str) -> Iterator[FoolView]:
        """The library's next query, with its first right passage."""
        yield self._start(self.referee.next_query(query).text)._replace(asked=SKIP)

    @says_why
    def another(self, query: str, right: str) -> Iterator[FoolView]:
        """The library's next right passage for this query."""
        found = [p.text for p in self.referee.right_ones(query)]
        if not found:
            raise InputError(
                "The library has no judgements for this query; write its right passage yourself."
            )
        text = right.strip()
        yield self._about(
            query, found[(found.index(text) + 1) % len(found) if text in found else 0]
        )

    def live(
        self, query: str, right: str, mine: str, serial: str, request: gr.Request
    ) -> Iterator[FoolView]:
        """The typing rests: both passages' scores, by both models."""
        serial = str(serial)[:SERIAL_CHARS]
        try:
            visitor = request.session_hash
            about = self._about(query, right)._replace(right=SKIP, query=SKIP, message="")
            texts, to_do = _texts(query, right, mine)
            if to_do and RIGHT not in texts:
                yield about._replace(live=views.live(serial, verdict=to_do))
                return
            grade = self.referee.grade(query, mine)
            for item in self.referee.stream(query, texts, visitor):
                if isinstance(item, dict):
                    yield about._replace(live=_scored(serial, texts, item, grade))
        except Exception as error:
            said = said_privately(error, "live")
            yield FoolView(live=views.live(serial, verdict=said, state="fault", fault=True))

    def _start(self, query: str) -> FoolView:
        found = self.referee.right_ones(query)
        return self._about(query, found[0].text if found else "")._replace(asked=query)

    def _about(self, query: str, right: str) -> FoolView:
        """Query and right passage, and who says that it is right."""
        found = [p.text for p in self.referee.right_ones(query)]
        text = right.strip()
        place = found.index(text) + 1 if text in found else None
        grade = self.referee.grade(query, right)
        said = words.says_right(grade, place, len(found)) if text else ""
        return FoolView(
            query=query,
            right=right,
            says=views.says(said, wrong=grade is not None and place is None),
            another=gr.update(visible=len(found) > (1 if place else 0)),
            message=message(""),
        )


def _texts(query: str, right: str, mine: str) -> tuple[dict[str, str], str]:
    """The texts that can be read, and in words what is still to be written ("" for nothing)."""
    if not query.strip():
        return {}, "Write a query first, or start from Explore's."
    if not right.strip():
        return {}, "Write the passage that answers the query: it is the one to beat."
    texts = {RIGHT: clean_text(right, "The right passage")}
    if not mine.strip():
        return texts, words.WRITE
    return texts | {MINE: clean_text(mine, "Your passage")}, ""


def _scored(serial: str, texts: dict[str, str], found: Readings, grade: int | None) -> str:
    """The live panel; `grade` is the library's for the visitor's own text, if it has that."""
    right, mine = found[RIGHT], found.get(MINE)
    if mine is None:
        return views.live(serial, right)
    if same_text(texts[RIGHT], texts[MINE]):
        same = "Yours is the right passage itself; change what it says."
        return views.live(serial, right, mine, verdict=same)
    duel = Duel(right, mine)
    more = list(_cut(right, mine))
    if grade is not None and grade >= RELEVANT:
        more.insert(0, words.answers(grade))
    elif duel.fools:
        more.insert(0, words.COUNTS)
    return views.live(serial, right, mine, verdict=words.verdict(duel), more=" ".join(more))


def _cut(right: Reading, mine: Reading) -> Iterator[str]:
    """What the cross-encoder could not read, in sentences."""
    return (
        f"The cross-encoder read only the beginning of {name}: {plural(reading.cut, 'token')} did not fit."
        for name, reading in ((RIGHT, right), (MINE, mine))
        if reading.cut
    )
