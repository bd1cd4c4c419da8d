"""The simulated click log: its formula, its seed, and the lesson that it is there for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pools import cases

from rerank_core import metrics
from rerank_core.clicks import (
    VISITS,
    attracted,
    click_study,
    examined,
    ndcg_by,
    simulate,
)
from rerank_core.evaluate import Case, evaluate
from rerank_core.pool import Pool


def test_the_formula():
    assert [round(attracted(g), 3) for g in range(4)] == [0.1, 0.229, 0.486, 1.0]
    assert [examined(r) for r in (1, 2, 4)] == [1, 0.5, 0.25]


def test_clicks_are_those_expected_and_the_same_every_time():
    shown = ["a", "b", "c", "d"]
    clicks = simulate(shown, {"a": 0, "b": 3, "c": 2}, "q")
    assert clicks == simulate(shown, {"a": 0, "b": 3, "c": 2}, "q")
    assert clicks != simulate(shown, {"a": 0, "b": 3, "c": 2}, "another")
    for rank, (doc_id, grade) in enumerate([("a", 0), ("b", 3), ("c", 2), ("d", 0)], 1):
        expected = VISITS * examined(rank) * attracted(grade)
        assert abs(clicks[doc_id] - expected) < 5 * expected**0.5


@given(cases())
def test_gains_by_grade_give_the_same_ndcg_as_the_metrics(drawn: list[Case]):
    for case in drawn:
        gains = {d: float(metrics.gain(g)) for d, g in case.pool.relevance.items()}
        assert ndcg_by(gains, case.pool.before) == pytest.approx(
            metrics.ndcg_at_k(case.pool.before, case.pool.relevance, 3)
        )


@given(cases(), st.integers(1, 4))
def test_by_grades_the_study_says_what_the_board_says(drawn: list[Case], n: int):
    results = evaluate(drawn, n, 3)
    study = click_study(results, drawn)
    assert study is not None
    assert study.n == len(results)
    assert study.grades.wins == sum(r.outcome == "win" for r in results)
    assert study.grades.losses == sum(r.outcome == "loss" for r in results)


def test_each_list_looks_best_in_its_own_log():
    ids = tuple(f"d{i:02d}" for i in range(20))
    drawn = [
        Case(f"q{i}", f"s{i}", "x", Pool("q", ids, tuple(1 - j / 20 for j in range(20)),
             tuple(float((j * 7 + i) % 20) for j in range(20)), (), {ids[i % 5]: 3}))
        for i in range(10)
    ]  # fmt: skip
    study = click_study(evaluate(drawn, 20, 3), drawn)
    assert study is not None
    assert study.clicks_after.after > study.clicks_after.before
    assert study.clicks_before.before > study.clicks_before.after
    assert click_study([], []) is None
