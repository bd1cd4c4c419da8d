"""Fool it: what a duel says, what is kept and taken away, that a visitor's text stays out of every cache, handlers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fakes import FakeEncoder, FakeScorer, logit
from gradio.state_holder import StateHolder
from hypothesis import given
from hypothesis import strategies as st
from waiting import finished

from rerank_core import limits
from rerank_core.duel import Duel, Pairing, Reading, judge_pairings, pairings
from rerank_core.errors import InputError
from rerank_core.fooled import KINDS, Fooled, best_first, contrast_lines, passages_csv
from rerank_core.passages_file import parse_passages
from rerank_core.records import Passage, Progress, Ranking
from training.readers import contrast
from ui import fool_views as views
from ui import fool_words as words
from ui.explore import build_explore
from ui.fool import build_fool
from ui.fool_handlers import Fool
from ui.fool_keep import FoolKeep
from ui.fool_kept import kept_from, kept_to, with_new, without
from ui.fool_reading import Referee, clean_text
from ui.fool_three import Three, ThreeView
from ui.fool_view import MINE, RIGHT, FoolView
from ui.handlers import Explore
from ui.page_blocks import PageBlocks
from ui.parts import Parts
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
VISITOR: Any = SimpleNamespace(session_hash="visitor")
QUERY = "how warm should a python's enclosure be"
OWN_QUERY = "who sued whom in the lighthouse case"
NASTY = "<img src=x onerror=alert(1)> ${1+1} {{2+2}}"
BOTH = Duel(Reading(0.50, 2.0, 0.70), Reading(0.56, 2.5, 0.80))
BI = Duel(Reading(0.50, 2.0, 0.70), Reading(0.56, 1.5, 0.60))
CROSS = Duel(Reading(0.50, 2.0, 0.70), Reading(0.44, 2.5, 0.80))
NEITHER = Duel(Reading(0.50, 2.0, 0.70), Reading(0.44, 1.5, 0.60))


@pytest.fixture
def scorer() -> FakeScorer:
    return FakeScorer(temperature=1.5)


@pytest.fixture
def service(engine: Any) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def referee(service: Service) -> Referee:
    return Referee(service)


@pytest.fixture
def fool(referee: Referee) -> Fool:
    return Fool(referee)


@pytest.fixture
def keep(referee: Referee) -> FoolKeep:
    return FoolKeep(referee)


def last(views_of: Any) -> Any:
    return list(views_of)[-1]


def entry(wrong: str = "a wrong one", duel: Duel = BOTH, **more: Any) -> Fooled:
    given = {"query": "q", "right": "the right one", "kind": "negation", "weights": "w"} | more
    return Fooled(wrong=wrong, duel=duel, **given)


# The duel and the pairings


@pytest.mark.parametrize(
    ("duel", "fools", "sentence"),
    [
        (BOTH, ("bi-encoder", "cross-encoder"),
         "Yours wins under both models: by .060 of cosine under the bi-encoder, by 0.50 of logit under the "
         "cross-encoder."),
        (BI, ("bi-encoder",),
         "Yours wins under the bi-encoder, by .060 of cosine; the cross-encoder puts the right one first, by 0.50."),
        (CROSS, ("cross-encoder",),
         "Yours wins under the cross-encoder, by 0.50 of logit; the bi-encoder puts the right one first, by .060."),
        (NEITHER, (),
         "Yours wins under neither model: the bi-encoder puts the right one first, by .060, the cross-encoder puts "
         "the right one first, by 0.50."),
        (Duel(BOTH.right, BOTH.right), (),
         "Yours wins under neither model: under the bi-encoder it is a tie, under the cross-encoder it is a tie."),
    ],
)  # fmt: skip
def test_who_wins_is_said_for_each_model_on_its_own_scale(
    duel: Duel, fools: tuple[str, ...], sentence: str
) -> None:
    assert duel.fools == fools
    assert words.verdict(duel) == sentence


def test_a_small_margin_is_not_said_to_be_nothing() -> None:
    assert words.margin("bi-encoder", 0.00004) == ".00004"
    assert words.margin("bi-encoder", 0.0004) == ".0004"
    assert words.margin("cross-encoder", -0.001) == "0.001"
    assert words.margin("cross-encoder", -12.345) == "12.35"


scores = st.floats(-1, 1).map(lambda x: round(x, 3))


@given(st.lists(st.tuples(scores, scores), min_size=3, max_size=3))
def test_pairings_are_those_that_two_rankings_order_otherwise(
    both: list[tuple[float, float]],
) -> None:
    passages = [Passage(name, name) for name in "ABC"]
    before = Ranking.from_scores(passages, [b for b, _ in both])
    after = Ranking.from_scores(passages, [a for _, a in both])
    read = {p.doc_id: Reading(b, a, None) for p, (b, a) in zip(passages, both, strict=True)}
    for found in pairings(read):
        pair = found.first, found.second
        assert found.before == min(pair, key=lambda d: before.rank_of(d) or 0)
        assert found.after == min(pair, key=lambda d: after.rank_of(d) or 0)
        assert found.changes == (found.before != found.after)


def test_a_guess_is_scored_pair_by_pair() -> None:
    found = (
        Pairing("A", "B", 0.1, -1.0),
        Pairing("A", "C", 0.1, 1.0),
        Pairing("B", "C", 0.1, 1.0),
    )
    judged = judge_pairings([("A", "B")], 0.8, found)
    assert (judged.hits, len(judged.outcomes)) == (3, 3)
    assert judged.brier == pytest.approx(0.04)
    assert judge_pairings([], 0.8, found).brier == pytest.approx((0.64 + 0.04 + 0.04) / 3)
    assert judge_pairings([("A", "C")], 0.5, found).brier == pytest.approx(0.25)
    with pytest.raises(InputError, match="runs from 50 % to 100 %, not 40%"):
        judge_pairings([], 0.4, found)
    with pytest.raises(InputError, match="A guess is about the pairs"):
        judge_pairings([("A", "D")], 0.8, found)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ((), "No pairing changes its order: these three could have been left to the vectors."),
        (
            (0,),
            "One pairing changes its order: A and B. The other two could have been left to the vectors.",
        ),
        (
            (0, 2),
            "Two pairings change their order: A and B, and B and C. The third could have been left to the vectors.",
        ),
        ((0, 1, 2), "All three pairings change their order: the cross-encoder turns it round."),
    ],
)
def test_which_pairings_change_is_said(changed: tuple[int, ...], sentence: str) -> None:
    found = [
        Pairing(a, b, 0.1, -1.0 if i in changed else 1.0)
        for i, (a, b) in enumerate(combinations("ABC", 2))
    ]
    assert words.changing(found) == sentence


# What is taken away


def test_contrast_groups_are_those_that_training_reads(tmp_path: Path) -> None:
    items = [entry("w1"), entry("w2"), entry("w3", kind="quantity"), entry("w4", query="other")]
    (tmp_path / "fooled.jsonl").write_text(contrast_lines(items), "utf-8")
    groups = contrast(tmp_path / "no data", tmp_path)
    assert [(g.slice, g.passages) for g in groups] == [
        ("negation", ("the right one", "w1", "w2")),
        ("quantity", ("the right one", "w3")),
        ("negation", ("the right one", "w4")),
    ]
    assert groups[0].queries == (("q", {0: 2}),)


def test_the_kinds_are_the_slices_of_the_contrast_groups() -> None:
    folder = Path(__file__).parents[1] / "training" / "contrast"
    lines = [line for f in folder.glob("*.jsonl") for line in f.read_text("utf-8").splitlines()]
    assert {json.loads(line)["slice"] for line in lines} == set(KINDS) == set(words.KIND_WORDS)


def test_the_csv_is_read_as_passages_and_starts_no_formula() -> None:
    items = [
        entry("=HYPERLINK(1)"), entry('two\nlines, "quoted"', query="@q"), entry("w", right="-1"),
    ]  # fmt: skip
    text = passages_csv(items)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert all(not cell.startswith(tuple("=+-@\t\r")) for row in rows for cell in row.values())
    assert [r["text"] for r in rows] == [
        "the right one", "'=HYPERLINK(1)", 'two\nlines, "quoted"', "'-1", "w",
    ]  # fmt: skip
    assert rows[0]["source"] == "answers “q”; answers “@q”"
    assert rows[1]["source"] == "wrong for “q”: negation"
    assert [n.passage.text for n in parse_passages(text, "csv", "x")] == [r["text"] for r in rows]


# What a browser keeps


def test_what_is_kept_comes_back_as_it_was_and_is_shown_best_first() -> None:
    items = (
        entry("a", BI, query=NASTY),
        entry("b"),
        entry("c", Duel(Reading(0, 0, None), Reading(1, 1, None))),
    )
    raw = json.loads(json.dumps(kept_to(items)))
    assert kept_from(raw) == items
    assert [i.wrong for i in best_first(items)] == ["c", "b", "a"]
    assert without(items, items[1].key) == (items[0], items[2])
    again = with_new(items, entry("b", BI))
    assert [i.wrong for i in again] == ["a", "c", "b"], "one entry a query and text, the later"


GOOD = ["q", "r", "w", "negation", "w", [0.5, 2.0, 0.7], [0.56, 1.5, None]]


@pytest.mark.parametrize(
    "raw",
    [
        None, 7, "x", {}, [None], [[]], [GOOD[:6]], [[*GOOD, 1]],
        [[1, *GOOD[1:]]], [["", *GOOD[1:]]], [["q" * 501, *GOOD[1:]]], [["\ud800", *GOOD[1:]]],
        [["q", "r" * 2001, *GOOD[2:]]], [[*GOOD[:3], "spelling", *GOOD[4:]]],
        [[*GOOD[:5], [0.5, 2.0, 0.7], [0.4, 1.5, 0.6]]],
        [[*GOOD[:5], [10**400, 2.0, 0.7], GOOD[6]]], [[*GOOD[:5], GOOD[5], [0.6, float("nan"), 0.5]]],
        [[*GOOD[:5], GOOD[5], [0.6, 2.0, 1.5]]], [[*GOOD[:4], "w" * 81, *GOOD[5:]]],
    ],
)  # fmt: skip
def test_what_a_browser_kept_wrongly_is_dropped_without_a_word(raw: Any) -> None:
    assert kept_from([GOOD]) != ()
    assert kept_from(raw) == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(st.lists(st.tuples(st.integers(0, 6), json_values), max_size=4), json_values)
def test_no_kept_value_breaks_anything(changes: list[tuple[int, Any]], anything: Any) -> None:
    changed = list(GOOD)
    for at, value in changes:
        changed[at] = value
    for item in (*kept_from([changed]), *kept_from(anything)):
        views.kept([item], "w")


def test_where_there_is_no_room_nothing_goes_that_was_not_removed() -> None:
    full = tuple(entry(str(i)) for i in range(limits.FOOLS_KEPT))
    with pytest.raises(InputError, match=r"You keep 50 passages, the most that are kept; download"):
        with_new(full, entry("one more"))
    assert len(with_new(full, entry("0"))) == limits.FOOLS_KEPT
    long = tuple(entry(f"{i}" + "é" * 1998) for i in range(24))
    with pytest.raises(InputError, match=r"your passages have 100 KB, more than the 96 KB"):
        with_new(long, entry("é" * 1999))


def test_a_full_browser_and_a_long_passage_fit_into_a_request() -> None:
    text = limits.QUERY_MAX_CHARS + 2 * limits.OWN_CHARS
    assert limits.FOOLS_BYTES + 6 * text + 4096 < limits.MAX_BODY_BYTES


# What is read, and where it stays


def reads(scorer: FakeScorer, text: str) -> int:
    """How often a text was read; the service reads others' on its own account."""
    return sum(forward.count(text) for forward in scorer.forwards)


