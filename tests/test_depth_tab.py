"""Depth's handlers, words, figures and lists: no browser, fakes for models; moving anything calls none."""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.board import board, cases_of, write_board
from rerank_core.budget import knee, n_for_budget
from rerank_core.depth import DepthPoint, curve
from rerank_core.latency import Cost
from rerank_core.pipeline import TwoStage
from rerank_core.pool import Pool
from rerank_core.records import Passage, StageTiming
from rerank_core.turnover import turnover
from ui import depth_figures as figures
from ui import depth_words as words
from ui.depth import build_depth
from ui.depth_handlers import Depth, DepthView
from ui.depth_lists import ghost_list, table
from ui.depth_mean import LIBRARY, SLICE, Mean
from ui.explore import build_explore
from ui.handlers import Explore
from ui.latencies import DEPTHS, ROUNDS
from ui.pools import NotScoredError, Pools
from ui.service import Service
from ui.stored import StoredBoard
from ui.view import SKIP

SCENARIOS = Path(__file__).parents[1] / "scenarios"
TEXT = "python pet care"
VISITOR: Any = SimpleNamespace(session_hash="visitor")
NASTY = "<img src=x onerror=alert(1)> ${1+1} {{2+2}}"


@pytest.fixture
def service(engine: TwoStage) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def depth(service: Service, tmp_path: Path) -> Depth:
    """Without a stored board."""
    return Depth(Pools(service), StoredBoard(service, tmp_path / "board.json"))


def opened(depth: Depth, query: str = TEXT, n: Any = 50, k: Any = 5) -> DepthView:
    return list(depth.open(query, n, k, LIBRARY, VISITOR))[-1]


def small_pool(**changes: Any) -> Pool:
    """a, b, c, d with logits 0, 2, 1, 3; d and the absent e are relevant, x is a ghost at rank 9."""
    timings = (
        StageTiming("encode query", 9),
        StageTiming("search", 1),
        StageTiming("cross-encode", 50, pairs=5),
    )
    values: dict[str, Any] = {
        "query": "q", "doc_ids": tuple("abcd"), "cosines": (0.9, 0.8, 0.7, 0.6), "logits": (0.0, 2.0, 1.0, 3.0),
        "beyond": ("y", "z"), "relevance": {"d": 3, "x": 2, "e": 3}, "ranks": {"x": 9}, "ghost_logits": {"x": 1.5},
        "timings": timings,
    }  # fmt: skip
    return Pool(**(values | changes))


def test_every_view_field_is_a_component_and_nothing_runs_before_the_tab_is_chosen(
    service: Service, scorer: FakeScorer
) -> None:
    import gradio as gr

    read = scorer.pairs
    with gr.Blocks():
        explore = build_explore(Explore(service))
        with gr.Tab("Depth") as tab:
            build_depth(service, explore, tab)
    assert scorer.pairs == read


def test_opening_scores_the_pool_once_with_progress(depth: Depth, scorer: FakeScorer) -> None:
    read = scorer.pairs
    views = list(depth.open(TEXT, 50, 5, LIBRARY, VISITOR))
    relevant = depth.service.written_query(TEXT).relevance  # type: ignore[union-attr]
    ghosts = len(depth.pools.of(TEXT).ghost_logits)
    assert scorer.pairs - read == 100 + ghosts
    assert any("pairs read" in str(v.head) for v in views[:-1])
    assert [v.derived["visible"] for v in views] == [*[False] * (len(views) - 1), True]
    assert 'data-state="final"' in views[-1].head
    assert "<b>python pet care</b>" in views[-1].head
    assert relevant


def test_changing_n_k_budget_or_mean_calls_no_model(
    depth: Depth, scorer: FakeScorer, encoder: FakeEncoder
) -> None:
    opened(depth)
    asked = scorer.pairs, scorer.prepared, encoder.texts
    for n in (1, 5, 37, 100):
        assert depth.move(TEXT, n, 5, 500, LIBRARY).at != SKIP
    for k in (3, 10):
        assert depth.turn(TEXT, 50, k, 500, LIBRARY).table != SKIP
    for ms in (0, 12.5, 60_000):
        depth.move(TEXT, 50, 5, ms, SLICE)
    opened(depth, n=20)
    assert (scorer.pairs, scorer.prepared, encoder.texts) == asked


def test_moving_without_a_kept_pool_says_so_and_calls_no_model(
    depth: Depth, scorer: FakeScorer
) -> None:
    read = scorer.pairs
    view = depth.move(TEXT, 50, 5, 500, LIBRARY)
    assert "score it again" in view.head
    assert view.score["visible"] is True
    assert scorer.pairs == read


