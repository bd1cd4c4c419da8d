"""What visitors bring is kept for a time, within a bound, for whoever holds the token, and goes without a trace."""

from __future__ import annotations

import threading
import time

import pytest
from fakes import Clock

from ui.grades import MARKS_CHARS, marks_from, marks_to
from ui.held import GoneError, Held
from ui.sweeper import Sweeper


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_only_the_token_opens_an_entry(clock: Clock) -> None:
    held = Held(clock=clock)
    one, two = held.put("one", 1), held.put("two", 1)
    assert (held.get(one, str), held.get(two, str)) == ("one", "two")
    assert len(one) >= 43
    assert len({held.put("x", 1) for _ in range(100)}) == 100
    for wrong in ("", "x", one[:-1], None, 5, ["x"]):
        with pytest.raises(GoneError):
            held.get(wrong, str)


def test_a_token_of_another_kind_opens_nothing(clock: Clock) -> None:
    held = Held(clock=clock)
    with pytest.raises(GoneError):
        held.get(held.put("a draft", 1), int)


def test_an_entry_goes_after_its_time_used_or_not(clock: Clock) -> None:
    held = Held(seconds=3600, clock=clock)
    token = held.put("mine", 1)
    clock.now = 3599
    assert held.get(token, str) == "mine"
    clock.now = 3600
    with pytest.raises(GoneError) as raised:
        held.get(token, str)
    assert str(raised.value) == (
        "Your passages are no longer on this server: they are kept for 60 minutes at most. What you pasted is still in "
        "the box: encode it again, or upload your file again."
    )
    assert len(held) == 0


def test_the_oldest_go_where_all_have_no_room(clock: Clock) -> None:
    held = Held(most_bytes=100, clock=clock)
    first, second = held.put("first", 60), held.put("second", 40)
    third = held.put("third", 30)
    assert held.size == 70
    with pytest.raises(GoneError):
        held.get(first, str)
    assert (held.get(second, str), held.get(third, str)) == ("second", "third")


def test_forgetting_is_at_once(clock: Clock) -> None:
    held = Held(clock=clock)
    token = held.put("mine", 1)
    assert held.forget(token)
    assert not held.forget(token)
    assert not held.forget(None)
    assert (len(held), held.size) == (0, 0)


def test_sweeping_says_when_the_next_is_due(clock: Clock) -> None:
    held = Held(seconds=10, clock=clock)
    assert held.sweep() is None
    held.put("a", 1)
    clock.now = 4
    held.put("b", 1)
    assert held.sweep() == 6
    clock.now = 11
    assert held.sweep() == 3
    assert len(held) == 1


def test_many_threads_put_and_get(clock: Clock) -> None:
    held = Held(most_bytes=50, clock=clock)

    def use() -> None:
        for i in range(200):
            token = held.put(i, 1)
            held.forget(token)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(held), held.size) == (0, 0)


def test_nothing_stays_because_nobody_looks() -> None:
    held = Held(seconds=0.05)
    sweeper = Sweeper(held.sweep)
    held.put("mine", 1)
    sweeper.wake()
    end = time.monotonic() + 10
    while (len(held) or sweeper.running) and time.monotonic() < end:
        time.sleep(0.01)
    assert len(held) == 0
    assert not sweeper.running, "the thread ends with the last entry"
    held.put("again", 1)
    sweeper.wake()
    assert sweeper.running


def test_marks_go_to_the_browser_and_back() -> None:
    marks = {"q": {"a": 3, "b": 0}, "r": {"c": 1}}
    assert marks_from(marks_to(marks)) == marks
    assert marks_to({"q": {}}) == "{}"


@pytest.mark.parametrize(
    ("raw", "marks"),
    [
        (None, {}),
        (5, {}),
        ("", {}),
        ("[1]", {}),
        ("{", {}),
        ("[" * 100_000, {}),
        ('{"q": [1]}', {}),
        ('{"q": {"a": 4, "b": -1, "c": true, "d": "3", "e": 2.0, "f": 2}}', {"q": {"f": 2}}),
        ('{"  q  ": {"a": 1}, "": {"a": 1}}', {"q": {"a": 1}}),
        ('{"' + "q" * 501 + '": {"a": 1}}', {}),
        (" " * (MARKS_CHARS + 1), {}),
    ],
)
def test_marks_that_are_none_are_dropped(raw: object, marks: object) -> None:
    assert marks_from(raw) == marks
