"""How many visitors have something read at this moment: in a crowd, less is said meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Crowd:
    """Counts those inside. Safe from many threads."""

    def __init__(self) -> None:
        self._inside = 0
        self._lock = threading.Lock()

    @contextmanager
    def one_more(self) -> Iterator[int]:
        """Inside as long as the block; how many there are, this one included."""
        with self._lock:
            self._inside += 1
            inside = self._inside
        try:
            yield inside
        finally:
            with self._lock:
                self._inside -= 1