def cached(referee: Referee) -> set[str]:
    """The texts whose scores the page's engine keeps for everybody."""
    return {key.text for key in referee.service.engine.cache._kept}


def test_a_visitors_text_is_in_no_cache_of_the_engine(
    referee: Referee, scorer: FakeScorer, encoder: FakeEncoder
) -> None:
    texts = {RIGHT: "a right one of mine", MINE: "a wrong one of mine"}
    readings = last(referee.stream(OWN_QUERY, texts, "v"))
    assert set(readings) == {RIGHT, MINE}
    last(referee.stream(OWN_QUERY, texts, "v"))
    assert not set(texts.values()) & cached(referee)
    assert [text for call in encoder.calls for text in call].count(OWN_QUERY) == 2, "not kept"
    assert [reads(scorer, text) for text in texts.values()] == [2, 2], "nor are the scores"


def test_a_public_pair_is_read_once_for_everybody(referee: Referee, scorer: FakeScorer) -> None:
    right = referee.right_ones(QUERY)[0].text
    one = last(referee.stream(QUERY, {RIGHT: right, MINE: "first try"}, "v"))
    other = last(referee.stream(QUERY, {RIGHT: right, MINE: "second try"}, "another"))
    assert [reads(scorer, text) for text in (right, "first try", "second try")] == [1, 1, 1]
    assert {right, "first try", "second try"} & cached(referee) == {right}
    assert one[RIGHT] == other[RIGHT]
    assert one[RIGHT].probability is not None


