"""Which board the page shows: the stored one, or one that this server has computed since it started.

A live board is kept for all visitors (it is the same for everybody) until the server ends; the file is written by the
command line alone. One computation at a time. Knows no Gradio.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from rerank_core.board import Board, board, board_mismatches, is_current, read_board
from rerank_core.errors import BusyError, FileError
from rerank_core.evaluate import Case
from rerank_core.failure_notes import FailureNote, read_failure_notes
from rerank_core.limits import FIRST_MS_PER_PAIR
from rerank_core.pool import DEPTH_MAX, Pool, pool_stream
from rerank_core.records import Progress
from ui.service import Service

log = logging.getLogger(__name__)
SCENARIOS = Path(__file__).parents[1] / "scenarios"


class BoardSource:
    """`folder` holds board.json and failures.toml; either may be missing."""

    def __init__(self, service: Service, folder: Path = SCENARIOS) -> None:
        self.service = service
        self.live: Board | None = None
        self._folder = folder
        self._busy = threading.Lock()
        self._done = 0

    def _read(self) -> tuple[Board | None, str]:
        """The file, read again only where it has changed."""
        path = self._folder / "board.json"
        try:
            stat = path.stat()
        except OSError:
            return None, "No board is stored."
        return _read_board(path, stat.st_mtime_ns, stat.st_size)

    @property
    def stored(self) -> Board | None:
        """The stored board; None where there is none that can be read, see `fault`."""
        return self._read()[0]

    @property
    def fault(self) -> str:
        """One sentence on why there is no stored board; "" where there is one."""
        return self._read()[1]

    @property
    def board(self) -> Board | None:
        """What is shown."""
        return self.live or self.stored

    @cached_property
    def notes(self) -> Mapping[str, FailureNote]:
        """Failure kinds given by hand. Raises FileError where the file is broken."""
        return read_failure_notes(self._folder / "failures.toml", self.service.library)

    @property
    def current(self) -> bool | None:
        """Whether the stored board is of the models and scenarios in use; None while the models load."""
        if self.stored is None or not self.service.ready:
            return None
        engine = self.service.engine
        return is_current(
            self.stored, self.service.library, engine.encoder_card, engine.scorer_card
        )

    @property
    def expected_s(self) -> float:
        """About how long a computation takes, in seconds, at the pace that is known."""
        shown = self.board
        pace = shown.ms_per_pair if shown and shown.ms_per_pair else FIRST_MS_PER_PAIR
        return len(self.service.library.queries) * DEPTH_MAX * pace / 1e3

    def differences(self) -> tuple[str, ...]:
        """One sentence for each difference between the stored board and the live one."""
        return board_mismatches(self.stored, self.live) if self.stored and self.live else ()

    def recompute(self, visitor: Hashable = None) -> Iterator[Progress | Board]:
        """Score every query again: Progress in queries, last the Board. Closing the iterator stops.

        Scores that this server kept are used again. Raises BusyError while somebody else computes.
        """
        self.service.wait()
        library, engine = self.service.library, self.service.engine
        total = len(library.queries)
        if not self._busy.acquire(blocking=False):
            raise BusyError(
                f"Somebody else is computing the board just now ({self._done} of {total} queries); theirs will "
                "be yours, too: open this tab again in a minute.",
                self.expected_s,
            )
        try:
            self._done, cases = 0, []
            for scenario in library.scenarios:
                for query in scenario.queries:
                    stream = pool_stream(
                        engine, query.text, self.service.corpus, query.relevance, visitor=visitor
                    )
                    for item in stream:
                        if isinstance(item, Pool):
                            chosen = query.chosen is not None
                            cases.append(Case(query.id, scenario.id, query.slice, item, chosen))
                            self._done = len(cases)
                        yield Progress(self._done, total)
            self.live = board(cases, library, engine.encoder_card, engine.scorer_card)
            yield self.live
        finally:
            self._busy.release()


@lru_cache(maxsize=2)
def _read_board(path: Path, mtime_ns: int, size: int) -> tuple[Board | None, str]:
    try:
        return read_board(path), ""
    except FileError as error:
        log.warning("%s", error)
        return None, "The stored board cannot be read; the server's log says why."
