"""The border: what is refused, in which words, and what is let through."""

from __future__ import annotations

import pytest

from rerank_core.errors import InputError
from rerank_core.inputs import as_passages, check_retrieve_k, check_top_k, clean_query
from rerank_core.records import Passage


@pytest.mark.parametrize(
    "query", ["x", " x ", "\n\tpython pet care\u00a0", "x" * 500, "<b>${1}</b>"]
)
def test_a_query_in_bounds_is_stripped_and_otherwise_left_alone(query: str):
    assert clean_query(query) == query.strip()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "The query has 0 characters, not 1 to 500; type a word or a question."),
        ("  \n", "The query has 0 characters, not 1 to 500; type a word or a question."),
        ("x" * 501, "The query has 501 characters, not 1 to 500; shorten it."),
        (7, "A query is a text, not int; give a string."),
        (
            "ab\ud800",
            "The query holds half of a surrogate pair at character 3, which is not valid Unicode; "
            "remove it.",
        ),
    ],
)
def test_other_queries_are_refused(query, message: str):
    with pytest.raises(InputError) as error:
        clean_query(query)
    assert str(error.value) == message


def test_strings_get_ids_by_place_and_passages_keep_theirs():
    given = Passage("x", "two", title="T")
    assert as_passages(["one", given, "one"]) == [
        Passage("p0001", "one"),
        given,
        Passage("p0003", "one"),
    ]


def test_an_empty_list_and_an_empty_text_are_allowed():
    assert as_passages([]) == []
    assert as_passages([""]) == [Passage("p0001", "")]
    assert as_passages(iter(["a"])) == [Passage("p0001", "a")]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("one text", "put the text into a list"),
        ([Passage("a", "x"), Passage("a", "y")], "The doc_id 'a' appears twice"),
        (["x", Passage("p0001", "y")], "The doc_id 'p0001' appears twice"),
        ([3], "Passage 1 is a int"),
        ([Passage("a", None)], "Passage 1 needs a doc_id and a text"),
        ([Passage("", "x")], "Passage 1 has an empty doc_id"),
        (["x" * 20_001], "has 20001 characters, not at most 20000"),
        (["\udfff"], "half of a surrogate pair at character 1"),
    ],
)
def test_other_passages_are_refused(items, message: str):
    with pytest.raises(InputError, match=message):
        as_passages(items)


@pytest.mark.parametrize("n", [1, 50, 1000])
def test_n_in_bounds(n: int):
    assert check_retrieve_k(n) == n


@pytest.mark.parametrize("n", [0, -1, 1001, 2.5, "5", True, None])
def test_n_out_of_bounds(n):
    with pytest.raises(InputError, match="from 1 to 1000, not"):
        check_retrieve_k(n)


@pytest.mark.parametrize("k", [0, -3, 1.5, False])
def test_k_out_of_bounds(k):
    with pytest.raises(InputError, match="at least 1, not"):
        check_top_k(k)


def test_k_is_at_most_n():
    assert check_top_k(5, 5) == 5
    with pytest.raises(InputError) as error:
        check_top_k(6, 5)
    assert str(error.value) == (
        "top_k (K) is 6 but only retrieve_k (N) = 5 candidates are read; choose K no larger than N."
    )
