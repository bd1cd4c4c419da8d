"""Kept, under way, or to compute: what a claim finds, and what leaving does."""

from __future__ import annotations

import threading
from collections import deque
from types import SimpleNamespace

import pytest

from rerank_core.errors import BusyError, InputError
from rerank_core.score_cache import Claim, Entry, Key, Pending, ScoreCache, Watch


def keys(*texts: str, query: str = "q", model: str = "m") -> list[Key]:
    return [Key(model, query, text) for text in texts]


def admit(pairs: int) -> None:
    """Anything is let in."""


def refuse(pairs: int) -> None:
    raise BusyError(f"{pairs} pairs are too many", 99.0)


def compute(cache: ScoreCache, claim: Claim) -> None:
    cache.finish(claim.mine, [Entry(float(len(p.key.text)), 5, 0, 2.0) for p in claim.mine])


def test_a_first_claim_computes_and_a_later_one_finds_it_kept():
    cache = ScoreCache()
    first = cache.claim(keys("a", "bb"), admit)
    assert [p.key.text for p in first.mine] == ["a", "bb"]
    compute(cache, first)
    cache.release(first)
    second = cache.claim(keys("bb", "a", "c"), admit)
    assert {k.text: e.logit for k, e in second.kept.items()} == {"bb": 2.0, "a": 1.0}
    assert [p.key.text for p in second.mine] == ["c"]


def test_a_claim_meanwhile_joins():
    cache = ScoreCache()
    first, second = cache.claim(keys("a", "b"), admit), cache.claim(keys("b", "c"), admit)
    assert second.joined == [first.mine[1]]
    assert [p.key.text for p in second.mine] == ["c"]


@pytest.mark.parametrize("other", [{"query": "r"}, {"model": "n"}])
def test_another_query_or_model_shares_nothing(other: dict[str, str]):
    cache = ScoreCache()
    compute(cache, cache.claim(keys("a"), admit))
    claim = cache.claim(keys("a", **other), admit)
    assert (claim.kept, len(claim.mine)) == ({}, 1)


def test_live_neither_reads_nor_joins_but_keeps():
    cache = ScoreCache()
    compute(cache, cache.claim(keys("a"), admit))
    under_way = cache.claim(keys("b"), admit)
    live = cache.claim(keys("a", "b", "c"), admit, live=True)
    assert [p.key.text for p in live.mine] == ["a", "b", "c"]
    assert cache.claim(keys("c"), admit).joined == []
    compute(cache, live)
    assert cache.claim(keys("c"), admit).kept
    assert under_way.mine[0].done_at is None


def test_a_live_result_leaves_what_is_under_way_to_its_own_end():
    cache = ScoreCache()
    under_way = cache.claim(keys("a"), admit)
    compute(cache, cache.claim(keys("a"), admit, live=True))
    compute(cache, under_way)
    assert under_way.mine[0].entry is not None
    assert len(cache) == 1


def test_the_least_recently_used_goes_first():
    cache = ScoreCache(max_pairs=2)
    for text in "ab":
        compute(cache, cache.claim(keys(text), admit))
    assert cache.claim(keys("a"), admit).kept  # used again
    compute(cache, cache.claim(keys("c"), admit))
    assert len(cache) == 2
    assert len(cache.claim(keys("a", "b", "c"), admit).kept) == 2
    assert [k.text for k in cache.claim(keys("a", "c"), admit).kept] == ["a", "c"]


def test_a_run_larger_than_the_cache_still_gets_every_score():
    cache = ScoreCache(max_pairs=2)
    claim = cache.claim(keys("a", "b", "c"), admit)
    compute(cache, claim)
    assert all(p.entry for p in claim.mine)
    assert len(cache) == 2


def test_a_refused_claim_registers_nothing():
    cache = ScoreCache()
    mine = cache.claim(keys("a"), admit)
    with pytest.raises(BusyError, match="2 pairs"):
        cache.claim(keys("a", "b", "c"), refuse)
    assert mine.mine[0].waiters == 1
    assert len(cache.claim(keys("b"), admit).mine) == 1


def test_what_is_kept_or_under_way_needs_no_admission():
    cache = ScoreCache()
    compute(cache, cache.claim(keys("a"), admit))
    cache.claim(keys("b"), admit)
    claim = cache.claim(keys("a", "b"), refuse)
    assert (len(claim.kept), len(claim.joined)) == (1, 1)


def test_released_pairs_are_dropped_and_wanted_ones_are_not():
    cache = ScoreCache()
    first = cache.claim(keys("a", "b", "c"), admit)
    second = cache.claim(keys("b"), admit)
    cache.release(first)
    queue = deque(of_tokens(first.mine, 1, 1, 1))
    assert cache.wanted(queue) == 1
    assert [p.key.text for p in cache.take(queue, 8)] == ["b"]
    assert not queue
    assert second.joined[0].started
    assert len(cache.claim(keys("a"), admit).mine) == 1  # forgotten, so computed anew


def of_tokens(pendings: list[Pending], *tokens: int) -> list[Pending]:
    for pending, size in zip(pendings, tokens, strict=True):
        pending.prepared = SimpleNamespace(tokens=size)
    return pendings


def test_take_gives_what_fits_with_padding_and_at_least_one():
    cache = ScoreCache()
    mine = cache.claim(keys(*"abcdefgh"), admit).mine
    queue = deque(of_tokens(mine, 5, 5, 5, 10, 10, 11, 40, 90))
    assert [len(cache.take(queue, 40)) for _ in range(6)] == [4, 2, 1, 1, 0, 0]


def test_an_error_reaches_all_who_wait_and_is_not_kept():
    cache, error = ScoreCache(), ValueError("broken")
    first, second = cache.claim(keys("a", "b"), admit), cache.claim(keys("b"), admit)
    cache.fail(first.mine, error)
    assert cache.wait(first, None, 0).error is error
    assert cache.wait(second, None, 0) == Watch(1, False, error)
    assert len(cache.claim(keys("a", "b"), admit).mine) == 2


def test_wait_returns_on_change_and_after_the_time_is_up():
    cache = ScoreCache()
    claim = cache.claim(keys("a"), admit)
    seen = cache.wait(claim, None, 0)
    assert seen == Watch(0, False, None)
    assert cache.wait(claim, seen, 0.01) == seen
    threading.Timer(0.05, compute, (cache, claim)).start()
    assert cache.wait(claim, seen, 5).done == 1


def test_clear_forgets():
    cache = ScoreCache()
    compute(cache, cache.claim(keys("a"), admit))
    cache.clear()
    assert len(cache) == 0
    assert len(cache.claim(keys("a"), admit).mine) == 1


def test_a_cache_for_nothing_is_refused():
    with pytest.raises(InputError, match="at least 1 pair, not 0"):
        ScoreCache(0)


def test_many_threads_compute_each_pair_once():
    cache, counted, lock = ScoreCache(), [], threading.Lock()

    def ask() -> None:
        claim = cache.claim(keys(*"abcdefghijklmnopqrst"), admit)
        with lock:
            counted.extend(p.key.text for p in claim.mine)
        compute(cache, claim)
        while cache.wait(claim, None, 5).done < len(claim.pending):
            pass
        cache.release(claim)

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(counted) == list("abcdefghijklmnopqrst")