def test_a_run_that_is_left_reads_no_more_and_can_go_on(
    service: Service, scorer: FakeScorer, tmp_path: Path
) -> None:
    depth = Depth(Pools(service), StoredBoard(service, tmp_path / "none"))
    scorer.sleep_s = 0.02
    begun = scorer.pairs
    run = depth.open(TEXT, 50, 5, LIBRARY, VISITOR)
    while not re.search(r"\b[1-9]\d* of \d+ pairs read", next(run).head):
        pass  # how many pairs a batch holds follows from their tokens
    run.close()
    time.sleep(0.1)  # the forward pass under way ends
    read = scorer.pairs
    time.sleep(0.1)
    assert scorer.pairs == read
    assert read - begun < 100
    with pytest.raises(NotScoredError):
        depth.pools.of(TEXT)
    assert "Score again" in depth.stop(TEXT).head
    assert 'data-state="final"' in opened(depth).head


def test_pools_are_bounded(service: Service) -> None:
    pools = Pools(service, most=2)
    for query in ("one", "two", "three"):
        assert isinstance(list(pools.stream(query, None))[-1], Pool)
    with pytest.raises(NotScoredError):
        pools.of("one")
    assert pools.of(" three ").query == "three"


@pytest.mark.parametrize(
    ("n", "k", "ms", "sentence"),
    [
        (0, 5, 500, "runs from 1 to 100, not 0"),
        (101, 5, 500, "runs from 1 to 100, not 101"),
        (7.5, 5, 500, "is a whole number"),
        (None, 5, 500, "is a number from 1 to 100"),
        (50, 2, 500, "runs from 3 to 10, not 2"),
        (50, 5, -1, "runs from 0 to 60,000, not -1"),
        (50, 5, float("nan"), "The budget in milliseconds is a number"),
        (50, True, 500, "is a number from 3 to 10"),
    ],
)
def test_bad_input_is_one_sentence(depth: Depth, n: Any, k: Any, ms: Any, sentence: str) -> None:
    opened(depth)
    view = depth.move(TEXT, n, k, ms, LIBRARY)
    assert sentence in view.head
    assert view.at == SKIP


def test_an_unexpected_fault_gives_nothing_away(depth: Depth, scorer: FakeScorer) -> None:
    scorer.error = ValueError("secret detail")
    view = opened(depth, "a query that fails")
    assert "secret detail" not in view.head
    assert view.score["visible"] is True


def test_an_own_query_shows_movement_and_says_why(depth: Depth) -> None:
    view = opened(depth, NASTY)
    assert "<img" not in view.head
    assert "Nobody has judged" in view.at
    assert "<dt>Knee</dt>" not in view.at
    assert "nDCG" not in view.table
    assert "nobody can say which passages are missed" in view.ghosts
    assert [t.name for t in view.query_plot.data] == [None] * len(view.query_plot.data)


def test_without_a_board_the_mean_says_how_to_compute_it(depth: Depth) -> None:
    view = opened(depth)
    assert "No board is stored yet. To compute it: make board" in view.mean_caption
    assert view.mean_plot["visible"] is False


def test_the_mean_is_of_the_stored_board_and_of_it_alone(
    service: Service, encoder: FakeEncoder, scorer: FakeScorer, tmp_path: Path
) -> None:
    path = tmp_path / "board.json"
    cards = service.engine.encoder_card, service.engine.scorer_card
    made = board(cases_of(service.engine, service.library, service.corpus), service.library, *cards)
    write_board(made, path)
    depth = Depth(Pools(service), StoredBoard(service, path))
    view = opened(depth)
    judged = sum(not c.chosen and c.pool.has_relevant for c in made.cases)
    assert f"Over {judged} queries of the library" in view.mean_caption
    assert f"stored on {made.made_at[:10]}" in view.mean_caption
    assert view.mean_plot["visible"] is True
    written = service.written_query(TEXT)
    assert written is not None
    turned = depth.turn(TEXT, 50, 5, 500, SLICE)
    assert f"the slice “{written.slice.replace('_', ' ')}”" in turned.mean_caption
    own = list(depth.open("my own", 50, 5, SLICE, VISITOR))[-1]
    assert "belongs to no slice" in own.mean_caption

    path.write_text(path.read_text().replace(made.scenarios_hash, "0" * 64))
    assert "of other models or scenarios" in opened(depth).mean_caption
    path.write_text("{")
    assert "cannot be read" in opened(depth).mean_caption


def test_words_at_an_n() -> None:
    point = DepthPoint(7, 0.5, 1.0, 1.0, 0.5, 0.75)
    said = words.at(point, 5, 2)
    assert (
        "nDCG@3 is .50, .25 below the ceiling of .75. 1 of 2 relevant passages is a candidate."
        in said
    )
    assert "Rank 1 is relevant; a relevant passage is in the top 5." in said


def test_n_is_k_says_what_can_and_cannot_move() -> None:
    pool = small_pool()
    said = words.n_is_k(pool, 4, 3)
    assert "At N = K = 3 the cross-encoder can only reorder the bi-encoder's first 3" in said
    assert "there is none, before and after" in said
    assert "here 3 of 3 places hold another passage, and rank 1 changes hands" in said
    assert "At your N = 4, 1 of the 3 handed on comes from below the bi-encoder's rank 3." in said
    assert "ranks 3 to 3 are not even read" in words.n_is_k(pool, 2, 3)
    assert "That is the N you have chosen." in words.n_is_k(pool, 3, 3)


