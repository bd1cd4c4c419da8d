"""What happens on Board: plain values in, a BoardView or a SkipView out.

Every figure is derived from what is stored; only `recompute` asks a model. `N`, `K` and t are held to their bounds
whatever the browser sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import gradio as gr

from rerank_core.board import Board
from rerank_core.clicks import click_study
from rerank_core.evaluate import unchosen, without_lift
from rerank_core.records import Progress
from rerank_core.skip import skip_curve
from ui import board_figures, board_views, skip_view
from ui.asked import number
from ui.board_source import BoardSource
from ui.clicks_view import clicks
from ui.faults import says_why_in
from ui.hurts import hurts
from ui.links import Link, checked_link
from ui.templates import render
from ui.view import SKIP
from ui.words import slice_words


class BoardView(NamedTuple):
    """What one event sets on Board, by component name."""

    retrieve_k: Any = SKIP
    top_k: Any = SKIP
    message: Any = SKIP
    source: Any = SKIP
    recompute: Any = SKIP
    cancel: Any = SKIP
    progress: Any = SKIP
    head: Any = SKIP
    lifts: Any = SKIP
    table: Any = SKIP
    hurts: Any = SKIP
    clicks: Any = SKIP


class SkipView(NamedTuple):
    """The part about the skip rule."""

    message: Any = SKIP
    skip_words: Any = SKIP
    skip_curve: Any = SKIP
    skip_table: Any = SKIP


class BoardTab:
    """The handlers of the tab, over one BoardSource."""

    def __init__(self, source: BoardSource) -> None:
        self.source = source
        self.service = source.service

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {q.id: q.text for q in self.service.library.queries}

    @cached_property
    def _passages(self) -> dict[str, str]:
        return {p.doc_id: p.text for p in self.service.library.passages}

    @says_why_in(BoardView)
    def open(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Iterator[BoardView]:
        """The tab was chosen: N and K of Explore, the stored board."""
        link = self._link(scenario, query, retrieve_k, top_k)
        yield self._shown(link)._replace(retrieve_k=link.retrieve_k, top_k=link.top_k)

    @says_why_in(BoardView)
    def turn(self, scenario: str, query: str, retrieve_k: int, top_k: int) -> Iterator[BoardView]:
        """N or K moved; no model is asked."""
        yield self._shown(self._link(scenario, query, retrieve_k, top_k))

    @says_why_in(SkipView)
    def skip(self, retrieve_k: int, t: float) -> Iterator[SkipView]:
        """t moved, or N; no model is asked."""
        n = checked_link("", "", retrieve_k, 3, None).retrieve_k
        t = number(t, "t, the margin", 0, skip_view.T_MAX)
        board = self.source.board
        results = unchosen(board.results(n)) if board else ()
        if board is None or not results:
            yield SkipView(message="", skip_words="", skip_table="")
            return
        pace = board.ms_per_pair or 0.0
        every, checked = skip_view.curves(results, pace)
        (here,) = skip_curve(results, [t], pace)
        yield SkipView(
            message="",
            skip_words=render("board_skip_words", words=skip_view.words(here, n, checked)),
            skip_curve=board_figures.skips(every, checked, here),
            skip_table=skip_view.table(here, checked),
        )

    def recompute(
        self, scenario: str, query: str, retrieve_k: int, top_k: int, request: gr.Request
    ) -> Iterator[BoardView]:
        """Score every query again, with a progress bar; stopped by `stop`."""
        for view in self._recompute(scenario, query, retrieve_k, top_k, request.session_hash):
            if isinstance(view.message, str) and view.message:  # an error ended it
                view = view._replace(**_idle())
            yield view

    @says_why_in(BoardView)
    def _recompute(
        self, scenario: str, query: str, retrieve_k: int, top_k: int, visitor: Hashable
    ) -> Iterator[BoardView]:
        link = self._link(scenario, query, retrieve_k, top_k)
        total = len(self.service.library.queries)
        yield BoardView(
            message="",
            recompute=gr.update(visible=False),
            cancel=gr.update(visible=True),
            progress=board_views.progress(Progress(0, total)),
        )
        done = -1
        for item in self.source.recompute(visitor):
            if isinstance(item, Board):
                yield self._shown(link)._replace(**_idle())
            elif item.done > done:
                done = item.done
                yield BoardView(progress=board_views.progress(item))

    def stop(self) -> BoardView:
        """The computation was cancelled (the event that runs it is); what was shown stays."""
        return BoardView(**_idle())

    def _link(self, scenario: str, query: str, retrieve_k: Any, top_k: Any) -> Link:
        written = self.service.written_query(query)
        return checked_link(scenario, query, retrieve_k, top_k, written.id if written else None)

    def _shown(self, link: Link) -> BoardView:
        source, board = self.source, self.source.board
        said = board_views.source(
            board,
            live=source.live is not None,
            current=source.current,
            fault=source.fault,
            differences=source.differences(),
            minutes=source.expected_s / 60,
        )
        if board is None:
            return BoardView(message="", source=said, head="", table="", hurts="", clicks="",
                             lifts=gr.update(visible=False))  # fmt: skip
        results = board.results(link.retrieve_k, link.top_k)
        rows = board.rows(link.retrieve_k, link.top_k)
        rows = (*rows[:1], *sorted(rows[1:], key=lambda row: slice_words(row.slice)))
        relevance = {case.query_id: case.pool.relevance for case in board.cases}
        texts = {case.query_id: case.pool.query for case in board.cases} | self._texts
        counted = unchosen(results)
        return BoardView(
            message="",
            source=said,
            head=board_views.head(
                rows[0] if rows else None, results, link, without_lift(board.cases)
            ),
            lifts=gr.update(value=board_figures.lifts(rows), visible=bool(rows)),
            table=board_views.table(rows, results, texts, link),
            hurts=hurts(results, relevance, source.notes, texts, self._passages, link),
            clicks=clicks(click_study(counted, board.cases)),
        )


def _idle() -> dict[str, Any]:
    return {
        "recompute": gr.update(visible=True),
        "cancel": gr.update(visible=False),
        "progress": "",
    }
