"""What visitors bring, kept in memory under an unguessable token: for a time, within a bound over all.

Where room is short the oldest go first. Nothing here is written anywhere. A token is all that opens an entry, and a
page's hidden component holds it. Left out: what an entry is (own_corpus.py), and who asks.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from rerank_core import limits
from rerank_core.errors import RerankError

T = TypeVar("T")
TOKEN_BYTES = 32
"""256 random bits: nobody guesses one."""


class GoneError(RerankError):
    """The entry is not kept (any more): its time is over, others needed the room, or it was forgotten on purpose."""


@dataclass(frozen=True)
class _Entry:
    item: Any
    size: int
    until: float


class Held:
    """Entries by token. Safe from many threads; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        most_bytes: int = limits.OWN_HELD_BYTES,
        seconds: float = limits.OWN_HELD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._clock = most_bytes, seconds, clock
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, item: Any, size: int) -> str:
        """Keep `item` of `size` bytes; its token. The oldest entries go where there is no room for all."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._lock:
            self._drop_old()
            self._kept[token] = _Entry(item, size, self._clock() + self._seconds)
            while self.size > self._most and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return token

    def get(self, token: Any, kind: type[T]) -> T:
        """The entry of a token, if it is a `kind`; else GoneError, with one sentence for a visitor."""
        with self._lock:
            self._drop_old()
            entry = self._kept.get(token) if isinstance(token, str) else None
        if entry is None or not isinstance(entry.item, kind):
            raise GoneError(
                f"Your passages are no longer on this server: they are kept for {self._seconds / 60:.0f} minutes at "
                "most. What you pasted is still in the box: encode it again, or upload your file again."
            )
        return entry.item

    def forget(self, token: Any) -> bool:
        """Drop an entry now; whether there was one."""
        with self._lock:
            return isinstance(token, str) and self._kept.pop(token, None) is not None

    def sweep(self) -> float | None:
        """Drop what has had its time; seconds until the next entry has, None where none is left."""
        with self._lock:
            self._drop_old()
            oldest = next(iter(self._kept.values()), None)
            return None if oldest is None else max(0.0, oldest.until - self._clock())

    @property
    def size(self) -> int:
        """Bytes of all entries, as they were given."""
        return sum(entry.size for entry in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def _drop_old(self) -> None:
        now = self._clock()
        while self._kept and next(iter(self._kept.values())).until <= now:
            self._kept.popitem(last=False)
