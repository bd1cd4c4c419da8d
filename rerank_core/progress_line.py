"""How far something long is, for whoever waits at a terminal: counts, and an estimate of what is left.

In a terminal one line is renewed; into a file goes a line every PROGRESS_S seconds and at the end. Nothing is printed
for what is done before the first of them is due and needs no waiting.

>>> left(90), left(3.2), left(5400), left(200_000)
('1.5 min', '4 s', '1.5 h', '2.3 days')
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import perf_counter
from typing import TextIO

from rerank_core.limits import PROGRESS_S

RENEW_S = 0.2
"""Seconds between two renewals of a terminal's line: as often as one can read."""


class ProgressLine:
    """Call it with (done, total) after each step; the estimate takes the steps still to come to be like those done."""

    def __init__(
        self, what: str, stream: TextIO, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._what, self._stream, self._clock = what, stream, clock
        self._renew = stream.isatty()
        self._start = self._last = clock()
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        now = self._clock()
        due = now - self._last >= (RENEW_S if self._renew else PROGRESS_S)
        if not due and done < total:
            return
        spent, self._last = now - self._start, now
        rest = (
            f"estimated {left(spent / done * (total - done))} left"
            if done < total
            else f"{left(spent)}"
        )
        self._say(f"{self._what}: {done:,} of {total:,}, {rest}", done >= total)

    def close(self) -> None:
        """End a line that is still being renewed, so that what comes next begins its own."""
        if self._width:
            self._stream.write("\n")
            self._width = 0

    def _say(self, line: str, last: bool) -> None:
        if not self._renew:
            self._stream.write(f"{line}\n")
        else:
            self._stream.write(f"\r{line.ljust(self._width)}")
            self._width = len(line)
            if last:
                self.close()
        self._stream.flush()


def left(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{ceil(seconds)} s"
