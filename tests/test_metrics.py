"""The metrics by hand, and against ir_measures on hundreds of random cases with ties and missing judgements."""

import random

import ir_measures
import pytest
from ir_measures import RR, P, Qrel, R, ScoredDoc, Success, nDCG

from rerank_core import metrics
from rerank_core.errors import InputError
from rerank_core.records import Passage, Ranking

GAINS = {0: 0, 1: 1, 2: 3, 3: 7}


def random_case(seed: int) -> tuple[list[str], dict[str, int]]:
    """A ranking made of tied scores, and judgements that leave out some of it and name what it lacks."""
    rng = random.Random(seed)
    ids = [f"d{i:02d}" for i in range(rng.randint(1, 30))]
    rng.shuffle(ids)
    scores = [rng.choice([0.0, 0.5, 1.0, 1.5]) for _ in ids]
    ranked = Ranking.from_scores([Passage(i, i) for i in ids], scores).doc_ids
    pool = [*ids, "x1", "x2", "x3"]
    judged = rng.sample(pool, rng.randint(1, len(pool)))
    weights = rng.choice([(6, 2, 1, 1), (1, 1, 1, 1), (8, 1, 0, 0), (1, 0, 0, 0)])
    return list(ranked), {d: rng.choices([0, 1, 2, 3], weights)[0] for d in judged}


@pytest.mark.parametrize("seed", range(400))
def test_equal_to_ir_measures(seed: int):
    ranked, relevance = random_case(seed)
    qrels = [Qrel("q", d, grade) for d, grade in relevance.items()]
    run = [ScoredDoc("q", d, -rank) for rank, d in enumerate(ranked, 1)]
    ours = {}
    for k in (1, 3, 10):
        ours[nDCG(gains=GAINS) @ k] = metrics.ndcg_at_k(ranked, relevance, k)
        ours[P(rel=2) @ k] = metrics.precision_at_k(ranked, relevance, k)
        ours[R(rel=2) @ k] = metrics.recall_at_k(ranked, relevance, k)
        ours[Success(rel=2) @ k] = metrics.success_at_k(ranked, relevance, k)
        for rel in (1, 3):  # judgements on another scale
            ours[P(rel=rel) @ k] = metrics.precision_at_k(ranked, relevance, k, rel)
            ours[R(rel=rel) @ k] = metrics.recall_at_k(ranked, relevance, k, rel)
            ours[Success(rel=rel) @ k] = metrics.success_at_k(ranked, relevance, k, rel)
    ours[RR(rel=2)] = metrics.reciprocal_rank(ranked, relevance)
    ours[RR(rel=1)] = metrics.reciprocal_rank(ranked, relevance, 1)
    theirs = ir_measures.calc_aggregate(list(ours), qrels, run)
    for measure, value in ours.items():
        assert value == pytest.approx(theirs[measure], abs=1e-9), str(measure)


def test_random_cases_have_ties_gaps_and_missing_judgements():
    cases = [random_case(seed) for seed in range(400)]
    assert any(set(ranked) - set(relevance) for ranked, relevance in cases)
    assert any(set(relevance) - set(ranked) for ranked, relevance in cases)
    assert any(not metrics.has_relevant(relevance) for _, relevance in cases)


def test_ndcg_by_hand():
    # DCG@3 = 3/log2(2) + 0 + 7/log2(4) = 6.5; ideal 7/1 + 3/log2(3) = 8.8928
    assert metrics.ndcg_at_k(["b", "x", "a"], {"a": 3, "b": 2}, 3) == pytest.approx(6.5 / 8.892789)


def test_a_missed_passage_counts_in_the_ideal():
    assert metrics.ndcg_at_k(["b"], {"a": 3, "b": 2}, 3) < metrics.ndcg_at_k(["b"], {"b": 2}, 3)


def test_unjudged_counts_as_zero_and_is_counted():
    assert metrics.unjudged_at_k(["a", "x", "y"], {"a": 3}, 2) == 1
    assert metrics.precision_at_k(["x", "a"], {"a": 3}, 2) == 0.5


def test_grade_one_is_not_relevant():
    assert not metrics.has_relevant({"a": 1})
    assert metrics.relevant_at_k(["a", "b"], {"a": 1, "b": 2}, 2) == 1


def test_no_passages_and_no_judgements():
    assert metrics.ndcg_at_k([], {"a": 3}, 3) == 0
    assert metrics.ndcg_at_k(["a"], {}, 3) == 0
    assert metrics.recall_at_k(["a"], {}, 3) == 0
    assert metrics.reciprocal_rank([], {"a": 3}) == 0


def test_depth_zero_is_refused():
    with pytest.raises(InputError, match="at least 1, not 0"):
        metrics.precision_at_k(["a"], {"a": 3}, 0)


@pytest.mark.parametrize(
    ("probability", "outcome", "score"), [(0.5, True, 0.25), (1.0, True, 0.0), (0.8, False, 0.64)]
)
def test_brier(probability: float, outcome: bool, score: float):
    assert metrics.brier(probability, outcome) == pytest.approx(score)


def test_brier_refuses_what_is_no_probability():
    with pytest.raises(InputError, match="between 0 and 1, not 80"):
        metrics.brier(80, True)
