"""Depth: every N from one scoring equals a run at that N; the design's invariants; the reference library."""

from __future__ import annotations

from itertools import pairwise, permutations

import ir_measures
import pytest
from fakes import FakeEncoder, FakeScorer, logit
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import Qrel, R, ScoredDoc, Success, nDCG
from pools import pools, some_library

from rerank_core import metrics
from rerank_core.budget import knee, n_for_budget
from rerank_core.corpus import Corpus
from rerank_core.depth import (
    DepthPoint,
    Pool,
    ceiling_at,
    curve,
    ghosts,
    mean_curve,
    order_at,
    pool_of,
    pool_stream,
)
from rerank_core.errors import InputError
from rerank_core.latency import cost_of, measured
from rerank_core.pipeline import TwoStage
from rerank_core.records import Progress, StageTiming

LIBRARY = some_library()
QUERY = LIBRARY.query("s2-1")
GAINS = {0: 0, 1: 1, 2: 3, 3: 7}


@pytest.fixture
def corpus(engine: TwoStage) -> Corpus:
    return engine.corpus(LIBRARY.passages)


@pytest.fixture
def pool(engine: TwoStage, corpus: Corpus) -> Pool:
    return pool_of(engine, QUERY.text, corpus, QUERY.relevance)


def ndcg3(order, grades) -> float:
    return metrics.ndcg_at_k(order, grades, 3)


# Scoring once


def test_a_pool_is_one_retrieval_and_one_reading(
    pool: Pool, encoder: FakeEncoder, scorer: FakeScorer
):
    assert len(pool) == 100
    assert len(pool.before) == len(set(pool.before)) == 150
    assert [call for call in encoder.calls if call == [QUERY.text]] == [[QUERY.text]]
    assert scorer.pairs == 100 + len(pool.ghost_logits)
    assert set(pool.ghost_logits) == {g.doc_id for g in ghosts(pool, 100)} != set()


def test_everything_after_the_pool_asks_no_model(
    pool: Pool, engine: TwoStage, encoder: FakeEncoder, scorer: FakeScorer
):
    calls, forwards = len(encoder.calls), len(scorer.forwards)
    prepared = scorer.prepared
    points = curve(pool, 5)
    for n in range(1, 101):
        order_at(pool, n), ceiling_at(pool, n), ghosts(pool, n)
    mean_curve([pool, pool], 3), knee(points), n_for_budget(points, 500, 10, 3)
    assert (len(encoder.calls), len(scorer.forwards), scorer.prepared) == (
        calls,
        forwards,
        prepared,
    )


@pytest.mark.parametrize("n", [1, 2, 3, 7, 50, 99, 100])
def test_every_depth_is_what_a_run_at_that_depth_gives(pool: Pool, corpus: Corpus, n: int):
    live = TwoStage(FakeEncoder(), FakeScorer()).compare(QUERY.text, corpus, n, 1)
    assert order_at(pool, n)[:n] == live.after.doc_ids
    assert order_at(pool, n)[n : n + 20] == live.retrieved.tail
    assert curve(pool, 5)[n - 1].ndcg3 == live.lift_at(3, QUERY.relevance).after


def test_kept_scores_are_used(engine: TwoStage, corpus: Corpus, scorer: FakeScorer):
    engine.compare(QUERY.text, corpus, 50, 5)
    pool = pool_of(engine, QUERY.text, corpus, QUERY.relevance)
    assert scorer.pairs == 100 + len(pool.ghost_logits)
    pool_of(engine, QUERY.text, corpus, QUERY.relevance)
    assert scorer.pairs == 100 + len(pool.ghost_logits)


def test_scoring_reports_progress_and_can_be_left(
    engine: TwoStage, corpus: Corpus, scorer: FakeScorer
):
    *progress, last = pool_stream(engine, QUERY.text, corpus, QUERY.relevance)
    assert isinstance(last, Pool)
    assert progress
    assert all(isinstance(p, Progress) for p in progress)
    next(stream := pool_stream(engine, "another", corpus, {}))
    stream.close()


def test_a_corpus_smaller_than_the_pool(engine: TwoStage):
    pool = pool_of(engine, "thing", engine.corpus(["thing one", "two", "three"]), {"p0002": 3})
    assert (len(pool), pool.beyond) == (3, ())
    assert order_at(pool, 50) == order_at(pool, 3)
    assert len(curve(pool, 5)) == 3


