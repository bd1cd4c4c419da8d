"""What moved between two orders of the same passages."""

import itertools

import pytest

from rerank_core.errors import InputError
from rerank_core.movement import Move, kendall_tau, movement, new_in_top, same_order
from rerank_core.records import Passage, Ranking


def ranking(order: str) -> Ranking:
    """Passages named by letters, in that order."""
    return Ranking.from_scores([Passage(x, x) for x in order], [-i for i in range(len(order))])


def test_moves_are_in_the_new_order_and_up_is_positive():
    moves = movement(ranking("abcd"), ranking("dabc"))
    assert moves[0] == Move("d", 4, 1)
    assert [(m.doc_id, m.change) for m in moves] == [("d", 3), ("a", -1), ("b", -1), ("c", -1)]


def test_changes_sum_to_zero():
    for order in itertools.permutations("abcd"):
        assert sum(m.change for m in movement(ranking("abcd"), ranking("".join(order)))) == 0


def test_an_empty_pair_of_rankings():
    assert movement(ranking(""), ranking("")) == ()
    assert kendall_tau(ranking(""), ranking("")) is None


@pytest.mark.parametrize(("before", "after"), [("abc", "ab"), ("ab", "abc"), ("ab", "ac")])
def test_rankings_of_other_passages_are_refused(before: str, after: str):
    with pytest.raises(InputError, match="only one of them"):
        movement(ranking(before), ranking(after))


def test_new_in_top():
    assert new_in_top(ranking("abcde"), ranking("deabc"), 3) == 2
    assert new_in_top(ranking("abcde"), ranking("cbade"), 3) == 0


def test_same_order_over_a_range_of_ranks():
    assert same_order(ranking("abcde"), ranking("bacde"), 3, 5)
    assert not same_order(ranking("abcde"), ranking("abced"), 3, 5)


@pytest.mark.parametrize(("after", "tau"), [("abcd", 1.0), ("dcba", -1.0), ("bacd", 4 / 6)])
def test_kendall_tau(after: str, tau: float):
    assert kendall_tau(ranking("abcd"), ranking(after)) == pytest.approx(tau)


def test_one_passage_has_no_tau():
    assert kendall_tau(ranking("a"), ranking("a")) is None
