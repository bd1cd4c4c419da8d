"""Predictions: each question's rule, Brier, the record; and what the browser hands back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.errors import InputError
from rerank_core.prediction import BELOW, Prediction, Round, add_round, judge
from rerank_core.records import Passage, Ranking
from ui.predictions import prediction_from, rounds_from, rounds_to

PASSAGES = [Passage(f"d{i:02d}", str(i)) for i in range(12)]


def ranking(order: list[int]) -> Ranking:
    return Ranking.from_scores([PASSAGES[i] for i in order], [-float(i) for i in range(len(order))])


BEFORE = ranking(list(range(12)))


@pytest.mark.parametrize(
    ("order", "prediction", "hits"),
    [
        (list(range(12)), Prediction(False, 0.9, None, 0, True), [True, True, True]),
        ([1, 0, *range(2, 12)], Prediction(True, 0.9, 2, 0, True), [True, True, True, True]),
        ([11, *range(11)], Prediction(True, 0.9, BELOW, 1, False), [True, True, True, True]),
        ([9, *range(9), 10, 11], Prediction(True, 0.9, 10, 1, False), [True, True, True, True]),
        (
            [9, *range(9), 10, 11],
            Prediction(True, 0.9, BELOW, 3, True),
            [True, False, False, False],
        ),
        (list(range(12)), Prediction(True, 0.9, 2, None, None), [False, False]),
        (list(range(12)), Prediction(False, 0.9), [True]),
    ],
)
def test_each_question_has_its_rule(
    order: list[int], prediction: Prediction, hits: list[bool]
) -> None:
    verdict = judge(prediction, BEFORE, ranking(order))
    assert verdict is not None
    assert [o.hit for o in verdict.outcomes] == hits


def test_nothing_to_judge_without_candidates() -> None:
    assert judge(Prediction(True, 0.5), ranking([]), ranking([])) is None


@given(st.permutations(range(12)), st.booleans(), st.sampled_from([0.5, 0.75, 1.0]))
def test_brier_is_that_of_the_first_question(order: list[int], said: bool, sure: float) -> None:
    verdict = judge(Prediction(said, sure), BEFORE, ranking(order))
    assert verdict is not None
    right = said == (order[0] != 0)
    assert verdict.brier == pytest.approx((1 - sure) ** 2 if right else sure**2)


@pytest.mark.parametrize(
    "values", [(True, 0.4), (True, 1.1), (True, 0.5, 1), (True, 0.5, -2), (True, 0.5, None, 4)]
)
def test_values_out_of_range_are_refused(values: tuple[object, ...]) -> None:
    with pytest.raises(InputError):
        Prediction(*values)  # type: ignore[arg-type]


def test_only_the_first_commit_counts() -> None:
    rounds, counted = add_round([], Round("a", 1, 2, 0.1), keep=2)
    assert counted
    assert add_round(rounds, Round("a", 2, 2, 0.0), keep=2) == (rounds, False)
    rounds, _ = add_round(rounds, Round("b", 1, 1, 0.0), keep=2)
    rounds, _ = add_round(rounds, Round("c", 1, 1, 0.0), keep=2)
    assert [r.key for r in rounds] == ["b", "c"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_whatever_a_browser_hands_back_is_rounds_or_nothing(raw: object) -> None:
    rounds = rounds_from(raw)
    assert rounds_from(rounds_to(rounds)) == rounds


def test_controls_to_prediction() -> None:
    prediction = prediction_from("no", 80, 3, 2, "same")
    assert prediction == Prediction(False, 0.8, None, 2, True), "a leader is asked only after a yes"
    for bad in (
        ("yes", "80", None, None, None),
        ("yes", 40, None, None, None),
        (None, 80, None, None, None),
    ):
        with pytest.raises(InputError):
            prediction_from(*bad)  # type: ignore[arg-type]
