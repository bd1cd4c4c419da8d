"""The page's handlers, called as functions: no browser, no Gradio server, fakes for models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.errors import WeightsError
from rerank_core.pipeline import TwoStage
from ui.explore import build_explore
from ui.handlers import Explore
from ui.service import Service
from ui.view import SKIP, View

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FIRST = "python-pet-care"
TEXT = "python pet care"


def shown(views: Iterable[View]) -> View:
    """What a visitor sees once all of a handler's Views have come, one over the other."""
    seen = View()
    for view in views:
        given = {k: v for k, v in view._asdict().items() if isinstance(v, str | list) or v != SKIP}
        seen = seen._replace(**given)
    return seen


def request(**params: str) -> Any:
    return SimpleNamespace(query_params=params, session_hash="visitor")


@pytest.fixture
def service(engine: TwoStage) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def explore(service: Service) -> Explore:
    return Explore(service)


def test_every_view_field_is_a_component(explore: Explore) -> None:
    import gradio as gr

    with gr.Blocks():
        parts = build_explore(explore)
    assert set(View._fields) <= set(parts.by_name)


def test_load_applies_the_link(explore: Explore) -> None:
    view = shown(
        explore.load(
            [], request(scenario="jaguar-top-speed", query="jaguar-top-speed-2", n="7", k="4")
        )
    )
    assert (view.scenario, view.retrieve_k, view.top_k) == ("jaguar-top-speed", 7, 4)
    assert view.before.count("<li class=") == 7
    assert view.after.count("ghost") >= 7
    assert view.verdict == ""


def test_choosing_runs_the_first_stage_alone(explore: Explore, scorer: FakeScorer) -> None:
    read = scorer.pairs  # the warm-up's
    view = shown(explore.choose_scenario(FIRST, 50, 5))
    assert view.query == TEXT
    assert view.commit["interactive"] is True
    assert scorer.pairs == read, "the cross-encoder reads nothing before the commit"


def test_commit_reads_exactly_n_pairs_and_scores_the_prediction(
    explore: Explore, scorer: FakeScorer
) -> None:
    read = scorer.pairs
    views = list(
        explore.commit(FIRST, TEXT, 20, 5, TEXT, "yes", 80, 2, 1, "shuffled", [], request())
    )
    assert scorer.pairs - read == 20
    assert any("of 20 pairs read" in str(v.after) for v in views[:-1])
    final = views[-1]
    assert "of 4" in final.verdict
    assert "Brier" in final.verdict
    assert len(final.record) == 1
    assert 'data-state="final"' in final.after


def test_a_second_commit_for_the_same_does_not_count(explore: Explore) -> None:
    *_, first = explore.commit(FIRST, TEXT, 20, 5, TEXT, "yes", 80, None, None, None, [], request())
    *_, second = explore.commit(
        FIRST, TEXT, 20, 5, TEXT, "no", 90, None, None, None, first.record, request()
    )
    assert second.record == SKIP
    assert "Not counted" in second.verdict
    *_, other_n = explore.commit(
        FIRST, TEXT, 21, 5, TEXT, "no", 90, None, None, None, first.record, request()
    )
    assert len(other_n.record) == 2


def test_just_show_scores_nothing(explore: Explore) -> None:
    *_, final = explore.just_show(FIRST, TEXT, 20, 5, TEXT, [], request())
    assert "nothing was scored" in final.verdict
    assert final.record == SKIP


