"""The stored board of the library, read where it is there and of these models and scenarios; else one sentence why not.

Means and threshold curves are derived from it once and kept while the file stays the same. No model is asked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from rerank_core.board import Board, is_current, read_board
from rerank_core.depth import DepthPoint, mean_curve
from rerank_core.errors import FileError
from rerank_core.evaluate import ALL, Case
from ui.service import Service

log = logging.getLogger(__name__)
BOARD = Path(__file__).parents[1] / "scenarios" / "board.json"
HOW = "make board"
"""The command that computes the board and stores it."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A board, or None and the sentence that says why there is none."""

    board: Board | None
    why: str = ""

    def cases(self, slice_name: str = ALL) -> tuple[Case, ...]:
        """The queries written before any model ran on them, all or those of a slice."""
        found = self.board.cases if self.board else ()
        return tuple(c for c in found if not c.chosen and slice_name in (ALL, c.slice))

    @cached_property
    def _means(self) -> dict[tuple[str, int], tuple[DepthPoint, ...]]:
        return {}

    def mean(self, slice_name: str, k: int) -> tuple[DepthPoint, ...]:
        """The mean curve over `cases(slice_name)`; empty where no query there has a relevant passage."""
        if (slice_name, k) not in self._means:
            pools = [c.pool for c in self.cases(slice_name)]
            self._means[slice_name, k] = mean_curve(pools, k)
        return self._means[slice_name, k]

    def judged(self, slice_name: str) -> int:
        """How many queries `mean` is over."""
        return sum(c.pool.has_relevant for c in self.cases(slice_name))

    @property
    def made_on(self) -> str:
        """The day on which it was computed, as YYYY-MM-DD."""
        return self.board.made_at[:10] if self.board else ""


class StoredBoard:
    """The file at `path`, read again only where it has changed."""

    def __init__(self, service: Service, path: Path = BOARD) -> None:
        self.service = service
        self.path = path
        self._read = lru_cache(maxsize=1)(self._fresh)

    def get(self) -> Stored:
        """Waits for the models, since a board must be theirs; raises NotReadyError where they cannot be loaded."""
        self.service.wait()
        try:
            stat = self.path.stat()
        except OSError:
            return Stored(None, f"No board is stored yet. To compute it: {HOW}")
        return self._read(stat.st_mtime_ns, stat.st_size)

    def _fresh(self, mtime_ns: int, size: int) -> Stored:
        try:
            board = read_board(self.path)
        except FileError as error:
            log.warning("%s", error)
            return Stored(None, f"The stored board cannot be read. To compute it anew: {HOW}")
        engine, library = self.service.engine, self.service.library
        if not is_current(board, library, engine.encoder_card, engine.scorer_card):
            return Stored(
                None,
                f"The board stored on {board.made_at[:10]} is of other models or scenarios than these, so it is not "
                f"shown. To compute it anew: {HOW}",
            )
        return Stored(board)
