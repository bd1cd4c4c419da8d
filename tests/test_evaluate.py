"""Many queries: the board's figures equal an independent computation; slices, intervals, failures."""

from __future__ import annotations

from math import log2

import ir_measures
import numpy as np
import pytest
from fakes import FakeEncoder, FakeScorer
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import Qrel, ScoredDoc, Success, nDCG
from pools import cases, pools, some_library

from rerank_core import intervals
from rerank_core.board import cases_of
from rerank_core.errors import InputError
from rerank_core.evaluate import Case, evaluate, headline, slices, unchosen, without_lift
from rerank_core.failures import failure_kind, losses
from rerank_core.intervals import CLUSTERS_MIN, bootstrap_interval, bootstrap_intervals
from rerank_core.metrics import has_relevant
from rerank_core.pipeline import TwoStage
from rerank_core.pool import Pool
from rerank_core.skip import cross_validated, skip_curve, thresholds
from rerank_core.thresholds import scored_pairs, threshold_curve

LIBRARY = some_library()
NDCG3 = nDCG(gains={0: 0, 1: 1, 2: 3, 3: 7}) @ 3
SUCCESS1 = Success(rel=2) @ 1


@pytest.fixture
def scored(engine: TwoStage) -> list[Case]:
    return list(cases_of(engine, LIBRARY, engine.corpus(LIBRARY.passages)))


@pytest.mark.parametrize("n", [5, 50, 100])
def test_figures_equal_ir_measures_over_live_runs(scored: list[Case], n: int):
    """Nothing shared but the models: runs of another engine at this N, averaged by ir_measures."""
    engine = TwoStage(FakeEncoder(), FakeScorer())
    corpus = engine.corpus(LIBRARY.passages)
    results = evaluate(scored, n, 5)
    rows = [headline(results), *slices(unchosen(results))]
    for row in rows:
        queries = [
            q
            for q in LIBRARY.queries
            if q.chosen is None and row.slice in ("all", q.slice) and has_relevant(q.relevance)
        ]
        assert [q.id for q in queries] == list(row.query_ids)
        qrels = [Qrel(q.id, d, grade) for q in queries for d, grade in q.relevance.items()]
        runs: tuple[list, list] = ([], [])
        for q in queries:
            live = engine.compare(q.text, corpus, n, 5)
            for run, ranking in zip(runs, (live.before, live.after), strict=True):
                ids = (*ranking.doc_ids, *live.retrieved.tail)
                run += [ScoredDoc(q.id, d, -rank) for rank, d in enumerate(ids, 1)]
        before, after = (ir_measures.calc_aggregate([NDCG3, SUCCESS1], qrels, r) for r in runs)
        assert row.before == pytest.approx(before[NDCG3])
        assert row.after == pytest.approx(after[NDCG3])
        assert row.lift == pytest.approx(after[NDCG3] - before[NDCG3])
        assert row.success1 == pytest.approx((before[SUCCESS1], after[SUCCESS1]))
    assert any(row.lift for row in rows)


def test_no_model_is_asked_after_the_pools(
    scored: list[Case], encoder: FakeEncoder, scorer: FakeScorer
):
    assert scorer.pairs == sum(100 + len(c.pool.ghost_logits) for c in scored)
    calls, forwards, prepared = len(encoder.calls), len(scorer.forwards), scorer.prepared
    for n, k in ((1, 1), (5, 3), (50, 5), (100, 10)):
        results = evaluate(scored, n, k)
        headline(results), slices(results), losses(results)
        skip_curve(results, thresholds(results), 3.0), cross_validated(results, 3.0)
        pairs = scored_pairs(scored, n, scorer.card)
        threshold_curve([p.logit for p in pairs], [p.relevant for p in pairs])
    asked = len(encoder.calls), len(scorer.forwards), scorer.prepared
    assert asked == (calls, forwards, prepared)


def test_a_query_without_a_relevant_passage_is_named_and_in_no_mean(scored: list[Case]):
    assert without_lift(scored) == ("s0-0",)
    results = evaluate(scored, 50, 5)
    assert len(results) == len(scored) - 1
    assert "s0-0" not in {r.query_id for r in results}


def test_chosen_queries_stay_out_of_the_headline(scored: list[Case]):
    results = evaluate(scored, 50, 5)
    assert {r.query_id for r in results if r.chosen} == {"s0-2", "s1-2"}
    assert headline(results).n == len(results) - 2
    assert sum(row.chosen for row in slices(results)) == 2
    assert headline([r for r in results if r.chosen]) is None


def test_a_result_by_hand():
    # Before a b c d, N = 3 gives c b a, then d. Ideal d, c: 7 + 3/log2(3); before 3/log2(4), after 3.
    relevance = {"c": 2, "d": 3, "b": 0}
    pool = Pool("q", tuple("abc"), (0.9, 0.7, 0.6), (0.0, 1.0, 2.0), ("d",), relevance)
    (one,) = evaluate([Case("q-1", "s", "aspect", pool)], 3, 3)
    ideal = 7 + 3 / log2(3)
    assert (one.before, one.after) == pytest.approx((1.5 / ideal, 3 / ideal))
    assert (one.success1, one.answer_in_top_k, one.relevant3) == ((0, 1), (1, 1), (1, 1))
    assert (one.unjudged3, one.pairs, one.outcome) == ((1, 1), 3, "win")
    assert one.margin == pytest.approx(0.2)
    assert one.top_after == ("c", "b", "a", "d")
    assert [(s.doc_id, s.before, s.after) for s in one.standings] == [("d", 4, 4), ("c", 3, 1)]