def test_the_knee_and_the_loss_in_words() -> None:
    points = [DepthPoint(n, x, 0, 0, 0, 1) for n, x in [(1, 0.5), (2, 0.7), (3, 0.695), (4, 0.701)]]
    found = knee(points)
    assert found is not None
    assert words.knee(found, "This query") == (
        "This query: N = 2, nDCG@3 .70; the best is .70, at N = 4."
    )
    bought = n_for_budget(points, 11, 10, 1)
    assert bought is not None
    assert words.bought(bought, 11, 4) == "11.0 ms buy N = 1, estimated 11.0 ms."
    assert ".20 below the best on the curve" in words.lost(bought, "This query")
    flat = n_for_budget([DepthPoint(1, 0, 0, 0, 0, 0)], 11, 10, 1)
    assert flat is not None
    assert "nothing to lose" in words.lost(flat, "This query")


def test_what_was_measured_and_what_is_estimated() -> None:
    said = words.measured(small_pool(), Cost(10, 10))
    assert "5 pairs (1 of them for the list of ghosts" in said
    assert "in 50.0 ms, 10.0 ms a pair, after 10.0 ms" in said
    assert "Estimated, the line" in said
    assert "say nothing about the next" in words.measured(small_pool(), None)


def test_ghosts_stand_where_no_reranker_reaches() -> None:
    passages = {"x": Passage("x", NASTY), "d": Passage("d", "text d")}
    html = ghost_list(small_pool(), 2, passages, 1200, True)
    assert "<img" not in html
    assert html.count("No reranker can reach it.") == 3
    assert (
        "the bi-encoder has it at 4 of 1,200; logit +3.00, which among these 2 would have been rank 1. "
        "From N = 4 up it is read." in html
    )
    assert "it at 9 of 1,200; logit +1.50, which among these 2 would have been rank 2" in html
    assert "the library does not hold it" in html
    all_in = ghost_list(small_pool(relevance={"a": 3}, ranks={}), 2, passages, 1200, True)
    assert "nothing is out of reach" in all_in


def test_figures_mark_n_and_name_every_line() -> None:
    pool = small_pool()
    points = curve(pool, 3)
    figure = figures.depth_curves(points, 2, 3, knee(points))
    texts = [a.text for a in figure.layout.annotations]
    for name in (
        "nDCG@3",
        "ceiling",
        "success@1",
        "answer in top 3",
        "candidate recall",
        "<b>N = 2</b>",
    ):
        assert name in texts
    assert any(str(t).startswith("knee") for t in texts)
    names = {(t.line.dash, t.line.width) for t in figure.data if t.mode == "lines"}
    assert len(names) == 5, "no two lines differ by colour alone"
    moved = figures.movement_curves(turnover(pool, 3), 2, 3)
    assert "new in the top 3" in [a.text for a in moved.layout.annotations]
    cost = Cost(10, 10)
    line = figures.latency_line(cost, 5, 2, 30, n_for_budget(points, 30, 10, 10))
    assert "budget, N = 2" in [a.text for a in line.layout.annotations]
    assert line.layout.yaxis.range[0] == 0
    assert figures.latency_line(None, 5, 2, 30, None).data == ()


def test_the_table_has_a_row_for_every_n() -> None:
    pool = small_pool()
    html = table(pool, curve(pool, 3), turnover(pool, 3), Mean((), "none"), Cost(10, 10), 3)
    assert len(re.findall(r'<th scope="row"', html)) == len(pool)
    assert "20.0 ms" in html


def test_latency_is_measured_live_at_several_n_and_kept(depth: Depth, scorer: FakeScorer) -> None:
    opened(depth)
    before = depth.move(TEXT, 50, 5, 500, LIBRARY)
    assert len(before.latency_plot.data[1].x) == 1
    read = scorer.pairs
    views = list(depth.measure(TEXT, 50, 5, 500, LIBRARY))
    assert scorer.pairs - read == ROUNDS * sum(DEPTHS)
    assert "11 of 12 runs done" in views[-3].measuring
    last = views[-1]
    assert list(last.latency_plot.data[1].x) == list(DEPTHS)
    assert "each the median of 3 runs" in last.latency_words
    assert last.measure["value"] == "Measure again"
    again = depth.move(TEXT, 20, 5, 500, LIBRARY)
    assert list(again.latency_plot.data[1].x) == list(DEPTHS)
    assert scorer.pairs - read == ROUNDS * sum(DEPTHS)


def test_a_measurement_that_is_left_keeps_nothing(depth: Depth) -> None:
    opened(depth)
    run = depth.measure(TEXT, 50, 5, 500, LIBRARY)
    next(run)
    next(run)
    run.close()
    assert depth.latencies.of(TEXT) == ()
    assert depth.stop_measuring().measuring == ""


def test_measuring_a_query_that_is_not_scored_says_so(depth: Depth) -> None:
    (view,) = depth.measure(TEXT, 50, 5, 500, LIBRARY)
    assert "score it again" in view.head
    assert view.measure["visible"] is True
