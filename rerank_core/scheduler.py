"""One forward pass at a time, fair between visitors: a worker thread that takes turns.

Work comes in steps (a batch of pairs, a query's encoding); after each step the next visitor has a turn, so that ten
pairs never wait behind somebody's hundred. Short calls (encoding a query) have a lane of their own that alternates
with the other, so that a click shows the first list at once also while others rerank.

Left out: what the work is. Admission is decided by whoever submits, from `backlog_ms`.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from rerank_core.limits import BATCH_TOKENS, FIRST_MS_PER_PAIR, WORKER_IDLE_S

log = logging.getLogger(__name__)
T = TypeVar("T")
Lane = OrderedDict[Hashable, "deque[Work]"]


class Work(Protocol):
    """Something done in steps on the worker thread."""

    def step(self) -> bool:
        """Do one forward pass; True while there is more to do."""

    def fail(self, error: BaseException) -> None:
        """A step raised: tell whoever waits. The work is not stepped again."""

    def remaining_ms(self) -> float:
        """Expected milliseconds of what is left, for admission."""


@dataclass
class Pace:
    """What is known of a model object's speed: `cold` until its first forward pass has ended.

    `batch_tokens` is how many tokens a forward pass should read.
    """

    ms_per_pair: float = FIRST_MS_PER_PAIR
    cold: bool = True
    measured: bool = False
    batch_tokens: int = BATCH_TOKENS

    def note(self, ms: float, pairs: int) -> None:
        """Take in one batch: a moving mean (new value weighs .3), begun by the first warm batch."""
        if not self.cold:
            weight = 0.3 if self.measured else 1.0
            self.ms_per_pair += weight * (ms / pairs - self.ms_per_pair)
            self.measured = True
        self.cold = False


@dataclass(frozen=True)
class Called(Generic[T]):
    """A call's value, with the milliseconds it waited for its turn and then took."""

    value: T
    wait_ms: float
    ms: float


class _Call(Generic[T]):
    def __init__(self, function: Callable[[], T]) -> None:
        self.future: Future[Called[T]] = Future()
        self._function = function
        self._asked = perf_counter()

    def step(self) -> bool:
        start = perf_counter()
        value = self._function()
        end = perf_counter()
        self.future.set_result(Called(value, (start - self._asked) * 1e3, (end - start) * 1e3))
        return False

    def fail(self, error: BaseException) -> None:
        self.future.set_exception(error)

    def remaining_ms(self) -> float:
        return 0.0


_SCHEDULERS: WeakSet[Scheduler] = WeakSet()


@atexit.register
def _close_all() -> None:
    for scheduler in list(_SCHEDULERS):
        scheduler.close()


class Scheduler:
    """Round-robin between visitors, step by step, on one daemon thread that starts with the first work.

    Share one between all engines of a process: then two models never compete for the same cores.
    """

    def __init__(self, idle_s: float = WORKER_IDLE_S) -> None:
        self._wake = threading.Condition()
        self._short: Lane = OrderedDict()
        self._long: Lane = OrderedDict()
        self._current: Work | None = None
        self._short_had_turn = False
        self._thread: threading.Thread | None = None
        self._idle_s = idle_s
        self._paces: WeakKeyDictionary[object, Pace] = WeakKeyDictionary()
        self._closing = False
        _SCHEDULERS.add(self)

    def close(self, timeout_s: float = 5.0) -> None:
        """Let the worker end after its present step, and wait for it: torch aborts a process that ends
        while a thread is still inside it."""
        with self._wake:
            self._closing, thread = True, self._thread
            self._wake.notify_all()
        if thread is not None:
            thread.join(timeout_s)

    def submit(self, work: Work, visitor: Hashable = None, *, short: bool = False) -> None:
        """Queue `work`; works of one visitor share that visitor's turn, None is a visitor of its own."""
        key = ("visitor", visitor) if visitor is not None else ("work", id(work))
        with self._wake:
            lane = self._short if short else self._long
            lane.setdefault(key, deque()).append(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rerank-worker", daemon=True)
                self._thread.start()
            self._wake.notify()

    def call(self, function: Callable[[], T], *, short: bool = True) -> Called[T]:
        """Run `function` on the worker in its turn and wait for it; what it raises is raised here."""
        work = _Call(function)
        self.submit(work, short=short)
        return work.future.result()

    def backlog_ms(self) -> float:
        """Expected milliseconds of all work that waits or runs."""
        with self._wake:
            works = [
                w for lane in (self._short, self._long) for queue in lane.values() for w in queue
            ]
            if self._current is not None:
                works.append(self._current)
        return sum(work.remaining_ms() for work in works)

    def pace(self, model: object) -> Pace:
        """The Pace of a model object (hashable and weakly referable, as plain classes are)."""
        with self._wake:
            return self._paces.setdefault(model, Pace())

    def _next(self) -> tuple[Hashable, Work, Lane] | None:
        """The next work in turn, taken off its lane; None after `idle_s` without any. Holds the lock."""
        if not (self._short or self._long) and not self._wake.wait_for(
            lambda: self._short or self._long or self._closing, timeout=self._idle_s
        ):
            return None
        if self._closing:
            return None
        use_short = bool(self._short) and not (self._short_had_turn and self._long)
        self._short_had_turn = use_short
        lane = self._short if use_short else self._long
        key = next(iter(lane))
        work = lane[key].popleft()
        if lane[key]:
            lane.move_to_end(key)
        else:
            del lane[key]
        return key, work, lane

    def _run(self) -> None:
        while True:
            with self._wake:
                turn = self._next()
                if turn is None:
                    self._thread = None
                    return
                key, work, lane = turn
                self._current = work
            more = _step(work)
            with self._wake:
                self._current = None
                if more:  # behind the others, and behind this visitor's own other works
                    lane.setdefault(key, deque()).append(work)
            del work, turn


def _step(work: Work) -> bool:
    """One step; whatever it raises belongs to those who wait for it, and the worker goes on."""
    try:
        return work.step()
    except BaseException as error:
        try:
            work.fail(error)
        except Exception:
            log.exception(
                "%s failed, and so did telling those who wait for it", type(work).__name__
            )
        return False
