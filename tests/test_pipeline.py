"""The engine over both stages, and the comparison that comes of it."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fakes import FakeEncoder, FakeScorer, logit, some_passages

from rerank_core.comparison import Comparison
from rerank_core.errors import InputError, RerankError
from rerank_core.models import EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER
from rerank_core.movement import movement
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage, Progress, Ranking, Reranked

STAGES = ["wait", "encode query", "search", "cross-encode"]


def test_compare_runs_both_stages(engine: TwoStage, encoder: FakeEncoder, scorer: FakeScorer):
    result = engine.compare("thing number 7", some_passages(30), retrieve_k=10, top_k=4)
    assert (result.query, result.retrieve_k, result.top_k) == ("thing number 7", 10, 4)
    assert set(result.before.doc_ids) == set(result.after.doc_ids)
    assert result.movement == movement(result.before, result.after)
    assert all(row.score == logit("thing number 7", row.passage.text) for row in result.after)
    assert scorer.pairs == 10
    assert [t.name for t in result.timings] == STAGES
    assert result.total_ms == pytest.approx(sum(t.ms for t in result.timings))


def test_a_list_is_encoded_once_and_a_corpus_too(engine: TwoStage, encoder: FakeEncoder):
    passages = some_passages(30)
    for query in ("one", "two"):
        engine.compare(query, passages)
    assert encoder.texts == 30 + 2
    corpus = engine.corpus(passages)
    engine.compare("three", corpus)
    assert encoder.texts == 30 + 2 + 30 + 1
    assert corpus.encode_ms > 0


def test_only_the_last_lists_are_kept(engine: TwoStage, encoder: FakeEncoder):
    lists = [[f"text {name}"] for name in "abc"]
    for passages in [*lists, lists[0]]:
        engine.retrieve("x", passages)
    assert sum(call == ["text a"] for call in encoder.calls) == 2


def test_a_query_is_stripped_once_for_both_stages(engine: TwoStage, scorer: FakeScorer):
    result = engine.compare("  thing ", some_passages(3), top_k=3)
    assert result.query == "thing"
    assert scorer.queries == ["thing"]


def test_an_empty_list_reads_nothing(engine: TwoStage, scorer: FakeScorer):
    result = engine.compare("x", [])
    assert (len(result.before), len(result.after), result.movement) == (0, 0, ())
    assert result.lift_at(3, {"a": 3}).lift == 0
    assert scorer.pairs == 0
    assert len(engine.rerank("x", [])) == 0


def test_one_candidate(engine: TwoStage):
    result = engine.compare("x", ["only"], retrieve_k=1, top_k=1)
    assert result.after.doc_ids == result.before.doc_ids == ("p0001",)
    assert engine.rerank("x", ["only"])[0].rank == 1


def test_duplicates_keep_their_ids_and_tie(engine: TwoStage):
    result = engine.compare("x", ["same", "same", "x"], top_k=2)
    same = [row for row in result.after if row.passage.text == "same"]
    assert [row.doc_id for row in same] == ["p0001", "p0002"]
    assert same[0].score == same[1].score
    before = [row for row in result.before if row.passage.text == "same"]
    assert before[0].score == before[1].score


def test_rerank_gives_the_best_k_and_takes_strings_passages_and_rankings(engine: TwoStage):
    passages = some_passages(9)
    best = Ranking.from_scores(passages, [logit("thing", p.text) for p in passages])
    assert engine.rerank("thing", passages, top_k=3) == best.top(3)
    assert engine.rerank("thing", best, top_k=100) == best
    assert engine.rerank("thing", ["a", "b"], top_k=1)[0].rank == 1


def test_k_larger_than_n_is_refused_and_larger_than_the_list_is_not(engine: TwoStage):
    with pytest.raises(InputError, match=r"\(K\) is 6 but only retrieve_k \(N\) = 5"):
        engine.compare("x", ["a"], retrieve_k=5, top_k=6)
    assert len(engine.compare("x", ["a"], retrieve_k=6, top_k=6).after) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.retrieve("", ["a"]),
        lambda e: e.retrieve("x", ["a"], 0),
        lambda e: e.rerank("x", ["a"], 0),
        lambda e: e.rerank("x" * 501, ["a"]),
        lambda e: e.compare(" ", ["a"]),
        lambda e: e.rerank_stream("", Ranking(())),
        lambda e: e.rerank("x", [Passage("a", "1"), Passage("a", "2")]),
    ],
)
def test_input_out_of_bounds_is_refused_before_any_model_is_asked(engine, encoder, scorer, call):
    with pytest.raises(InputError):
        call(engine)
    assert (encoder.calls, scorer.forwards) == ([], [])


def test_the_page_works_in_two_calls(engine: TwoStage):
    retrieved = engine.retrieve("thing", some_passages(20), 12)
    *progress, reranked = engine.rerank_stream("thing", retrieved.ranking, visitor="me")
    assert all(isinstance(p, Progress) for p in progress)
    assert isinstance(reranked, Reranked)
    result = Comparison.of(retrieved, reranked, 5)
    assert result.after == engine.compare("thing", some_passages(20), 12, 5).after


def test_a_repeated_comparison_is_cached_and_a_live_one_is_not(engine: TwoStage):
    runs = [engine.compare("x", some_passages(9)) for _ in range(2)]
    live = engine.compare("x", some_passages(9), use_cache=False)
    cached = [[t.cached for t in r.timings] for r in (*runs, live)]
    assert cached == [[0, 0, 0, 0], [0, 1, 0, 9], [0, 0, 0, 0]]
    assert live.after == runs[0].after


def test_warm_takes_the_cold_pass(engine: TwoStage, encoder: FakeEncoder, scorer: FakeScorer):
    assert engine.warm() is engine
    assert (encoder.texts, scorer.pairs) == (1, 1)
    assert not any(t.cold for t in engine.compare("x", some_passages(9)).timings)


def test_without_warm_the_first_run_says_that_it_was_cold(engine: TwoStage):
    corpus = engine.corpus([])  # asks no encoder
    assert corpus is not None
    assert engine.compare("x", some_passages(9)).timings[3].cold


def test_nothing_is_loaded_until_it_is_needed(monkeypatch):
    loaded: list[str] = []
    for name, fake in (("load_encoder", FakeEncoder()), ("load_scorer", FakeScorer())):
        monkeypatch.setattr(
            f"rerank_core.pipeline.{name}", lambda n, fake=fake: loaded.append(n) or fake
        )
    engine = TwoStage()
    assert (engine.loaded, loaded) == (False, [])
    engine.retrieve("x", ["a"])
    assert loaded == [EMBEDDED_BI_ENCODER]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: engine.load(), range(8)))
    assert loaded == [EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER]
    assert engine.loaded
    assert set(engine.load_ms) == {"bi-encoder", "cross-encoder"}
    assert (engine.encoder_card.name, engine.scorer_card.name) == ("fake-bi", "fake-cross")


def test_a_failed_load_is_tried_again_and_the_other_model_works(monkeypatch):
    def broken(name: str):
        raise RerankError("broken weights")

    monkeypatch.setattr("rerank_core.pipeline.load_scorer", broken)
    engine = TwoStage(FakeEncoder())
    with pytest.raises(RerankError, match="broken weights"):
        engine.load()
    assert len(engine.retrieve("x", ["a"]).ranking) == 1
    monkeypatch.setattr("rerank_core.pipeline.load_scorer", lambda name: FakeScorer())
    assert len(engine.rerank("x", ["a"])) == 1


def test_a_visitor_encoding_a_corpus_lets_others_have_their_turn(engine: TwoStage):
    seen: list[int] = []
    inside = threading.Event()

    def progress(done: int, total: int) -> None:
        inside.set()
        seen.append(done)
        if done == 16:
            assert len(pool.submit(engine.rerank, "x", ["a"]).result(5)) == 1

    with ThreadPoolExecutor(1) as pool:
        engine.corpus([f"text {i}" for i in range(40)], progress)
    assert seen == [16, 32, 40]


# What a comparison says


@pytest.fixture
def result() -> Comparison:
    engine = TwoStage(FakeEncoder(), FakeScorer(temperature=2.0, not_confident_below=0.5))
    return engine.compare("thing number 3", some_passages(20), retrieve_k=8, top_k=3)


def test_probability_is_the_calibrated_logit(result: Comparison):
    for row in result.after:
        assert result.probability(row.doc_id) == pytest.approx(1 / (1 + math.exp(-row.score / 2)))
        assert result.pair(row.doc_id).logit == row.score
    with pytest.raises(KeyError):
        result.pair("absent")


def test_confident_is_rank_ones_probability_against_the_threshold(result: Comparison):
    assert result.confident == (result.probability(result.after[0].doc_id) >= 0.5)


def test_an_uncalibrated_model_shows_neither(engine: TwoStage):
    plain = engine.compare("x", some_passages(5))
    assert plain.confident is None
    assert plain.probability("t-001") is None


def test_extreme_logits_do_not_overflow():
    scorer = FakeScorer(temperature=0.001)
    result = TwoStage(FakeEncoder(), scorer).compare("a b c d e", ["a b c d e", "z"], top_k=1)
    assert all(0 <= result.probability(i) <= 1 for i in result.after.doc_ids)


def test_lift_by_hand(result: Comparison):
    # Judged a=3, b=2. Before x, b, y: DCG 3/log2(3) = 1.8928. After a, x, b: 7 + 3/log2(4) = 8.5.
    # Ideal a, b: 7 + 3/log2(3) = 8.8928.
    passages = [Passage(d, d) for d in "xbya"]
    before = Ranking.from_scores(passages, [4, 3, 2, 1])
    after = Ranking.from_scores(passages, [3, 2, 1, 4])
    retrieved = replace(result.retrieved, ranking=before, tail=(), corpus_size=4)
    by_hand = Comparison.of(retrieved, replace(result.reranked, ranking=after, pairs=()), 3)
    lift = by_hand.lift_at(3, {"a": 3, "b": 2})
    assert lift.before == pytest.approx(1.892789 / 8.892789)
    assert lift.after == pytest.approx(8.5 / 8.892789)
    assert lift.lift == pytest.approx(lift.after - lift.before)
    assert (lift.relevant_before, lift.relevant_after) == (1, 2)
    assert (lift.unjudged_before, lift.unjudged_after) == (2, 1)


def test_lift_below_n_uses_the_tail(result: Comparison):
    everything = (*result.before.doc_ids, *result.retrieved.tail)
    lift = result.lift_at(20, {everything[-1]: 3})
    assert lift.relevant_before == lift.relevant_after == 1
    assert lift.lift == 0


def test_lift_beyond_what_is_known_is_refused(engine: TwoStage):
    result = engine.compare("x", some_passages(60), retrieve_k=2, top_k=2)
    with pytest.raises(
        InputError, match="needs 23 ranks but only 22 are known; retrieve at least 3"
    ):
        result.lift_at(23, {"t-001": 3})
    assert engine.compare("x", some_passages(5)).lift_at(99, {"t-001": 3}) is not None


@pytest.mark.parametrize("relevance", [{}, {"t-001": 1}, {"t-001": 0}])
def test_without_a_relevant_passage_there_is_no_lift(result: Comparison, relevance):
    assert result.lift_at(3, relevance) is None


def test_answers_to_different_questions_are_not_compared(engine: TwoStage):
    retrieved = engine.retrieve("one", some_passages(5))
    *_, other = engine.rerank_stream("two", retrieved.ranking)
    with pytest.raises(InputError, match="'one', the second 'two'"):
        Comparison.of(retrieved, other, 3)
    *_, fewer = engine.rerank_stream("one", retrieved.ranking.top(3))
    with pytest.raises(InputError, match="only one of them"):
        Comparison.of(retrieved, fewer, 3)
