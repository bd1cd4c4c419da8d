"""Keeping what fooled a model, and taking it out again. The browser holds it; plain values in, a FoolView out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from rerank_core.duel import Duel
from rerank_core.errors import InputError
from rerank_core.fooled import KINDS, Fooled
from rerank_core.inputs import clean_query
from rerank_core.metrics import RELEVANT
from ui import fool_views as views
from ui import fool_words as words
from ui.fool_kept import kept_from, kept_to, with_new, without
from ui.fool_reading import Readings, Referee, clean_text, same_text
from ui.fool_view import MINE, RIGHT, FoolView, says_why
from ui.views import note


class FoolKeep:
    """The handlers, over one Referee."""

    def __init__(self, referee: Referee) -> None:
        self.referee = referee

    @says_why
    def show(self, kept: Any) -> Iterator[FoolView]:
        """The tab was chosen: what this browser keeps."""
        yield FoolView(kept_list=self._list(kept_from(kept)))

    @says_why
    def keep(
        self, query: str, right: str, mine: str, kind: str | None, kept: Any, request: gr.Request
    ) -> Iterator[FoolView]:
        """Keep a passage that beats the right one; scored anew, so that what is kept was really said."""
        visitor = request.session_hash
        query = clean_query(query)
        texts = {
            RIGHT: clean_text(right, "The right passage"),
            MINE: clean_text(mine, "Your passage"),
        }
        if same_text(texts[RIGHT], texts[MINE]):
            raise InputError("Yours is the right passage itself; change what it says.")
        if kind not in KINDS:
            raise InputError(
                "Tag what is wrong with your passage first; one that is right fools nobody."
            )
        for item in self.referee.stream(query, texts, visitor):
            if isinstance(item, dict):
                yield self._keep(query, texts, str(kind), item, kept)

    @says_why
    def remove(self, which: str, kept: Any) -> Iterator[FoolView]:
        """Take one out of what is kept."""
        items = without(kept_from(kept), str(which))
        yield FoolView(kept=kept_to(items), kept_list=self._list(items), message="")

    def _keep(
        self, query: str, texts: dict[str, str], kind: str, found: Readings, kept: Any
    ) -> FoolView:
        duel = Duel(found[RIGHT], found[MINE])
        if not duel.fools:
            raise InputError(
                f"{words.verdict(duel)} Only what beats the right passage under a model is kept."
            )
        grade = self.referee.grade(query, texts[MINE])
        if grade is not None and grade >= RELEVANT:
            raise InputError(words.answers(grade))
        new = Fooled(query, texts[RIGHT], texts[MINE], kind, duel, self.referee.weights)
        items = with_new(kept_from(kept), new)
        return FoolView(
            kept=kept_to(items),
            kept_list=self._list(items),
            message=note(f"Kept. {words.fools(duel)}."),
        )

    def _list(self, items: tuple[Fooled, ...]) -> str:
        return views.kept(items, self.referee.weights if items else "")
