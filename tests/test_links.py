"""Links: read leniently, written canonically, bounded."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import limits
from rerank_core.errors import InputError
from rerank_core.scenarios import load_library
from ui.links import checked_link, read_link

SCENARIOS = load_library(Path(__file__).parents[1] / "scenarios").scenarios
FIRST = SCENARIOS[0]


def test_a_written_query_is_named_by_its_id() -> None:
    query = FIRST.queries[1]
    link = read_link({"scenario": FIRST.id, "query": query.id, "n": "20", "k": "3"}, SCENARIOS)
    assert (link.query, link.query_id, link.retrieve_k, link.top_k) == (query.text, query.id, 20, 3)
    assert not link.notes
    assert not link.reveal


def test_a_link_survives_a_round_trip() -> None:
    for text in ("a query of my own & more?", "ünï/çødé #1", FIRST.queries[0].text):
        link = read_link({"scenario": FIRST.id, "query": text, "n": "33", "k": "4"}, SCENARIOS)
        again = read_link(dict(parse_qsl(link.to_query_string()[1:])), SCENARIOS)
        assert again == link


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"scenario": "nowhere"}, "not here"),
        ({"n": "4"}, "runs from 5 to 100"),
        ({"n": "1e3"}, "runs from 5 to 100"),
        ({"k": "-1"}, "runs from 3 to 10"),
        ({"n": "5", "k": "9"}, "K cannot exceed N"),
        ({"models": "gpt"}, "embedded ones are in use"),
        ({"query": "x" * 501}, "501 characters"),
        ({"query": "half \ud800"}, "The link's query 'half \\ud800' is not valid Unicode."),
    ],
)
def test_what_cannot_be_read_is_said_and_the_page_opens(params: dict[str, str], words: str) -> None:
    link = read_link(params, SCENARIOS)
    assert any(words in note for note in link.notes)
    assert limits.RETRIEVE_K_MIN <= link.retrieve_k <= limits.RETRIEVE_K_MAX
    assert link.top_k <= link.retrieve_k


@given(
    st.dictionaries(st.sampled_from(["scenario", "query", "n", "k", "models", "reveal"]), st.text())
)
def test_no_link_breaks_the_page(params: dict[str, str]) -> None:
    link = read_link(params, SCENARIOS)
    assert link.top_k <= link.retrieve_k <= limits.RETRIEVE_K_MAX
    assert link.query
    assert len(link.query) <= limits.QUERY_MAX_CHARS
    checked_link(link.scenario, link.query, link.retrieve_k, link.top_k, link.query_id)


@given(
    st.one_of(st.none(), st.floats(), st.integers(), st.integers(0, 110), st.text(), st.booleans())
)
def test_controls_are_held_to_their_range(value: object) -> None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value in range(5, 101)
    if fits:
        assert checked_link("s", "q", value, 5, None).retrieve_k == value
    else:
        with pytest.raises(InputError, match="N, the shortlist"):
            checked_link("s", "q", value, 5, None)