def test_leaving_leaves_the_reranking_too(
    referee: Referee, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []

    def stream(*_: Any, **__: Any) -> Iterator[Progress]:
        try:
            yield Progress(0, 1, waiting=True)
        finally:
            left.append(True)

    monkeypatch.setattr(referee.service.engine, "rerank_stream", stream)
    run = referee.stream(QUERY, {MINE: "left at once"}, "v")
    assert next(run) == Progress(0, 1, waiting=True)
    run.close()  # type: ignore[attr-defined]
    assert left == [True]


def test_the_readings_are_those_of_the_models(referee: Referee) -> None:
    found = last(referee.stream(OWN_QUERY, {"A": "the lighthouse case", "B": "bread"}, "v"))
    assert found["A"].cosine > found["B"].cosine
    assert found["A"].logit == pytest.approx(logit(OWN_QUERY, "the lighthouse case"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" \n", "Your passage has 0 characters, not 1 to 2,000; write it."),
        ("x" * 2001, "Your passage has 2,001 characters, not 1 to 2,000; shorten it."),
        (None, "Your passage is a text, not NoneType."),
        ("a\udc80", "Your passage holds half of a surrogate pair at character 2, which is not valid Unicode; "
         "remove it."),
    ],
)  # fmt: skip
def test_a_passage_out_of_bounds_is_one_sentence(text: Any, sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        clean_text(text, "Your passage")
    assert str(raised.value) == sentence


# The handlers


def test_the_tab_opens_on_explores_query_and_its_best_right_passage(fool: Fool) -> None:
    view = last(fool.open("", "", QUERY))
    assert (view.asked, view.query) == (QUERY, QUERY)
    assert view.right.startswith("Aim for a basking surface")
    assert "The library grades it 3, answers, right passage 1 of 2." in view.says
    assert view.another["visible"] is True


def test_what_is_being_written_is_not_replaced(fool: Fool) -> None:
    assert last(fool.open(QUERY, "", QUERY)) == FoolView()
    assert last(fool.open("another", "half a sentence", QUERY)) == FoolView()
    taken = last(fool.take(QUERY))
    assert taken.query == QUERY
    assert taken._asdict()["live"] == FoolView().live, "yours stays, and is scored again by script"


def test_another_right_passage_and_the_next_query_go_round(fool: Fool, referee: Referee) -> None:
    texts = [p.text for p in referee.right_ones(QUERY)]
    assert last(fool.another(QUERY, texts[0])).right == texts[1]
    assert last(fool.another(QUERY, texts[-1])).right == texts[0]
    assert last(fool.another(QUERY, "one of my own")).right == texts[0]
    assert "write its right passage yourself" in last(fool.another("mine", "x")).message
    seen, query = set(), "one of my own"
    for _ in referee.service.library.queries:
        query = last(fool.next_query(query)).query
        seen.add(query)
    assert len(seen) == len({q.text for q in referee.service.library.queries})


@pytest.mark.parametrize(
    ("query", "right", "mine", "sentence"),
    [
        (" ", "r", "m", "Write a query first, or start from Explore&#39;s."),
        ("q", "", "m", "Write the passage that answers the query: it is the one to beat."),
        ("q", "r", " ", "Write a passage that beats the right one and is wrong."),
        ("q", "The  same", "the same", "Yours is the right passage itself; change what it says."),
        ("q" * 501, "r", "m", "The query has 501 characters, not 1 to 500; shorten it."),
        ("q", "r", "m" * 2001, "Your passage has 2,001 characters, not 1 to 2,000; shorten it."),
    ],
)
def test_live_says_what_is_missing(
    fool: Fool, query: str, right: str, mine: str, sentence: str
) -> None:
    view = last(fool.live(query, right, mine, "7", VISITOR))
    assert sentence in view.live
    assert 'data-serial="7"' in view.live


def test_live_shows_three_scales_with_the_verdict(fool: Fool) -> None:
    right = "sourdough"
    view = last(fool.live(OWN_QUERY, right, OWN_QUERY + " today", "12", VISITOR))
    assert view.live.count("<svg") == 3
    assert "Yours wins under" in view.live
    assert "It counts only if it is wrong" in view.live
    assert "Your own: you say that it answers the query." in view.says
    assert view.right == FoolView().right, "what is being typed is never set"
    assert view.query == FoolView().query


def test_a_model_without_calibration_shows_no_probability(engine: Any, scorer: FakeScorer) -> None:
    card = scorer.card
    html = views.live("1", Reading(0.5, 1.0, None), Reading(0.6, 2.0, None))
    assert card is not None
    assert html.count("<svg") == 2
    assert "not calibrated" in html


def test_a_passage_that_is_right_fools_nobody(fool: Fool, keep: FoolKeep, referee: Referee) -> None:
    one, other = [p.text for p in referee.right_ones(QUERY)][:2]
    said = "The library grades yours 2 for this query, partly answers: it fools nobody."
    assert said in last(fool.live(QUERY, one, other, "1", VISITOR)).live
    wins = next(
        (r, m)
        for r, m in ((one, other), (other, one))
        if Duel(*last(referee.stream(QUERY, {"r": r, "m": m}, "v")).values()).fools
    )
    assert "it fools nobody" in last(keep.keep(QUERY, *wins, "aspect", [], VISITOR)).message


def test_a_graded_wrong_passage_is_no_right_one_to_beat(fool: Fool, referee: Referee) -> None:
    written = referee.service.written_query(QUERY)
    assert written is not None
    wrong_id = next(d for d, g in sorted(written.relevance.items()) if g == 0)
    wrong = next(p.text for p in referee.service.library.passages if p.doc_id == wrong_id)
    says = last(fool.live(QUERY, wrong, "mine", "1", VISITOR)).says
    assert "grades it 0, not relevant: it is not right, so beating it proves nothing." in says


def test_keep_and_remove(keep: FoolKeep) -> None:
    wrong = OWN_QUERY + " " + NASTY
    asked = OWN_QUERY, "sourdough", wrong
    assert (
        "Tag what is wrong with your passage first"
        in last(keep.keep(*asked, None, [], VISITOR)).message
    )
    view = last(keep.keep(*asked, "entity_role", "nonsense", VISITOR))
    assert "Kept. Fools the" in view.message
    (item,) = kept_from(view.kept)
    assert (item.wrong, item.kind, item.weights) == (
        wrong,
        "entity_role",
        "hash-of-fake hash-of-fake",
    )
    assert "<img" not in view.kept_list
    assert "role swap" in view.kept_list
    assert "Other weights" not in view.kept_list
    shown = last(keep.show(view.kept)).kept_list
    assert shown == view.kept_list
    gone = last(keep.remove(item.key, view.kept))
    assert gone.kept == []
    assert "Nothing kept yet" in gone.kept_list


def test_what_wins_under_no_model_is_not_kept(keep: FoolKeep) -> None:
    view = last(keep.keep(OWN_QUERY, OWN_QUERY, "sourdough", "aspect", [], VISITOR))
    assert "Yours wins under neither model" in view.message
    assert "Only what beats the right passage under a model is kept." in view.message
    assert view.kept == FoolView().kept


def test_other_weights_are_named(keep: FoolKeep) -> None:
    shown = last(keep.show(kept_to([entry(weights="old weights")]))).kept_list
    assert "Other weights than those in use said so." in shown


def test_faults_are_one_sentence_and_quote_nothing(
    fool: Fool, keep: FoolKeep, scorer: FakeScorer, caplog: pytest.LogCaptureFixture
) -> None:
    scorer.error = ValueError("secret detail")
    live = last(fool.live("q", "r", "my private text", "3", VISITOR)).live
    assert "Something went wrong on our side" in live
    assert 'data-serial="3"' in live
    assert "secret detail" not in live
    assert "secret detail" not in last(keep.keep("q", "r", "m", "aspect", [], VISITOR)).message
    assert "my private text" not in caplog.text


def test_nothing_becomes_markup(fool: Fool) -> None:
    html = last(fool.live(NASTY, NASTY + " r", NASTY + " m", NASTY, VISITOR)).live
    assert "<img" not in html
    three = Three(fool.referee)
    answer = last(three.commit(NASTY, NASTY, "b" + NASTY, "c", ["none"], 75, VISITOR)).answer
    assert "<img" not in answer
    assert "&lt;img src=x" in answer


# The exercise


@pytest.fixture
def three(referee: Referee) -> Three:
    return Three(referee)


def test_three_passages_are_guessed_read_and_scored(three: Three, scorer: FakeScorer) -> None:
    views_of = list(
        three.commit("tea water", "tea and water", "water", "bread", ["A-B"], 80, VISITOR)
    )
    assert 'data-state="reading"' in views_of[0].answer
    assert 'data-state="final"' in views_of[-1].answer
    assert "of 3</span>" in views_of[-1].answer
    assert "You said the order of A and B would change; it" in views_of[-1].answer
    assert "Not in your record: you wrote the passages yourself." in views_of[-1].answer
    assert not {"tea and water", "water", "bread"} & cached(three.referee)


@pytest.mark.parametrize(
    ("texts", "guess", "sure", "sentence"),
    [
        (("a", "b", ""), ["none"], 75, "Passage C has 0 characters, not 1 to 2,000; write it."),
        (("a", "b", "A "), ["none"], 75, "A and C hold the same text; write three different ones."),
        (("a", "b", "c"), [], 75, "Guess first: tick the pairs that will change their order, or “none of them”."),
        (("a", "b", "c"), None, 75, "Guess first: tick the pairs that will change their order, or “none of them”."),
        (("a", "b", "c"), ["A-Z"], 75, "Guess first: tick the pairs that will change their order, or “none of them”."),
        (("a", "b", "c"), ["A-B", "none"], 75, "You ticked a pair and “none of them”; take one of the two back."),
        (("a", "b", "c"), ["A-B"], 30, "How sure you are, in percent, runs from 50 to 100, not 30."),
    ],
)  # fmt: skip
def test_the_exercise_says_what_is_missing_before_anything_is_read(
    three: Three, scorer: FakeScorer, texts: tuple[str, ...], guess: Any, sure: Any, sentence: str
) -> None:
    view = last(three.commit("a query", *texts, guess, sure, VISITOR))
    assert sentence in view.message
    assert view.answer == ""
    assert "a query" not in scorer.queries


def test_the_exercise_opens_on_explores_query_unless_something_is_written(three: Three) -> None:
    assert last(three.open("", "", "", "", QUERY)) == ThreeView(asked=QUERY, query=QUERY)
    assert last(three.open("", "", "x", "", QUERY)) == ThreeView()
    assert last(three.open(QUERY, "", "", "", QUERY)) == ThreeView()


# The components


@pytest.fixture
def built(service: Service, referee: Referee) -> tuple[gr.Blocks, Parts]:
    with PageBlocks() as blocks:
        explore = build_explore(Explore(service))
        with gr.Tab("Fool it") as tab:
            parts = build_fool(service, explore, tab, referee)
    return blocks, parts


def test_every_view_field_is_a_component_and_no_event_is_public(
    built: tuple[gr.Blocks, Parts],
) -> None:
    blocks, parts = built
    assert set(FoolView._fields) <= set(parts.by_name)
    ours = [d for d in blocks.fns.values() if "fool" in getattr(d.fn, "__module__", "")]
    assert len(ours) >= 12
    assert all(d.api_visibility == "private" for d in ours)


def test_gradio_keeps_nothing_of_a_visitors_texts(
    built: tuple[gr.Blocks, Parts], referee: Referee
) -> None:
    blocks, _ = built
    holder = StateHolder()
    holder.set_blocks(blocks)
    kept = kept_to([entry("zanzibar kept")])
    for name, data in (
        ("live", ["zanzibar query", "zanzibar right", "zanzibar mine", "1"]),
        ("remove", ["another", kept]),
        ("commit", ["zanzibar query", "zanzibar a", "b", "c", ["none"], 75]),
    ):
        event = next(
            d
            for d in blocks.fns.values()
            if getattr(d.fn, "__name__", "") == name and "fool" in d.fn.__module__
        )
        ran = blocks.process_api(event, data, state=holder["s"], request=gr.Request())
        finished(ran)
    session = holder["s"]
    assert "zanzibar" not in json.dumps([session.config_values, session.state_data], default=str)
