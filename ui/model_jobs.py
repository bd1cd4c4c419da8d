"""Long work that several visitors may ask for at once: done one time, watched by all, ended when nobody is left.

Each job has a thread of its own; what it hands back is given to those who wait, and not kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rerank_core.errors import BusyError, CancelledError
from rerank_core.limits import HEARTBEAT_S, MODELS_PREPARED


class Step(NamedTuple):
    """How far a job is: a sentence, and `done` of `total` where both are known (0 of 0 else)."""

    sentence: str
    done: int = 0
    total: int = 0


OnStep = Callable[[Step], None]
"""What a job calls to say how far it is; raises CancelledError once nobody waits."""


@dataclass
class _Job:
    """Every field is read and written under the lock of Jobs."""

    step: Step
    waiters: int = 0
    ended: bool = False
    error: BaseException | None = None
    value: Any = field(default=None, repr=False)


class Jobs:
    """Jobs by key. Safe from many threads; at most `most` at once."""

    def __init__(self, most: int = MODELS_PREPARED) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._running: dict[str, _Job] = {}

    def run(self, key: str, first: Step, work: Callable[[OnStep], Any]) -> Iterator[Step | Any]:
        """Steps while `work` goes on, at least every HEARTBEAT_S, and last its value in a Done.

        Whoever asks for a key that is under way joins it. Closing the iterator leaves. Raises what `work` raised, and
        BusyError where too many jobs are under way.
        """
        job = self._join(key, first, work)
        try:
            seen = first
            while True:
                with self._changed:
                    self._changed.wait_for(
                        lambda: job.ended or job.step != seen,  # noqa: B023 - called at once
                        timeout=HEARTBEAT_S,
                    )
                    ended, seen = job.ended, job.step
                if ended:  # what is ready at once shows no step at all
                    break
                yield seen
        finally:
            with self._changed:
                job.waiters -= 1
        if job.error is not None:
            raise job.error
        yield Done(job.value)

    def _join(self, key: str, first: Step, work: Callable[[OnStep], Any]) -> _Job:
        with self._changed:
            job = self._running.get(key)
            if job is None:
                if len(self._running) >= self._most:
                    raise BusyError(
                        f"{len(self._running)} other models are being prepared; try again in a minute.",
                        60.0,
                    )
                job = self._running[key] = _Job(first)
                threading.Thread(
                    target=self._work, args=(key, job, work), name=f"prepare {key}", daemon=True
                ).start()
            job.waiters += 1
            return job

    def _work(self, key: str, job: _Job, work: Callable[[OnStep], Any]) -> None:
        def on_step(step: Step) -> None:
            with self._changed:
                if job.waiters < 1:
                    self._forget(key, job)  # whoever asks from now on begins anew
                    raise CancelledError("Nobody waits for this model any more.")
                job.step = step
                self._changed.notify_all()

        value, error = None, None
        try:
            value = work(on_step)
        except BaseException as raised:
            error = raised
        with self._changed:
            job.value, job.error, job.ended = value, error, True
            self._forget(key, job)
            self._changed.notify_all()

    def _forget(self, key: str, job: _Job) -> None:
        if self._running.get(key) is job:
            del self._running[key]


class Done(NamedTuple):
    """A job has ended well."""

    value: Any
