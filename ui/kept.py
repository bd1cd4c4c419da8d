"""HTML that many visitors are shown alike, made once: the lists of the library's own queries.

A visitor's own query or passages never come here; whoever asks says what may be kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from rerank_core import limits


class Kept:
    """The texts that were asked for last, at most `most` of them. Safe from many threads, which make one at a time:
    else a crowd that comes at once would make the same one many times."""

    def __init__(self, most: int = limits.KEPT_LISTS) -> None:
        self._most = most
        self._texts: OrderedDict[Hashable, str] = OrderedDict()
        self._lock, self._making = threading.Lock(), threading.Lock()

    def __len__(self) -> int:
        return len(self._texts)

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        """What is kept under `key`, which says all that the text depends on; made where there is none."""
        found = self._find(key)
        if found is not None:
            return found
        with self._making:
            found = self._find(key)  # another may have made it meanwhile
            if found is None:
                found = make()
                self._keep(key, found)
            return found

    def _find(self, key: Hashable) -> str | None:
        with self._lock:
            found = self._texts.get(key)
            if found is not None:
                self._texts.move_to_end(key)
            return found

    def _keep(self, key: Hashable, made: str) -> None:
        with self._lock:
            self._texts[key] = made
            while len(self._texts) > self._most:
                self._texts.popitem(last=False)