def test_an_empty_corpus(engine: TwoStage):
    pool = pool_of(engine, "thing", engine.corpus([]), {"p0002": 3})
    assert (len(pool), pool.margin, curve(pool, 5), order_at(pool, 5)) == (0, None, (), ())
    assert [g.rank for g in ghosts(pool, 5)] == [None]


# What cannot be reached


def test_ghosts_say_where_they_stand_and_what_they_would_score(pool: Pool, corpus: Corpus):
    text = {p.doc_id: p.text for p in corpus.passages}
    for n in (5, 100):
        found = ghosts(pool, n)
        assert {g.doc_id for g in found} == {
            d for d, g in QUERY.relevance.items() if g >= 2 and d not in pool.before[:n]
        }
        for ghost in found:
            assert pool.before[ghost.rank - 1] == ghost.doc_id
            assert ghost.logit == logit(QUERY.text, text[ghost.doc_id])
            better = sum(
                (-x, d) < (-ghost.logit, ghost.doc_id)
                for d, x in zip(pool.doc_ids[:n], pool.logits[:n], strict=True)
            )
            assert ghost.would_rank == 1 + better


def test_a_passage_that_the_corpus_lacks_has_no_rank():
    pool = Pool("q", ("a",), (0.5,), (1.0,), ("b",), {"b": 2, "elsewhere": 3, "a": 3})
    assert [(g.doc_id, g.rank, g.logit) for g in ghosts(pool, 1)] == [
        ("b", 2, None), ("elsewhere", None, None),
    ]  # fmt: skip


# Invariants


@given(pools())
def test_one_candidate_has_no_lift(pool: Pool):
    assert order_at(pool, 1) == pool.before


@given(pools(), st.integers(1, 3))
def test_up_to_three_candidates_leave_the_relevant_in_the_top_three(pool: Pool, n: int):
    n = min(n, len(pool))
    counts = [metrics.relevant_at_k(o, pool.relevance, 3) for o in (pool.before, order_at(pool, n))]
    assert counts[0] == counts[1]


@given(pools())
def test_reranking_neither_adds_nor_loses_and_leaves_the_tail(pool: Pool):
    for n in range(1, len(pool) + 1):
        order = order_at(pool, n)
        assert sorted(order[:n]) == sorted(pool.before[:n])
        assert order[n:] == pool.before[n:]


@given(pools(), st.integers(1, 6))
def test_the_curve_is_the_metrics_of_the_orders(pool: Pool, k: int):
    grades = pool.relevance
    assert curve(pool, k) == tuple(
        DepthPoint(
            n,
            ndcg3(order_at(pool, n), grades),
            metrics.success_at_k(order_at(pool, n), grades, 1),
            metrics.success_at_k(order_at(pool, n), grades, k),
            metrics.recall_at_k(pool.before[:n], grades, n),
            ndcg3(ceiling_at(pool, n), grades),
        )
        for n in range(1, len(pool) + 1)
    )


@given(pools())
def test_nobody_beats_the_ceiling_and_it_grows_with_recall(pool: Pool):
    points = curve(pool, 3)
    for p in points:
        assert max(p.ndcg3, ndcg3(pool.before, pool.relevance)) <= p.ceiling + 1e-12 <= 1 + 2e-12
    for a, b in pairwise(points):
        assert a.ceiling <= b.ceiling + 1e-12
        assert a.candidate_recall <= b.candidate_recall


@given(pools(size=st.integers(1, 5)))
def test_the_ceiling_is_the_best_of_all_orders(pool: Pool):
    for p in curve(pool, 3):
        rest = pool.before[p.n :]
        every = (ndcg3((*o, *rest), pool.relevance) for o in permutations(pool.before[: p.n]))
        assert p.ceiling == pytest.approx(max(every))


def test_equal_to_ir_measures(engine: TwoStage, corpus: Corpus):
    """The mean curve against an independent computation over the orders of live runs."""
    queries = [q for q in LIBRARY.queries if metrics.has_relevant(q.relevance)]
    every = [pool_of(engine, q.text, corpus, q.relevance) for q in LIBRARY.queries]
    means = mean_curve(every, 5)
    qrels = [Qrel(q.id, d, g) for q in queries for d, g in q.relevance.items()]
    for n in (5, 20, 100):
        after, before = [], []
        for q in queries:
            live = engine.compare(q.text, corpus, n, 5)
            ids = (*live.after.doc_ids, *live.retrieved.tail)
            after += [ScoredDoc(q.id, d, -rank) for rank, d in enumerate(ids, 1)]
            before += [ScoredDoc(q.id, row.doc_id, -row.rank) for row in live.before]
        measures = [nDCG(gains=GAINS) @ 3, Success(rel=2) @ 1, Success(rel=2) @ 5]
        theirs = ir_measures.calc_aggregate(measures, qrels, after)
        recall = ir_measures.calc_aggregate([R(rel=2) @ n], qrels, before)
        ours = means[n - 1]
        assert ours.ndcg3 == pytest.approx(theirs[measures[0]])
        assert ours.success1 == pytest.approx(theirs[measures[1]])
        assert ours.answer_in_top_k == pytest.approx(theirs[measures[2]])
        assert ours.candidate_recall == pytest.approx(recall[R(rel=2) @ n])


