"""A scenario from what a visitor made, what must hold in it, and by what margin."""

from __future__ import annotations

import pytest

from rerank_core.errors import InputError
from rerank_core.holds import expect_now, holds
from rerank_core.lint import lint_scenario
from rerank_core.own_scenario import OwnQuery, OwnWords, own_scenario, slug, with_ids_of_its_own
from rerank_core.pipeline import Comparison, TwoStage
from rerank_core.records import Passage
from rerank_core.scenarios import Expect, Query

WORDS = OwnWords("Two kettles", "own", "A lesson.", "Made on the page.")
TEXTS = [
    "the kettle that boils water", "the toaster toasts bread", "a kettle of fish", "water in a lake",
    "bread and butter", "a fish in the water",
]  # fmt: skip
PASSAGES = [Passage(f"p{i:04d}", text) for i, text in enumerate(TEXTS, 1)]


@pytest.fixture
def comparison(engine: TwoStage) -> Comparison:
    return engine.compare("kettle water", PASSAGES, retrieve_k=6, top_k=3)


def query(relevance: dict[str, int], **expect: object) -> Query:
    return Query("q-1", "kettle water", "own", "?", relevance=relevance, expect=Expect(**expect))


def test_what_holds_now_holds(comparison: Comparison) -> None:
    grades = {comparison.after[0].doc_id: 3, comparison.before[1].doc_id: 2}
    now = expect_now(comparison, grades)
    asked = Query("q-1", "kettle water", "own", "?", relevance=grades, expect=now)
    found = holds(asked, comparison)
    assert [h.key for h in found] == [
        "first_before",
        "first_after",
        "top1_changes",
        "lift_at_3_min",
    ]
    assert all(h.holds for h in found)
    assert all(h.margin is not None and h.margin >= 0 for h in found)
    assert 0.01 <= found[3].margin < 0.061, "the lift is promised rounded down, with some room"


def test_margins_are_measured_on_their_own_scales(comparison: Comparison) -> None:
    before, after = comparison.before, comparison.after
    second = after[1].doc_id
    (first,) = holds(query({}, first_after=(second,)), comparison)
    assert not first.holds
    assert first.margin == pytest.approx(after[1].score - after[0].score)
    assert first.unit == "logit"
    (first,) = holds(query({}, first_before=(before[0].doc_id,)), comparison)
    assert first.margin == pytest.approx(before[0].score - before[1].score)
    assert first.unit == "cosine"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_change_of_the_leader_is_measured_in_logits(comparison: Comparison, wanted: bool) -> None:
    changed = comparison.before[0].doc_id != comparison.after[0].doc_id
    (found,) = holds(query({}, top1_changes=wanted), comparison)
    assert found.holds is (changed is wanted)
    assert found.margin is not None
    assert (found.margin > 0) is found.holds


def test_what_cannot_be_measured_has_no_margin(comparison: Comparison) -> None:
    found = holds(query({"p0001": 1}, first_after=("elsewhere",), lift_at_3_min=0.1), comparison)
    assert [(h.holds, h.margin) for h in found] == [(False, None), (False, None)]


def test_without_a_relevant_passage_no_lift_is_expected(comparison: Comparison) -> None:
    assert expect_now(comparison, {"p0001": 1}).lift_at_3_min is None


def test_the_linter_reads_a_scenario_that_stands_alone(comparison: Comparison) -> None:
    last = comparison.after[-1].doc_id
    asked = OwnQuery("kettle water", {last: 3, "gone": 2}, Expect(first_after=(last,)))
    scenario = own_scenario(WORDS, [asked], PASSAGES)
    found = [str(f) for f in lint_scenario(scenario, {"two-kettles-1": comparison})]
    assert found[0] == (
        "error: two-kettles, two-kettles-1.relevance: no passage has the doc_id 'gone'; mend it or remove it."
    )
    assert any("10 unjudged in the top 10s at N = 50" in f for f in found)
    leader = comparison.after[0].doc_id
    assert (
        f"error: two-kettles, two-kettles-1.expect.first_after: {leader} is first, not {last}."
        in found
    )
    assert "warning: two-kettles: 6 passages; 50 or more tempt better." in found


def test_ids_by_position_get_the_scenarios_in_front() -> None:
    expect = Expect(first_before=("p0001",), first_after=("mine", "p0002.3"))
    passages = [Passage("p0001", "a"), Passage("mine", "b"), Passage("p0002.3", "c")]
    scenario = with_ids_of_its_own(
        own_scenario(WORDS, [OwnQuery("q", {"p0001": 3, "mine": 0}, expect)], passages)
    )
    ids = ("two-kettles-p0001", "mine", "two-kettles-p0002.3")
    assert tuple(p.doc_id for p in scenario.passages) == ids
    assert scenario.queries[0].relevance == {"two-kettles-p0001": 3, "mine": 0}
    assert scenario.queries[0].expect == Expect(first_before=ids[:1], first_after=ids[1:])
    assert with_ids_of_its_own(scenario) == scenario


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Two kettles!", "two-kettles"), ("  ", "own"), ("Ünïcode  --  x", "unicode-x"), ("a" * 90, "a" * 40),
     ("a" * 39 + " b", "a" * 39)],
)  # fmt: skip
def test_an_id_from_a_title(title: str, expected: str) -> None:
    assert slug(title) == expected


@pytest.mark.parametrize(
    ("words", "queries", "sentence"),
    [
        (OwnWords(" ", "own", "l", "n"), 1, "The title has 0 characters, not 1 to 80; write a few words."),
        (OwnWords("t" * 81, "own", "l", "n"), 1, "The title has 81 characters, not 1 to 80; shorten it."),
        (OwnWords("t", "own", "", "n"), 1, "The lesson has 0 characters, not 1 to 4,000; write a few words."),
        (WORDS, 0, "A scenario holds 1 to 20 queries, and none has marks; mark a passage of one."),
        (WORDS, 21, "A scenario holds 1 to 20 queries, and 21 have marks; take the marks off some."),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_sentence(words: OwnWords, queries: int, sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        own_scenario(words, [OwnQuery("q", {"p0001": 3})] * queries, PASSAGES)
    assert str(raised.value) == sentence


def test_a_query_that_is_too_long_names_its_place() -> None:
    with pytest.raises(InputError, match="string should have at most 500 characters"):
        own_scenario(WORDS, [OwnQuery("q" * 501, {"p0001": 3})], PASSAGES)
