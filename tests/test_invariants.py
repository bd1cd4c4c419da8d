"""What must hold for any models, any passages and any judgements."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from fakes import SIZE, FakeEncoder, FakeScorer
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_core import metrics
from rerank_core.comparison import Comparison
from rerank_core.corpus import Corpus
from rerank_core.pipeline import TwoStage
from rerank_core.records import ModelCard, PairScore, Passage, Ranking, Reranked, Retrieved
from rerank_core.retrieve import search

CARD = ModelCard("any", "any", "h")
scores = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0])  # few values, so that there are ties


any_depth = st.integers(1, 12)


@st.composite
def comparisons(draw, depths=any_depth) -> tuple[Comparison, dict[str, int]]:
    """A corpus of up to 20 passages, both stages' scores, and judgements that know some others, too."""
    size = draw(st.integers(1, 20))
    passages = [Passage(f"d{i:02d}", f"text {i}") for i in draw(st.permutations(range(size)))]
    everything = Ranking.from_scores(passages, [draw(scores) for _ in passages])
    n = draw(depths)
    before = everything.top(n)
    retrieved = Retrieved("q", before, (), size, CARD, everything.doc_ids[n:])
    after = Ranking.from_scores(before.passages, [draw(scores) for _ in before])
    ids = [*everything.doc_ids, "elsewhere-1", "elsewhere-2"]
    grades = draw(st.dictionaries(st.sampled_from(ids), st.integers(0, 3)))
    relevant = draw(st.sampled_from(ids))
    return Comparison.of(retrieved, reranked(after), 1), grades | {relevant: 3}


def reranked(ranking: Ranking) -> Reranked:
    pairs = tuple(PairScore(row.doc_id, row.score, 9, 0, False) for row in ranking)
    return Reranked("q", ranking, pairs, (), CARD)


@given(comparisons(depths=st.just(1)))
def test_one_candidate_has_no_lift(case):
    result, relevance = case
    assert result.lift_at(3, relevance).lift == 0


@given(comparisons(depths=st.integers(1, 3)))
def test_up_to_three_candidates_leave_the_relevant_in_the_top_three(case):
    result, relevance = case
    lift = result.lift_at(3, relevance)
    assert lift.relevant_before == lift.relevant_after


@given(comparisons())
def test_an_unchanged_order_has_no_lift(case):
    result, relevance = case
    same = replace(result, reranked=reranked(result.before))
    assert same.lift_at(3, relevance).lift == 0
    assert all(move.change == 0 for move in same.movement)


@given(comparisons(), st.integers(1, 5))
def test_nobody_beats_the_ceiling(case, k: int):
    result, relevance = case
    best = metrics.ceiling_order(result.before.doc_ids, relevance)
    ceiling = metrics.ndcg_at_k([*best, *result.retrieved.tail], relevance, k)
    lift = result.lift_at(k, relevance)
    assert 0 <= lift.before <= ceiling + 1e-12
    assert 0 <= lift.after <= ceiling + 1e-12
    assert ceiling <= 1 + 1e-12


@given(comparisons())
def test_the_ceiling_grows_with_n(case):
    result, relevance = case
    ids = (*result.before.doc_ids, *result.retrieved.tail)
    ceilings = [
        metrics.ndcg_at_k([*metrics.ceiling_order(ids[:n], relevance), *ids[n:]], relevance, 3)
        for n in range(1, len(ids) + 1)
    ]
    assert all(a <= b + 1e-12 for a, b in pairwise(ceilings))


@given(comparisons())
def test_reranking_neither_adds_nor_loses(case):
    result, _ = case
    assert sorted(result.before.doc_ids) == sorted(result.after.doc_ids)
    assert sum(move.change for move in result.movement) == 0
    assert [row.rank for row in result.after] == list(range(1, len(result.before) + 1))


@given(comparisons())
def test_ties_go_by_doc_id(case):
    result, _ = case
    for ranking in (result.before, result.after):
        order = [(-row.score, row.doc_id) for row in ranking]
        assert order == sorted(order)


@settings(max_examples=40)
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=12))
def test_the_engine_keeps_them_for_any_texts(texts: list[str]):
    result = TwoStage(FakeEncoder(), FakeScorer()).compare("any words", texts, top_k=1)
    assert sorted(result.before.doc_ids) == sorted(result.after.doc_ids)
    assert len(result.before) == len(texts)
    for ranking in (result.before, result.after):
        by_text: dict[str, set[float]] = {}
        for row in ranking:
            by_text.setdefault(row.passage.text, set()).add(row.score)
        assert all(len(found) == 1 for found in by_text.values())


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_a_shallower_search_is_the_top_of_a_deeper_one(n: int, depth: int, seed: int):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, SIZE)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    corpus = Corpus(tuple(Passage(f"d{i}", str(i)) for i in range(n)), rows, "h")
    assert search(rows[0], corpus, depth) == search(rows[0], corpus, n).top(depth)
