"""Turns: between visitors, step by step, one at a time; errors go to whoever waits, the worker goes on."""

from __future__ import annotations

import threading
import time

import pytest

from rerank_core.limits import FIRST_MS_PER_PAIR
from rerank_core.scheduler import Pace, Scheduler


class Steps:
    """Work of `count` steps that writes its name into a common log at each."""

    def __init__(self, name: str, count: int, log: list[str], error_at: int | None = None) -> None:
        self.name, self.left, self.log, self.error_at = name, count, log, error_at
        self.done, self.error = threading.Event(), None

    def step(self) -> bool:
        self.log.append(self.name)
        if self.error_at == len([x for x in self.log if x == self.name]):
            raise ValueError("a broken step")
        self.left -= 1
        if not self.left:
            self.done.set()
        return self.left > 0

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.done.set()

    def remaining_ms(self) -> float:
        return 10.0 * self.left


class Block:
    """A first step that holds the worker until everything else is queued."""

    def __init__(self) -> None:
        self.gate, self.entered = threading.Event(), threading.Event()

    def step(self) -> bool:
        self.entered.set()
        assert self.gate.wait(10)
        return False

    def fail(self, error: BaseException) -> None:
        raise AssertionError(error)

    def remaining_ms(self) -> float:
        return 0.0


@pytest.fixture
def held():
    """A scheduler whose worker is held until the test opens `block.gate`."""
    scheduler, block = Scheduler(), Block()
    scheduler.submit(block)
    assert block.entered.wait(5)
    yield scheduler, block
    block.gate.set()


def finish(block: Block, *works: Steps) -> None:
    block.gate.set()
    for work in works:
        assert work.done.wait(5)


def test_visitors_take_turns(held):
    scheduler, block = held
    log: list[str] = []
    long, small = Steps("L", 5, log), Steps("s", 2, log)
    scheduler.submit(long, "one")
    scheduler.submit(small, "two")
    finish(block, long, small)
    assert "".join(log) == "LsLsLLL"


def test_works_of_one_visitor_share_one_turn(held):
    scheduler, block = held
    log: list[str] = []
    works = [Steps(name, 2, log) for name in "ABC"]
    other = Steps("z", 3, log)
    for work in works:
        scheduler.submit(work, "greedy")
    scheduler.submit(other, "modest")
    finish(block, *works, other)
    assert "".join(log) == "AzBzCzABC"


def test_works_without_a_visitor_are_visitors_of_their_own(held):
    scheduler, block = held
    log: list[str] = []
    works = [Steps(name, 2, log) for name in "AB"]
    for work in works:
        scheduler.submit(work)
    finish(block, *works)
    assert "".join(log) == "ABAB"


def test_short_calls_alternate_with_long_work(held):
    scheduler, block = held
    log: list[str] = []
    long, shorts = Steps("L", 3, log), [Steps(name, 1, log) for name in "abc"]
    scheduler.submit(long)
    for work in shorts:
        scheduler.submit(work, short=True)
    finish(block, long, *shorts)
    assert "".join(log) == "aLbLcL"


def test_a_failing_step_fails_its_work_and_the_worker_lives_on(held):
    scheduler, block = held
    log: list[str] = []
    bad, good = Steps("b", 3, log, error_at=2), Steps("g", 3, log)
    scheduler.submit(bad)
    scheduler.submit(good)
    finish(block, bad, good)
    assert str(bad.error) == "a broken step"
    assert good.error is None
    assert "".join(log) == "bgbgg"
    assert scheduler.call(lambda: 7).value == 7


def test_work_whose_fail_raises_does_not_stop_the_worker(caplog):
    scheduler = Scheduler()

    class Broken:
        def step(self) -> bool:
            raise ValueError("step")

        def fail(self, error: BaseException) -> None:
            raise KeyError("fail")

        def remaining_ms(self) -> float:
            return 0.0

    scheduler.submit(Broken())
    assert scheduler.call(lambda: 1, short=False).value == 1
    assert "fail" in caplog.text


def test_call_times_the_wait_and_the_work(held):
    scheduler, block = held
    threading.Timer(0.1, block.gate.set).start()
    called = scheduler.call(lambda: time.sleep(0.03) or "done")
    assert called.value == "done"
    assert called.wait_ms >= 80
    assert called.ms >= 29


def test_call_raises_what_the_function_raises():
    with pytest.raises(ZeroDivisionError):
        Scheduler().call(lambda: 1 / 0)


def test_backlog_is_the_sum_of_what_waits(held):
    scheduler, block = held
    works = [Steps(str(i), 3, []) for i in range(4)]
    for work in works:
        scheduler.submit(work)
    assert scheduler.backlog_ms() == pytest.approx(120)
    finish(block, *works)
    assert scheduler.call(lambda: 1).value == 1
    assert scheduler.backlog_ms() == 0


def test_the_thread_ends_when_idle_and_starts_again():
    scheduler = Scheduler(idle_s=0.05)
    threads = [scheduler.call(threading.current_thread).value for _ in range(2)]
    assert threads[0] is threads[1]
    assert threads[0].daemon
    threads[0].join(5)
    assert not threads[0].is_alive()
    assert scheduler.call(threading.current_thread).value is not threads[0]


def test_nothing_is_lost_when_many_submit_to_a_thread_that_keeps_ending():
    scheduler, log = Scheduler(idle_s=0.0), []
    works = [Steps(str(i), 2, log) for i in range(200)]
    for work in works:
        scheduler.submit(work)
        time.sleep(0.0005 * (work.name[-1] == "0"))
    assert all(work.done.wait(5) for work in works)
    assert len(log) == 400


def test_pace_ignores_the_cold_batch_and_follows_the_warm_ones():
    pace = Pace()
    pace.note(8000, 8)
    assert (pace.ms_per_pair, pace.cold) == (FIRST_MS_PER_PAIR, False)
    pace.note(80, 8)
    assert pace.ms_per_pair == pytest.approx(10)
    pace.note(160, 8)
    assert pace.ms_per_pair == pytest.approx(13)


def test_pace_belongs_to_a_model_object():
    scheduler, model, other = Scheduler(), Pace, Scheduler
    scheduler.pace(model).cold = False
    assert not scheduler.pace(model).cold
    assert scheduler.pace(other).cold
