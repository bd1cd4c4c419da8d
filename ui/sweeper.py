"""One quiet thread that sweeps when something's time is over, so that nothing private stays because nobody looks.

It runs while there is anything left and ends with the last of it; whoever adds something wakes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Sweeper:
    """Calls `sweeps` when they ask for it: each returns seconds until it wants to be called again, or None for never.

    All of them keep things for the same time, so that something added later is never due earlier.
    """

    def __init__(self, *sweeps: Callable[[], float | None]) -> None:
        self._sweeps = sweeps
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Something was added."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
                self._thread.start()

    @property
    def running(self) -> bool:
        with self._lock:
            return self._thread is not None

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            with self._lock:
                due = [wait for wait in (sweep() for sweep in self._sweeps) if wait is not None]
                if not due:
                    self._thread = None
                    return
            pause.wait(min(due) + 0.01)
