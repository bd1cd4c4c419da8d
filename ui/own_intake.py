"""How a visitor's passages come in and go: pasted or uploaded, read, split, encoded, forgotten. Values in, Views out.

A text that is uploaded waits as a Draft until it is encoded; its file is deleted before it is even read through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from threading import Event
from typing import Any

import gradio as gr

from rerank_core.corpus import Corpus
from rerank_core.errors import InputError
from rerank_core.own_passages import LongTextError, own_passages, own_text
from rerank_core.passages_file import KIND_OF, csv_columns
from rerank_core.records import Passage
from rerank_core.scenario_zip import read_zip
from rerank_core.scenarios import Scenario
from ui import own_views as views
from ui.asked import said_privately
from ui.desk import Desk
from ui.encoding import encode_stream
from ui.faults import says_why_in
from ui.own_corpus import Draft, Own
from ui.own_reading import CSV, LINES, PARAGRAPHS, chooser, column_of, fingerprint_of, opened
from ui.own_view import OwnView, emptied, encoding_buttons, show
from ui.uploads import take_upload

BOX = "The box"
"""What messages call the pasted text."""


def _left_by_an_error() -> dict[str, Any]:
    return {"file": None, **encoding_buttons(running=False)}


def _stopped() -> OwnView:
    words = "Stopped; nothing of it is kept on the server."
    return OwnView(status=views.status(words, to_do=True), **encoding_buttons(running=False))


says_why = says_why_in(OwnView, said_privately, "status", _left_by_an_error)


class OwnIntake:
    """The handlers of what is brought."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._running: dict[str | None, Event] = {}

    @says_why
    def upload(self, file: Any, kind: str, token: str, request: gr.Request) -> Iterator[OwnView]:
        """A file came: read and deleted. A text waits for its choices, a scenario is opened at once."""
        name, data = take_upload(file)
        suffix = PurePath(name).suffix.lower()
        if suffix == ".zip":
            scenario = read_zip(data, name)
            yield from self._encoded(name, scenario.passages, token, "", request, scenario)
            return
        if suffix not in KIND_OF:
            raise InputError(
                f"{name} ends in {suffix or 'nothing'!r}; choose a .txt, .csv, .jsonl or .zip file."
            )
        read_as = PARAGRAPHS if KIND_OF[suffix] == LINES and kind == PARAGRAPHS else KIND_OF[suffix]
        draft = Draft(name, own_text(data, name), read_as)
        yield self._drafted(draft)

    def _drafted(self, draft: Draft) -> OwnView:
        """Say what was uploaded, or the first thing that is wrong with it."""
        view = OwnView(file=None, kind=draft.kind, column=show(False), split=show(False))
        try:
            if draft.kind == CSV:
                columns = csv_columns(draft.text, draft.name)
                view = view._replace(column=chooser(columns))
                words = f"{draft.name} is here and not encoded yet: choose the column that holds the texts."
            else:
                count = len(own_passages(draft.text, draft.kind, draft.name))
                words = f"{draft.name} is here, {count:,} passages that are not encoded yet."
        except LongTextError as error:
            view = view._replace(split=show(True))
            words = str(error)
        return view._replace(
            draft=self.desk.put(draft, draft.size), status=views.status(words, to_do=True)
        )

    def box_again(self) -> OwnView:
        """The box was written in after an upload: the box is what will be encoded."""
        words = "What is in the box will be encoded, not the file that was uploaded."
        return OwnView(
            column=show(False), split=show(False), status=views.status(words, to_do=True)
        )

    @says_why
    def encode(
        self, box: str, kind: str, column: str | None, draft: str, token: str, fingerprint: str,
        request: gr.Request,
    ) -> Iterator[OwnView]:  # fmt: skip
        """Read the uploaded file, or else the box, and encode it."""
        yield from self._read(box, kind, column, draft, token, fingerprint, request, split=False)

    @says_why
    def split(
        self, box: str, kind: str, column: str | None, draft: str, token: str, fingerprint: str,
        request: gr.Request,
    ) -> Iterator[OwnView]:  # fmt: skip
        """The same, long passages split at sentences."""
        yield from self._read(box, kind, column, draft, token, fingerprint, request, split=True)

    def stop(self, request: gr.Request) -> OwnView:
        """The encoding was stopped."""
        if (running := self._running.get(request.session_hash)) is not None:
            running.set()
        return _stopped()

    def forget(self, token: str, draft: str) -> OwnView:
        """Forget everything of this visitor's now, here and in the page."""
        self.desk.held.forget(token)
        self.desk.held.forget(draft)
        return OwnView(
            box="", file=None, draft="", fingerprint="", column=show(False), title="", lesson="", note="",
            set_report="",
            status=views.status("Forgotten: nothing of your passages is left on this server or on this page."),
            **encoding_buttons(running=False), **emptied(),
        )  # fmt: skip

    def _read(
        self, box: str, kind: str, column: str | None, draft: str, token: str, fingerprint: str,
        request: gr.Request, *, split: bool,
    ) -> Iterator[OwnView]:  # fmt: skip
        source = (
            self.desk.held.get(draft, Draft)
            if draft
            else Draft(BOX, own_text(box or "", BOX), kind)
        )
        if not source.text.strip():
            raise InputError("The box is empty; paste some passages, or upload a file.")
        # A .txt file may be read either way; what else it is, its ending has said.
        read_as = (
            kind
            if source.kind in (LINES, PARAGRAPHS) and kind in (LINES, PARAGRAPHS)
            else source.kind
        )
        chosen = None
        if read_as == CSV:
            columns = csv_columns(source.text, source.name)
            chosen = column_of(columns, column)
            if chosen is None:
                yield OwnView(
                    column=chooser(columns),
                    status=views.status(
                        "Choose the column that holds the texts, then encode.", to_do=True
                    ),
                )
                return
        try:
            passages = own_passages(source.text, read_as, source.name, column=chosen, split=split)
        except LongTextError as error:
            yield OwnView(
                status=views.status(str(error), to_do=True),
                **encoding_buttons(running=False, long=True),
            )
            return
        yield from self._encoded(source.name, passages, token, fingerprint, request)
        self.desk.held.forget(draft)

    def _encoded(
        self, name: str, passages: Sequence[Passage], token: str, fingerprint: str,
        request: gr.Request, scenario: Scenario | None = None,
    ) -> Iterator[OwnView]:  # fmt: skip
        yield OwnView(
            file=None, status=views.waiting_for_models(), **encoding_buttons(running=True)
        )
        # Gradio sends what a cancelled generator yields next, after the answer to "Stop": that must not be progress.
        halted = Event()
        session = request.session_hash
        self._running[session] = halted
        try:
            self.desk.service.wait()
            engine = self.desk.service.engine
            for item in encode_stream(engine, passages):
                if halted.is_set():
                    yield _stopped()
                    return
                if isinstance(item, Corpus):
                    own = Own(name, engine, item, scenario)
                    self.desk.held.forget(token)
                    yield self._ready(own, fingerprint)
                else:
                    yield OwnView(status=views.encoding(item))
        finally:
            if self._running.get(session) is halted:
                del self._running[session]

    def _ready(self, own: Own, fingerprint: str) -> OwnView:
        made = fingerprint_of(own.corpus.passages)
        gone = emptied()
        if made == fingerprint:  # the same passages again: what was marked still stands
            del gone["marks"]
        view = OwnView(**gone)._replace(
            token=self.desk.put(own, own.size), draft="", fingerprint=made, area=show(True), forget=show(True),
            status=views.ready(own), **encoding_buttons(running=False),
        )  # fmt: skip
        return view if own.scenario is None else opened(view, own.scenario)
