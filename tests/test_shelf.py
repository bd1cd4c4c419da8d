"""The shelf of loaded models: few in memory, one load for all who ask, the embedded one stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.errors import InputError, RerankError
from rerank_core.models import EMBEDDED_CROSS_ENCODER
from rerank_core.shelf import ModelShelf


def shelf(size: int = 2, **fakes) -> tuple[ModelShelf, list[str]]:
    loaded: list[str] = []

    def load_fake(kind, name: str, allow_any: bool):
        loaded.append(name)
        return kind(name)

    return (
        ModelShelf(
            size,
            load_encoder=lambda n, allow_any: load_fake(FakeEncoder, n, allow_any),
            load_scorer=lambda n, allow_any: load_fake(FakeScorer, n, allow_any),
        ),
        loaded,
    )


def test_at_most_two_of_each_kind_and_the_embedded_one_stays():
    kept, loaded = shelf()
    for name in (EMBEDDED_CROSS_ENCODER, "a", "b", "b", "a"):
        kept.scorer(name)
    kept.encoder("c")
    assert loaded == [EMBEDDED_CROSS_ENCODER, "a", "b", "a", "c"]
    assert kept.names() == ("c", EMBEDDED_CROSS_ENCODER, "a")


def test_the_least_recently_used_goes_first():
    kept, loaded = shelf()
    for name in ("a", "b", "a", "c", "a"):
        kept.encoder(name)
    assert loaded == ["a", "b", "c"]
    assert set(kept.names()) == {"a", "c"}


def test_room_is_made_before_the_load_not_after():
    seen: list[tuple[str, ...]] = []

    def load(name: str, allow_any: bool):
        seen.append(kept.names())
        return FakeScorer(name)

    kept = ModelShelf(load_scorer=load)
    for name in (EMBEDDED_CROSS_ENCODER, "a", "b"):
        kept.scorer(name)
    assert seen == [(), (EMBEDDED_CROSS_ENCODER,), (EMBEDDED_CROSS_ENCODER,)]
    assert kept.holds("b")
    assert not kept.holds("a")


def test_what_a_visitor_holds_survives_the_shelf():
    kept, _ = shelf(size=1)
    mine = kept.scorer("a")
    kept.scorer("b")
    assert mine.card.name == "a"
    assert len(mine.score(mine.prepare("q", ["p"]))) == 1


def test_one_load_for_all_who_ask_and_others_are_not_held_up():
    gate, loads = threading.Event(), []

    def slow(name: str, allow_any: bool):
        loads.append(name)
        if name == "slow":
            assert gate.wait(10)
        return FakeEncoder(name)

    kept = ModelShelf(load_encoder=slow)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(kept.encoder, "slow") for _ in range(5)]
        assert pool.submit(kept.encoder, "fast").result(5).card.name == "fast"
        gate.set()
        assert len({id(future.result(5)) for future in asked}) == 1
    assert sorted(loads) == ["fast", "slow"]


def test_a_failed_load_is_tried_again():
    answers = [RerankError("no hub"), FakeEncoder("a")]

    def flaky(name: str, allow_any: bool):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = ModelShelf(load_encoder=flaky)
    with pytest.raises(RerankError, match="no hub"):
        kept.encoder("a")
    assert kept.encoder("a").card.name == "a"


def test_the_shelf_keeps_to_the_list():
    with pytest.raises(InputError, match="not on the list"):
        ModelShelf().scorer("someone/else")
    with pytest.raises(InputError, match="at least 1 model"):
        ModelShelf(0)
