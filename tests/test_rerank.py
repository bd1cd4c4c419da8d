"""The second stage: order, batches, progress, and many visitors at one model."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, pairwise
from typing import ClassVar

import numpy as np
import pytest
from fakes import FakeScorer, logit, some_passages

from rerank_core.errors import BusyError, InputError, ModelError, RerankError
from rerank_core.records import Passage, Progress, Ranking, Reranked
from rerank_core.rerank import Reranker
from rerank_core.scheduler import Scheduler
from rerank_core.score_cache import ScoreCache


def run(reranker: Reranker, query: str, passages, **options) -> Reranked:
    *_, last = reranker.stream(query, passages, **options)
    assert isinstance(last, Reranked)
    return last


def timing(result: Reranked, name: str = "cross-encode"):
    return next(t for t in result.timings if t.name == name)


@pytest.fixture
def gate():
    """A closed gate for a FakeScorer, open at the end whatever happens."""
    event = threading.Event()
    yield event
    event.set()


# One run


def test_scores_are_the_scorers_and_the_order_is_restored(scorer: FakeScorer):
    passages = some_passages(21)
    result = run(Reranker(scorer), "thing 7", passages)
    expected = Ranking.from_scores(passages, [logit("thing 7", p.text) for p in passages])
    assert result.ranking == expected
    assert [p.doc_id for p in result.pairs] == list(expected.doc_ids)
    assert all(result.pair(row.doc_id).logit == row.score for row in result.ranking)


def test_batches_hold_so_many_tokens_and_are_sorted_by_length(scorer: FakeScorer):
    reranker = Reranker(scorer)
    reranker.scheduler.pace(scorer).batch_tokens = 100
    run(reranker, "thing", some_passages(21))
    lengths = [[len(text.split()) + 5 for text in batch] for batch in scorer.forwards]
    assert [size for batch in lengths for size in batch] == sorted(chain.from_iterable(lengths))
    assert all(len(batch) * max(batch) <= 100 for batch in lengths)
    for batch, after in pairwise(lengths):
        assert (len(batch) + 1) * after[0] > 100, "another pair would have fitted"


def test_a_passage_is_tokenised_once_for_many_queries():
    class Apart(FakeScorer):
        encoded: ClassVar[list[str]] = []

        def encode_passages(self, texts):
            self.encoded += texts
            return [text.upper() for text in texts]

        def pair(self, query, passages):
            return self.prepare(query, [text.lower() for text in passages])

    scorer, passages = Apart(), some_passages(5)
    reranker = Reranker(scorer)
    for query in ("thing", "other", "third"):
        ranking = run(reranker, query, passages).ranking
        assert [row.score for row in ranking] == sorted(
            (logit(query, p.text) for p in passages), reverse=True
        )
    assert sorted(scorer.encoded) == sorted(p.text for p in passages)
    private = ScoreCache()
    list(reranker.stream("fourth", passages, cache=private))
    assert len(scorer.encoded) == 10, "a private cache shares no tokens"
    assert len(private.tokens) == 5


def test_scores_of_one_backend_are_not_anothers():
    torch, int8, cache = FakeScorer(), FakeScorer(), ScoreCache()
    int8.card = replace(int8.card, backend="openvino-int8-12345678")
    for scorer in (torch, int8, torch, int8):
        run(Reranker(scorer, cache), "thing", some_passages(3))
    assert (torch.pairs, int8.pairs) == (3, 3)
    assert torch.card.model_hash == int8.card.model_hash


def test_equal_texts_are_read_once_and_tie(scorer: FakeScorer):
    passages = [Passage(i, "the same text") for i in "cab"] + [Passage("d", "another")]
    result = run(Reranker(scorer), "text", passages)
    assert scorer.pairs == 2
    same = [row for row in result.ranking if row.passage.text == "the same text"]
    assert [row.doc_id for row in same] == ["a", "b", "c"]
    assert len({row.score for row in same}) == 1
    assert timing(result).pairs == 2


def test_candidates_stay_as_they_are(scorer: FakeScorer):
    before = Ranking.from_scores(some_passages(5), [5, 4, 3, 2, 1])
    copy = Ranking(before.rows)
    run(Reranker(scorer), "thing", before)
    assert before == copy


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_candidate(scorer: FakeScorer, count: int):
    result = run(Reranker(scorer), "thing", some_passages(count))
    assert len(result.ranking) == len(result.pairs) == scorer.pairs == count
    assert [t.name for t in result.timings] == ["wait", "cross-encode"]


def test_an_empty_passage_is_scored_as_it_is(scorer: FakeScorer):
    result = run(Reranker(scorer), "thing", [Passage("e", ""), Passage("t", "thing")])
    assert result.pair("e").logit == logit("thing", "")


def test_tokens_and_cut_tokens_are_said():
    scorer = FakeScorer(max_tokens=10)
    result = run(Reranker(scorer), "a b", [Passage("long", "w " * 20), Passage("short", "w")])
    assert (result.pair("long").tokens, result.pair("long").cut) == (10, 16)
    assert (result.pair("short").tokens, result.pair("short").cut) == (7, 0)
    assert timing(result).tokens == 17


def test_progress_then_one_answer(scorer: FakeScorer):
    items = list(Reranker(scorer).stream("thing", some_passages(20)))
    assert [type(i) for i in items[:-1]] == [Progress] * (len(items) - 1)
    assert isinstance(items[-1], Reranked)
    done = [p.done for p in items[:-1]]
    assert done == sorted(done)
    assert done[-1] == 20
    assert {p.total for p in items[:-1]} == {20}


def test_progress_says_waiting_until_a_pair_is_read(gate: threading.Event):
    busy, scheduler = FakeScorer("busy", gate=gate), Scheduler()
    with ThreadPoolExecutor() as pool:
        other = pool.submit(run, Reranker(busy, scheduler=scheduler), "x", some_passages(3))
        assert busy.entered.wait(5)
        stream = Reranker(FakeScorer(), scheduler=scheduler).stream("thing", some_passages(9))
        assert next(stream) == Progress(0, 9, waiting=True)
        gate.set()
        rest = list(stream)
        other.result(5)
    assert rest[-2] == Progress(9, 9, waiting=False)


def test_a_heartbeat_comes_while_nothing_changes(gate: threading.Event, monkeypatch):
    monkeypatch.setattr("rerank_core.rerank.HEARTBEAT_S", 0.02)
    stream = Reranker(FakeScorer(gate=gate)).stream("thing", some_passages(3))
    assert [next(stream).done for _ in range(5)] == [0] * 5
    stream.close()


@pytest.mark.parametrize("query", ["", "   ", "x" * 501, None])
def test_a_query_out_of_bounds_is_refused_before_iteration(scorer: FakeScorer, query):
    with pytest.raises(InputError):
        Reranker(scorer).stream(query, some_passages(2))


def test_a_doc_id_given_twice_is_refused_before_iteration(scorer: FakeScorer):
    with pytest.raises(InputError, match="'a' appears twice"):
        Reranker(scorer).stream("q", [Passage("a", "x"), Passage("a", "y")])


def test_nothing_happens_before_the_first_item_is_asked_for(scorer: FakeScorer):
    Reranker(scorer).stream("thing", some_passages(3))
    time.sleep(0.02)
    assert scorer.prepared == 0


# The cache and the clock


def test_a_second_run_is_wholly_cached_and_says_what_it_cost():
    scorer = FakeScorer(sleep_s=0.01)
    reranker = Reranker(scorer)
    first, second = (run(reranker, "thing", some_passages(10)) for _ in range(2))
    assert scorer.pairs == 10
    assert first.ranking == second.ranking
    assert not any(p.cached for p in first.pairs)
    assert all(p.cached for p in second.pairs)
    assert (timing(first).cached, timing(first).live_ms) == (0, None)
    assert (timing(second).cached, timing(second).batches, timing(second).ms) == (10, 0, 0.0)
    assert timing(second).live_ms == pytest.approx(timing(first).ms)
    assert timing(second).ms_per_pair is None


def test_a_run_half_cached_says_which(scorer: FakeScorer):
    reranker = Reranker(scorer)
    run(reranker, "thing", some_passages(4))
    result = run(reranker, "thing", some_passages(10))
    assert {p.doc_id for p in result.pairs if p.cached} == {f"t-00{i}" for i in range(4)}
    assert (timing(result).pairs, timing(result).cached) == (10, 4)
    assert timing(result).ms_per_pair == pytest.approx(timing(result).ms / 6)


def test_without_the_cache_everything_is_live_and_kept(scorer: FakeScorer):
    reranker = Reranker(scorer)
    for _ in range(2):
        result = run(reranker, "thing", some_passages(10), use_cache=False)
        assert not any(p.cached for p in result.pairs)
    assert scorer.pairs == 20
    assert timing(run(reranker, "thing", some_passages(10))).cached == 10


def test_a_cache_given_for_one_run_keeps_private_texts_out_of_the_engines(scorer: FakeScorer):
    reranker, private = Reranker(scorer), ScoreCache()
    run(reranker, "thing", some_passages(5), cache=private)
    assert (len(private), len(reranker.cache)) == (5, 0)
    assert timing(run(reranker, "thing", some_passages(5), cache=private)).cached == 5
    assert timing(run(reranker, "thing", some_passages(5))).cached == 0


def test_only_the_first_forward_is_cold(scorer: FakeScorer):
    reranker = Reranker(scorer)
    assert timing(run(reranker, "one", some_passages(20))).cold
    assert not timing(run(reranker, "two", some_passages(20))).cold


def test_the_times_add_up_to_the_clock():
    scorer = FakeScorer(sleep_s=0.02)
    reranker = Reranker(scorer)
    reranker.scheduler.pace(scorer).batch_tokens = 150
    start = time.perf_counter()
    result = run(reranker, "thing", some_passages(20))
    wall = (time.perf_counter() - start) * 1e3
    assert timing(result).batches == len(scorer.forwards) > 1
    assert timing(result).ms >= 20 * len(scorer.forwards)
    assert sum(t.ms for t in result.timings) <= wall
    assert timing(result, "wait").ms < 0.5 * wall


def test_a_slow_reader_of_the_stream_is_not_counted_as_waiting(scorer: FakeScorer):
    for item in Reranker(scorer).stream("thing", some_passages(3)):
        time.sleep(0.2)
        if isinstance(item, Reranked):
            assert sum(t.ms for t in item.timings) < 190


# Errors


def test_a_scorers_error_reaches_every_asker_and_the_worker_lives_on(gate: threading.Event):
    scorer = FakeScorer(gate=gate, error=ValueError("out of memory"))
    reranker = Reranker(scorer)
    with ThreadPoolExecutor(5) as pool:
        runs = [pool.submit(run, reranker, "thing", some_passages(20)) for _ in range(5)]
        assert scorer.entered.wait(5)
        wait_until(lambda: waiters(reranker) == 5)
        gate.set()
        errors = [future.exception(5) for future in runs]
    for error in errors:
        assert type(error) is ModelError
        assert (
            str(error) == "fake-cross failed on this query (ValueError: out of memory); try again."
        )
        assert isinstance(error.__cause__, ValueError)
    scorer.error = None
    assert len(run(reranker, "thing", some_passages(20)).ranking) == 20
    assert len(reranker.cache) == 20


@pytest.mark.parametrize("scores", [[1.0], [[1.0], [2.0]], [float("nan"), 1.0]])
def test_scores_of_a_wrong_shape_or_not_finite_are_an_error(scorer: FakeScorer, scores):
    scorer.score = lambda prepared: np.array(scores)
    with pytest.raises(RerankError, match="fake-cross gave scores of shape"):
        run(Reranker(scorer), "thing", some_passages(2))


def test_an_error_while_tokenising_reaches_the_asker_and_is_not_kept(scorer: FakeScorer):
    reranker, good = Reranker(scorer), scorer.prepare

    def broken(query, passages):
        raise KeyError("vocabulary")

    scorer.prepare = broken
    with pytest.raises(RerankError, match="vocabulary"):
        run(reranker, "thing", some_passages(2))
    scorer.prepare = good
    assert len(run(reranker, "thing", some_passages(2)).ranking) == 2


# Many visitors


def wait_until(condition, timeout_s: float = 5.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.002)


def waiters(reranker: Reranker) -> int:
    """The most askers that wait for one pair."""
    with reranker.cache._changed:
        return max((p.waiters for p in reranker.cache._under_way.values()), default=0)


def test_twenty_askers_of_one_query_cost_one_computation(gate: threading.Event):
    scorer = FakeScorer(gate=gate)
    reranker, passages = Reranker(scorer), some_passages(30)
    with ThreadPoolExecutor(20) as pool:
        runs = [pool.submit(run, reranker, "thing 3", passages, visitor=i) for i in range(20)]
        wait_until(lambda: waiters(reranker) == 20)
        gate.set()
        results = [future.result(10) for future in runs]
    assert scorer.pairs == 30
    assert len({r.ranking for r in results}) == 1
    computed = [r for r in results if not timing(r).cached]
    assert len(computed) == 1
    for result in results:
        if result is not computed[0]:
            assert (timing(result).cached, timing(result).ms) == (30, 0.0)
            assert timing(result).live_ms == pytest.approx(timing(computed[0]).ms)
            assert timing(result, "wait").ms > 0


def test_a_leaver_does_not_cancel_what_another_waits_for(gate: threading.Event):
    scorer = FakeScorer(gate=gate)
    reranker, passages = Reranker(scorer), some_passages(40)
    leaver = reranker.stream("thing", passages)
    next(leaver)
    with ThreadPoolExecutor(1) as pool:
        stayer = pool.submit(run, reranker, "thing", passages[:20])
        wait_until(lambda: waiters(reranker) == 2)
        leaver.close()
        gate.set()
        result = stayer.result(10)
    assert (
        result.ranking.rows
        == Ranking.from_scores(passages[:20], [logit("thing", p.text) for p in passages[:20]]).rows
    )
    read = {text for batch in scorer.forwards for text in batch}
    first = set(scorer.forwards[0])  # under way when the leaver left
    assert read <= first | {p.text for p in passages[:20]}
    assert scorer.pairs < 40


def test_pairs_that_nobody_waits_for_are_dropped(gate: threading.Event):
    scorer = FakeScorer(gate=gate)
    reranker = Reranker(scorer)
    leaver = reranker.stream("thing", some_passages(100))
    next(leaver)
    assert scorer.entered.wait(5)
    leaver.close()
    gate.set()
    assert len(run(reranker, "other", some_passages(3)).ranking) == 3
    assert len(scorer.forwards) == 2
    assert scorer.pairs < 100
    assert reranker.scheduler.backlog_ms() == 0
    assert not reranker.cache._under_way


def test_who_comes_after_a_leaver_gets_an_answer(gate: threading.Event):
    scorer = FakeScorer(gate=gate)
    reranker, passages = Reranker(scorer), some_passages(30)
    leaver = reranker.stream("thing", passages)
    next(leaver)
    assert scorer.entered.wait(5)
    leaver.close()
    late = reranker.stream("thing", passages)
    next(late)
    gate.set()
    *_, result = late
    assert len(result.ranking) == 30
    assert scorer.pairs == 30


def test_a_small_job_that_starts_later_ends_first(gate: threading.Event):
    scorer = FakeScorer(gate=gate, sleep_s=0.005)
    reranker, ends = Reranker(scorer), {}

    def timed(query: str, count: int) -> None:
        run(reranker, query, some_passages(count), visitor=query)
        ends[query] = time.monotonic()

    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(timed, "large", 100)
        assert scorer.entered.wait(5)
        small = pool.submit(timed, "small", 10)
        wait_until(lambda: scorer.prepared == 110)
        gate.set()
        large.result(10), small.result(10)
    assert ends["small"] < ends["large"]
    assert scorer.queries.index("large") == 0
    last_small = len(scorer.queries) - scorer.queries[::-1].index("small")
    assert last_small <= 2 * 2 + 4  # turn by turn, not behind all 13 batches


def test_admission_is_refused_beyond_the_bound_and_costs_nothing(gate: threading.Event):
    scorer = FakeScorer(gate=gate)
    reranker = Reranker(scorer, max_wait_s=1.0)  # 20 ms a pair are expected before any was measured
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run, reranker, "first", some_passages(90))
        assert scorer.entered.wait(5)
        with pytest.raises(BusyError, match=r"about 2 s .* 10 pairs, more than the 1 s") as refused:
            run(reranker, "second", some_passages(10))
        assert refused.value.wait_s == pytest.approx(1.8)
        joined = reranker.stream("first", some_passages(90))  # costs nothing, so it may
        assert next(joined).total == 90
        gate.set()
        first.result(10)
        assert timing(list(joined)[-1]).cached == 90
    assert len(run(reranker, "second", some_passages(10)).ranking) == 10


def test_a_wholly_cached_answer_does_not_wait_for_a_busy_model(gate: threading.Event):
    scheduler, known = Scheduler(), FakeScorer("known")
    reranker = Reranker(known, scheduler=scheduler, max_wait_s=0.0)
    run(reranker, "thing", some_passages(10))
    busy = FakeScorer("busy", gate=gate)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(run, Reranker(busy, scheduler=scheduler), "x", some_passages(50))
        assert busy.entered.wait(5)
        items = list(reranker.stream("thing", some_passages(10)))
        assert [type(i) for i in items] == [Reranked]
        assert timing(items[0], "wait").ms == 0
        assert not other.done()
        gate.set()
        other.result(10)


def test_live_runs_do_not_join_each_other(gate: threading.Event):
    scorer = FakeScorer(gate=gate)
    reranker = Reranker(scorer)
    with ThreadPoolExecutor(3) as pool:
        runs = [
            pool.submit(run, reranker, "thing", some_passages(9), use_cache=False) for _ in range(3)
        ]
        wait_until(lambda: scorer.prepared == 27)
        gate.set()
        results = [future.result(10) for future in runs]
    assert scorer.pairs == 27
    assert len({r.ranking for r in results}) == 1
    assert sum(timing(r).batches for r in results) == len(scorer.forwards) >= 3


def test_visitors_results_are_never_mixed():
    reranker = Reranker(FakeScorer(sleep_s=0.0005))

    def visit(number: int) -> None:
        query, passages = f"thing {number}", some_passages(5 + number % 17)
        result = run(reranker, query, passages, visitor=number % 5, use_cache=number % 3 > 0)
        assert result.query == query
        expected = Ranking.from_scores(passages, [logit(query, p.text) for p in passages])
        assert result.ranking == expected

    with ThreadPoolExecutor(16) as pool:
        for future in [pool.submit(visit, number) for number in range(120)]:
            future.result(20)


def test_two_models_share_one_turn_and_not_their_scores():
    scheduler, cache = Scheduler(), ScoreCache()
    lock = threading.Lock()  # shared: FakeScorer asserts that no two passes overlap
    scorers = [FakeScorer(name, sleep_s=0.001) for name in ("one", "two")]
    for scorer in scorers:
        scorer._busy = lock
    rerankers = [Reranker(scorer, cache, scheduler) for scorer in scorers]
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(run, rerankers[i % 2], f"q{i}", some_passages(20)) for i in range(16)]
        names = [future.result(10).model.name for future in runs]
    assert names == ["one", "two"] * 8
    assert [scorer.pairs for scorer in scorers] == [160, 160]