@given(cases())
def test_rows_add_up(some: list[Case]):
    results = evaluate(some, 4, 3)
    rows = slices(results)
    assert sum(row.n for row in rows) == len(results)
    for row in rows:
        assert row.wins + row.ties + row.losses == row.n == len(row.query_ids)
        lifts = [r.lift for r in results if r.slice == row.slice]
        assert row.lift == pytest.approx(np.mean(lifts), abs=1e-12)
        assert (row.interval is None) is (row.scenarios < CLUSTERS_MIN)
        if row.interval:
            assert min(lifts) - 1e-12 <= row.interval[0] <= row.interval[1] <= max(lifts) + 1e-12


@given(cases())
def test_one_candidate_is_all_ties(some: list[Case]):
    assert all(r.outcome == "tie" and r.lift == 0 for r in evaluate(some, 1, 3))


# Intervals

lifts = st.lists(st.tuples(st.floats(-1, 1), st.sampled_from("abcdefgh")), min_size=1, max_size=40)


@given(lifts, st.randoms(use_true_random=False))
def test_an_interval_does_not_depend_on_the_order(drawn: list[tuple[float, str]], rng):
    shuffled = rng.sample(drawn, len(drawn))
    one, other = (bootstrap_interval(*zip(*x, strict=True)) for x in (drawn, shuffled))
    assert one == other


def test_an_interval_equals_a_plain_bootstrap_of_clusters():
    rng = np.random.default_rng(7)
    clusters = [f"s{i}" for i in rng.integers(0, 9, size=60)]
    values = [float(x) for x in rng.normal(0.1, 0.3, size=60)]
    groups = {
        c: [v for v, d in zip(values, clusters, strict=True) if c == d] for c in set(clusters)
    }
    names, means = sorted(groups), []
    for _ in range(4000):
        drawn = rng.choice(names, size=len(names))
        means.append(np.mean([v for name in drawn for v in groups[name]]))
    assert bootstrap_interval(values, clusters) == pytest.approx(
        tuple(np.quantile(means, [0.025, 0.975])), abs=0.015
    )


def test_clusters_widen_an_interval():
    values = [x for x in (0.5, 0.1, -0.3, 0.4, 0.0, 0.2) for _ in range(10)]
    by_scenario = bootstrap_interval(values, [c for c in "abcdef" for _ in range(10)])
    by_query = bootstrap_interval(values, [str(i) for i in range(60)])
    assert by_scenario[1] - by_scenario[0] > 2 * (by_query[1] - by_query[0])


def test_values_and_clusters_of_different_length():
    with pytest.raises(InputError, match="1 values but 2 clusters"):
        bootstrap_interval([0.1], ["a", "b"])


def test_columns_and_blocks_change_no_interval(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(3, 50)).tolist()
    clusters = [str(i // 2) for i in range(50)]
    alone = [bootstrap_interval(values, clusters) for values in columns]
    assert list(bootstrap_intervals(columns, clusters)) == alone
    monkeypatch.setattr(intervals, "BLOCK_DRAWS", 25 * 7)
    assert list(bootstrap_intervals(columns, clusters)) == alone


# Failures


@pytest.mark.parametrize(
    ("relevance", "kind", "fell"),
    [
        ({"a": 3}, "scoring", ["a"]),
        ({"a": 3, "c": 3}, "scoring", ["a"]),
        ({"a": 2, "d": 2}, "scoring", ["a"]),  # as good a one was there
        ({"a": 2, "d": 3}, "candidate", ["a"]),  # a better one was not
        ({"a": 2, "elsewhere": 3}, "candidate", ["a"]),
        ({"a": 1, "d": 2}, "candidate", []),  # only a passage on the topic fell
    ],
)
def test_a_loss_has_its_kind_by_rule(relevance: dict[str, int], kind: str, fell: list[str]):
    pool = Pool("q", tuple("abc"), (0.9, 0.7, 0.6), (0.0, 1.0, 2.0), ("d",), relevance)
    results = evaluate([Case("q-1", "s", "aspect", pool)], 3, 3)
    if relevance == {"a": 3, "c": 3}:
        assert losses(results) == ()
        return
    (loss,) = losses(results)
    assert (loss.kind, [s.doc_id for s in loss.fell]) == (kind, fell)


@given(cases())
def test_losses_are_all_negative_lifts_the_largest_first(some: list[Case]):
    results = evaluate(some, 4, 3)
    found = losses(results)
    assert [x.result.lift for x in found] == sorted(r.lift for r in results if r.outcome == "loss")
    assert sum(row.losses for row in slices(results)) == len(found)


@given(pools())
def test_scoring_means_that_the_best_was_there(pool: Pool):
    (result,) = evaluate([Case("q", "s", "x", pool)], len(pool), 3)
    best = max(pool.relevance.values())
    inside = max(pool.relevance.get(d, 0) for d in pool.doc_ids)
    assert (failure_kind(result) == "scoring") is (inside == best)