# Bounds


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda p: order_at(p, 0), "N is a whole number of at least 1, not 0"),
        (lambda p: order_at(p, 3), "N is 3 but only 2 candidates were scored"),
        (lambda p: curve(p, 0), "at least 1, not 0"),
        (
            lambda p: mean_curve([p, Pool("q", ("a",), (1,), (1,), (), {"a": 3})], 3),
            "of 1 and of 2",
        ),
        (lambda p: Pool("q", ("a",), (0.1, 0.2), (), (), {}), "1 candidates, 2 cosines and 0"),
        (lambda p: n_for_budget(curve(p, 1), -1, 1, 1), "A budget of -1 ms"),
        (lambda p: n_for_budget(curve(p, 1), 1, 1, 0), "0 ms a pair"),
    ],
)
def test_out_of_bounds_is_said(call, said: str):
    with pytest.raises(InputError, match=said):
        call(Pool("q", ("a", "b"), (0.9, 0.8), (1.0, 2.0), ("c",), {"b": 3}))


def test_without_a_relevant_passage_there_is_no_curve():
    lost = Pool("q", ("a",), (0.9,), (1.0,), (), {"a": 1})
    found = Pool("q", ("a",), (0.9,), (1.0,), (), {"a": 2})
    assert curve(lost, 3) == mean_curve([lost], 3) == ()
    assert mean_curve([lost, found], 3) == curve(found, 3)
    assert knee(()) is None
    assert n_for_budget((), 100, 1, 1) is None


# Knee and budget

values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def as_curve(xs: list[float]) -> list[DepthPoint]:
    return [DepthPoint(n, x, 0, 0, 0, 1) for n, x in enumerate(xs, 1)]


@given(values)
def test_the_knee_is_the_first_that_is_good_enough(xs: list[float]):
    found = knee(as_curve(xs))
    assert found.best.ndcg3 == max(xs)
    assert xs[found.n - 1] >= 0.99 * max(xs)
    assert all(x < 0.99 * max(xs) for x in xs[: found.n - 1])
    assert "in sample" in found.method


@given(values, st.floats(0, 1e4), st.floats(0, 100), st.floats(0.1, 50))
def test_a_budget_buys_the_largest_n_that_fits(
    xs: list[float], budget: float, query: float, pair: float
):
    bought = n_for_budget(as_curve(xs), budget, query, pair)
    assert 0 <= bought.n <= len(xs)
    assert bought.lost >= 0
    assert bought.within is (query <= budget)
    if bought.n:
        assert bought.ms <= budget + 1e-9
    if bought.n < len(xs):
        assert query + (bought.n + 1) * pair > budget


def test_a_budget_below_the_query_itself_buys_nothing():
    bought = n_for_budget(as_curve([0.1, 0.2]), 5, 10, 1)
    assert (bought.n, bought.ms, bought.ndcg3, bought.within) == (0, 10, 0.1, False)
    assert n_for_budget(as_curve([0.1, 0.2]), 12, 10, 1).n == 2


# Latency


def test_latency_is_measured_live_at_each_depth(
    engine: TwoStage, corpus: Corpus, scorer: FakeScorer
):
    engine.compare(QUERY.text, corpus, 50, 5)
    read = scorer.pairs
    points = list(measured(engine, QUERY.text, corpus, (5, 20)))
    assert scorer.pairs == read + 25
    assert [p.n for p in points] == [5, 20]
    assert all(p.ms == p.ms_query + p.ms_pairs > 0 for p in points)


def test_cost_leaves_out_cold_runs_and_silence(pool: Pool):
    assert cost_of([]) is None
    cold = Pool("q", (), (), (), (), {}, timings=(StageTiming("cross-encode", 9.0, 1, cold=True),))
    assert cost_of([cold]) is None
