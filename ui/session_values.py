"""What Gradio keeps of a page's component values, taken out again: its sessions hold the last value of each.

That is how a pasted text or a rendered list would outlive what the visitor forgot. What Gradio keeps of Your own goes
an hour after the session began to use it (and an hour after that, where it goes on), or at once where the visitor
forgets; the page itself keeps showing it. Left out: what other parts show.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rerank_core import limits


class SessionValues:
    """The values of some components in all sessions of a Blocks. Safe from many threads."""

    def __init__(
        self, seconds: float = limits.OWN_HELD_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._clock = seconds, clock
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._blocks: Any = None
        self._names: frozenset[str] = frozenset()

    def watch(self, blocks: Any, components: Iterable[Any]) -> None:
        """Whose values are to be taken out, of the Blocks that they are built in.

        Each has an elem_id or, where the browser keeps its value, a storage_key; what has neither is left alone.
        """
        self._blocks = blocks
        self._names = frozenset(filter(None, (_name(vars(c)) for c in components)))

    def seen(self, session: str | None) -> None:
        """A session uses the part."""
        if session:
            with self._lock:
                self._until.setdefault(session, self._clock() + self._seconds)

    def forget(self, session: str | None) -> None:
        """Take a session's values out now."""
        holder = getattr(self._blocks, "state_holder", None)
        if not session or holder is None or session not in holder:
            return
        # By name: an update makes another component of the same one, which keeps its value under another number.
        for config in list(holder.session_data[session].config_values.values()):
            props = config.get("props", {})
            if _name(props) in self._names and "value" in props:
                props["value"] = None

    def sweep(self) -> float | None:
        """Take out the values of sessions whose time is over; seconds until the next, None where none is left."""
        now = self._clock()
        with self._lock:
            over = [session for session, until in self._until.items() if until <= now]
            for session in over:
                del self._until[session]
            first = next(iter(self._until.values()), None)
        for session in over:
            self.forget(session)
        return None if first is None else first - now


def _name(of: Mapping[str, Any]) -> str | None:
    """What names a component, of its attributes or of its properties in a session."""
    return of.get("elem_id") or of.get("storage_key")