def test_own_query_has_no_lift_and_the_page_says_why(explore: Explore) -> None:
    *_, final = explore.just_show(
        FIRST, "a query of my own", 20, 5, "a query of my own", [], request()
    )
    assert "nobody has judged" in final.verdict
    assert 'class="mark' not in final.after


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((FIRST, "", 50, 5), "The query has 0 characters"),
        ((FIRST, "x" * 501, 50, 5), "The query has 501 characters"),
        ((FIRST, TEXT, 4, 3), "N, the shortlist runs from 5 to 100, not 4"),
        ((FIRST, TEXT, 101, 5), "runs from 5 to 100, not 101"),
        ((FIRST, TEXT, 50, 11), "K, the rows handed on runs from 3 to 10, not 11"),
        ((FIRST, TEXT, 5, 6), "K = 6 rows cannot be handed on from a shortlist of N = 5"),
        ((FIRST, TEXT, None, 5), "N, the shortlist is a whole number"),
        ((FIRST, TEXT, 7.5, 5), "is a whole number"),
        ((FIRST, TEXT, float("nan"), 5), "is a whole number"),
        ((FIRST, TEXT, "50", 5), "is a whole number"),
    ],
)
def test_bad_input_is_one_sentence_and_keeps_what_was_typed(
    explore: Explore, args: tuple[Any, ...], sentence: str
) -> None:
    for handler in (explore.change, lambda *a: explore.just_show(*a, a[1], [], request())):
        *_, view = handler(*args)
        assert sentence in view.message
        assert view.query == SKIP
        assert view.before == SKIP
        assert view.commit["interactive"] is True


@pytest.mark.parametrize("answer", [None, "maybe", 1])
def test_commit_needs_the_first_answer(explore: Explore, answer: Any) -> None:
    *_, view = explore.commit(FIRST, TEXT, 20, 5, TEXT, answer, 80, None, None, None, [], request())
    assert "Answer the first question" in view.message


@pytest.mark.parametrize(
    "record", [None, "x", [1], [["k", 5, 4, 0.1]], [["k", 1, 2, 7]], {"a": 1}, [["k", 1]]]
)
def test_a_foreign_record_is_dropped(explore: Explore, record: Any) -> None:
    view = shown(explore.load(record, request()))
    assert "No scored round yet" in view.record_words


def test_models_that_cannot_be_loaded_are_one_sentence() -> None:
    class Broken(TwoStage):
        def load(self) -> TwoStage:
            raise WeightsError("The file weights/x has 3 bytes, not 10; fetch it again.")

    service = Service(SCENARIOS, Broken(FakeEncoder(), FakeScorer()))
    service.start()
    explore = Explore(service)
    views = list(explore.load([], request()))
    assert "has 3 bytes, not 10" in views[-1].before
    view = shown(explore.choose_scenario("jaguar-top-speed", 50, 5))
    assert "has 3 bytes, not 10" in view.message


def test_an_unexpected_fault_gives_nothing_away(explore: Explore, scorer: FakeScorer) -> None:
    scorer.error = ValueError("secret detail")
    *_, view = explore.just_show(
        FIRST, "a query that fails", 20, 5, "a query that fails", [], request()
    )
    assert "secret detail" not in view.message
    assert view.just_show["interactive"] is True


def test_next_goes_round(explore: Explore, service: Service) -> None:
    queries = service.library.scenario(FIRST).queries
    view = shown(explore.next(FIRST, queries[-1].text, 50, 5))
    assert view.query == queries[0].text
    view = shown(explore.next(FIRST, "my own", 50, 5))
    assert view.query == queries[0].text


def test_a_commit_is_refused_while_the_list_is_of_another_query(
    explore: Explore, scorer: FakeScorer
) -> None:
    read = scorer.pairs
    *_, view = explore.just_show(FIRST, "pasted, not ranked", 20, 5, TEXT, [], request())
    assert "press Enter to rank this one first" in view.message
    assert scorer.pairs == read


def test_a_late_answer_to_a_key_leaves_nothing_shut(explore: Explore) -> None:
    other = "where to buy a guitar"
    assert explore.typed(other, TEXT).commit["interactive"] is False
    assert "Press Enter" in explore.typed(other, TEXT).message
    back = explore.typed(f" {TEXT}", TEXT)
    assert (back.commit["interactive"], back.message) == (True, "")
    after = explore.settled(TEXT, TEXT)
    assert (after.commit["interactive"], after.just_show["interactive"], after.message) == (
        True,
        True,
        "",
    )
    assert explore.settled(other, TEXT) == View(), "where the ranking failed, its sentence stays"
