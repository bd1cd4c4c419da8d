"""Scores' handlers, rulers and thresholds: no browser, fakes for models; moving the threshold calls none."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.board import board, cases_of, write_board
from rerank_core.evaluate import Case
from rerank_core.pipeline import TwoStage
from rerank_core.pool import Pool
from rerank_core.records import ModelCard, Passage
from ui import scores_figures as figures
from ui import scores_views as views
from ui.cutoffs import cutoffs, keeping, keeps, thinned
from ui.explore import build_explore
from ui.handlers import Explore
from ui.pools import Pools
from ui.rulers import candidates, rulers
from ui.scores import build_scores
from ui.scores_handlers import Scores, ScoresView
from ui.service import Service
from ui.spread import spread
from ui.stored import StoredBoard

SCENARIOS = Path(__file__).parents[1] / "scenarios"
TEXT = "python pet care"
VISITOR: Any = SimpleNamespace(session_hash="visitor")
CARD = ModelCard("c", "cross-encoder", "h", temperature=2.0, offset=0.5)
PLAIN = ModelCard("c", "cross-encoder", "h")
NASTY = "<img src=x onerror=alert(1)> ${1+1} {{2+2}}"
POOL = Pool(
    "q", tuple("abcd"), (0.9, 0.8, 0.7, 0.6), (0.0, 2.0, 1.0, 3.0), (), {"d": 3, "b": 2, "a": 0}
)
CASES = [Case("q-1", "s", "aspect", POOL)]
TEXTS = {d: Passage(d, NASTY if d == "a" else f"text {d}") for d in "abcd"}


@pytest.fixture
def scorer() -> FakeScorer:
    return FakeScorer(temperature=1.5)


@pytest.fixture
def service(engine: TwoStage) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def scores(service: Service, tmp_path: Path) -> Scores:
    """With a stored board."""
    cards = service.engine.encoder_card, service.engine.scorer_card
    made = board(cases_of(service.engine, service.library, service.corpus), service.library, *cards)
    write_board(made, tmp_path / "board.json")
    return Scores(Pools(service), StoredBoard(service, tmp_path / "board.json"))


def test_every_view_field_is_a_component(service: Service) -> None:
    import gradio as gr

    with gr.Blocks():
        explore = build_explore(Explore(service))
        with gr.Tab("Scores") as tab:
            build_scores(service, explore, tab)
    assert len(set(ScoresView._fields)) == len(ScoresView._fields)


def test_open_shows_three_rulers_and_the_explorer(scores: Scores) -> None:
    view = list(scores.open(TEXT, 50, VISITOR))[-1]
    assert 'data-state="final"' in view.head
    assert view.rulers.count("<figure") == 3
    assert view.explorer["visible"] is True
    assert view.threshold["minimum"] <= view.threshold["value"] <= view.threshold["maximum"]
    assert "never compared or averaged" in view.why
    assert "cuts agree" in view.cut


def test_moving_the_threshold_calls_no_model(
    scores: Scores, scorer: FakeScorer, encoder: FakeEncoder
) -> None:
    list(scores.open(TEXT, 50, VISITOR))
    asked = scorer.pairs, scorer.prepared, encoder.texts
    for t in (-40, -1.5, 0, 3, 40):
        assert "pairs" in scores.cut(50, t).cut
    assert (scorer.pairs, scorer.prepared, encoder.texts) == asked
    assert "runs from -40" in scores.cut(50, 41).cut
    assert "is a number" in scores.cut(50, None).cut


def test_without_a_board_it_says_how_to_compute_it(service: Service, tmp_path: Path) -> None:
    scores = Scores(Pools(service), StoredBoard(service, tmp_path / "none.json"))
    view = list(scores.open(TEXT, 50, VISITOR))[-1]
    assert "make board" in view.no_board
    assert view.explorer["visible"] is False
    assert view.rulers.count("<figure") == 3
    assert "make board" in scores.cut(50, 0).no_board


def test_faults_are_one_sentence(scores: Scores, scorer: FakeScorer) -> None:
    assert "The query has 0 characters" in list(scores.open(" ", 50, VISITOR))[-1].head
    scorer.error = ValueError("secret detail")
    view = list(scores.open("another", 50, VISITOR))[-1]
    assert "secret detail" not in view.head
    assert view.score["visible"] is True


def test_a_letter_names_the_same_passage_on_every_ruler_and_nothing_becomes_markup() -> None:
    html = rulers(candidates(POOL, 4, CARD, TEXTS), judged=True)
    assert "<img" not in html
    assert html.count('data-pass="d"') == 4, "three rulers and the key"
    assert html.count("<svg") == 3


def test_an_uncalibrated_model_has_no_probability() -> None:
    found = candidates(POOL, 4, PLAIN, TEXTS)
    html = rulers(found, judged=False)
    assert html.count("<svg") == 2
    assert "This model is not calibrated" in html
    over = cutoffs(CASES, 4, PLAIN)
    assert over.probability == ()
    assert "not calibrated" in views.cut(over, 0, PLAIN, "today")
    assert figures.precision_recall(over, 0, PLAIN).data


def test_logit_and_probability_give_one_curve_with_other_labels() -> None:
    found = cutoffs(CASES, 4, CARD)
    assert found.same
    assert [(p.kept, p.precision, p.recall) for p in found.logit] == [
        (p.kept, p.precision, p.recall) for p in found.probability
    ]
    assert [p.kept for p in found.cosine] == [p.kept for p in found.logit]
    assert [p.recall for p in found.cosine] != [p.recall for p in found.logit]
    said = views.cut(found, 2.0, CARD, "today")
    assert "2 of 4 pairs, precision 1.00, recall 1.00" in said
    assert "called a probability of 68 % or more: 2 pairs, precision 1.00, recall 1.00" in said
    assert "(2) at .800: precision .50, recall .50" in said
    assert "No pair has a logit" in views.cut(found, 9.0, CARD, "today")
    assert views.table(found, CARD).count("<tr>") == 6


def test_cuts() -> None:
    curve = cutoffs(CASES, 4, CARD).logit
    assert (keeps(curve, 3.5).kept, keeps(curve, 3.0).kept, keeps(curve, -9).kept) == (0, 1, 4)
    assert keeping(curve, 3).kept == 3
    assert [p.kept for p in thinned(curve, 2)] == [1, 4]


@given(st.lists(st.floats(0, 100), max_size=12), st.floats(0.5, 30))
def test_names_stand_apart_in_order_and_inside(places: list[float], gap: float) -> None:
    found = spread(places, gap, 0.0, 100.0)
    gap = min(gap, 100 / max(len(places) - 1, 1))
    by_place = [found[i] for i in sorted(range(len(places)), key=lambda i: places[i])]
    assert all(b - a >= gap - 1e-4 for a, b in pairwise(by_place))
    assert all(-1e-4 <= x <= 100 + 1e-4 for x in found)
