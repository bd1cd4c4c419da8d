"""The records that the stages hand to each other."""

from __future__ import annotations

import dataclasses

import pytest

from rerank_core.errors import InputError
from rerank_core.records import ModelCard, PairScore, Passage, Ranking, Reranked, StageTiming

A, B, C = (Passage(x, f"text of {x}") for x in "abc")


def test_a_ranking_is_by_score_then_by_doc_id():
    ranking = Ranking.from_scores([C, B, A], [0.5, 0.9, 0.5])
    assert [(r.doc_id, r.score, r.rank) for r in ranking] == [
        ("b", 0.9, 1), ("a", 0.5, 2), ("c", 0.5, 3),
    ]  # fmt: skip
    assert ranking.passages == (B, A, C)
    assert (ranking[0].passage, len(ranking)) == (B, 3)
    assert [ranking.rank_of(x) for x in "abcz"] == [2, 1, 3, None]


@pytest.mark.parametrize(("k", "ids"), [(0, ""), (2, "ab"), (9, "abc")])
def test_top_is_a_ranking_of_at_most_k(k: int, ids: str):
    ranking = Ranking.from_scores([A, B, C], [3, 2, 1])
    assert ranking.top(k).doc_ids == tuple(ids)
    assert len(ranking) == 3


def test_a_ranking_needs_one_score_a_passage_and_distinct_ids():
    with pytest.raises(InputError, match="2 passages but 1 scores"):
        Ranking.from_scores([A, B], [1.0])
    with pytest.raises(InputError, match="'a' appears twice"):
        Ranking.from_scores([A, B, A], [1, 2, 3])


def test_records_cannot_be_changed():
    ranking = Ranking.from_scores([A], [1.0])
    for record, field in ((A, "text"), (ranking, "rows"), (ranking[0], "score")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, field, None)


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (StageTiming("cross-encode", 80.0, pairs=10), 8.0),
        (StageTiming("cross-encode", 80.0, pairs=10, cached=6), 20.0),
        (StageTiming("cross-encode", 0.0, pairs=10, cached=10, live_ms=80.0), None),
        (StageTiming("encode query", 0.0, cached=1, live_ms=12.0), None),
        (StageTiming("search", 0.2), None),
    ],
)
def test_milliseconds_a_pair_count_what_was_computed_now(timing: StageTiming, expected):
    assert timing.ms_per_pair == expected


def test_a_pair_is_found_by_its_doc_id():
    pair = PairScore("a", 1.5, 9, 0, False)
    card = ModelCard("m", "cross-encoder", "h")
    reranked = Reranked("q", Ranking.from_scores([A], [1.5]), (pair,), (), card)
    assert reranked.pair("a") is pair
    with pytest.raises(KeyError):
        reranked.pair("b")
