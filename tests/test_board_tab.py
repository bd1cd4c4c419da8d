"""The tab Board: its handlers called as functions, over fakes; and that only `recompute` asks a model."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.__main__ import main
from rerank_core.board import read_board, write_board
from rerank_core.failures import losses
from rerank_core.pipeline import TwoStage
from ui.board import build_board
from ui.board_handlers import BoardTab, BoardView, SkipView
from ui.board_source import BoardSource
from ui.explore import build_explore
from ui.handlers import Explore
from ui.links import read_link
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
HERE = ("python-pet-care", "python pet care")
VISITOR: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    engine = TwoStage(FakeEncoder(), FakeScorer())
    assert main(["board", str(SCENARIOS), "--out", str(folder / "board.json")], engine) == 0
    return folder


@pytest.fixture
def service(engine: TwoStage) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def tab(service: Service, folder: Path) -> BoardTab:
    return BoardTab(BoardSource(service, folder))


def test_every_view_field_is_a_component(service: Service, tab: BoardTab) -> None:
    with gr.Blocks():
        explore = build_explore(Explore(service))
        with gr.Tab("Board") as board_tab:
            parts = build_board(service, explore, board_tab, tab.source)
    assert {*BoardView._fields, *SkipView._fields} <= set(parts.by_name)


def test_it_opens_from_what_is_stored_and_no_control_asks_a_model(
    tab: BoardTab, encoder: FakeEncoder, scorer: FakeScorer
) -> None:
    asked = len(encoder.calls), scorer.prepared
    [opened] = tab.open(*HERE, 40, 5)
    assert (opened.retrieve_k, opened.top_k) == (40, 5)
    assert opened.source.count("Stored on ") == 1
    for n, k in ((5, 3), (20, 5), (100, 10)):
        [view] = tab.turn(*HERE, n, k)
        assert f"at N = {n}" in view.table
        for t in (0, 0.05, 0.5):
            [skip] = tab.skip(n, t)
            assert "estimated" in skip.skip_words
    assert (len(encoder.calls), scorer.prepared) == asked


def test_the_figures_are_the_boards(tab: BoardTab, folder: Path) -> None:
    board = read_board(folder / "board.json")
    [view] = tab.open(*HERE, 50, 5)
    first = board.rows(50, 5)[0]
    assert f"mean of {first.n} queries of {first.scenarios} scenarios at N = 50" in view.head
    assert f"{first.wins} wins" in view.head
    assert "Your query “python pet care” is one of word sense" in view.head
    assert view.hurts.count('<li class="loss">') == len(losses(board.results(50, 5)))
    assert view.lifts["value"].data


def test_links_open_on_explore_at_the_boards_n_and_k(tab: BoardTab, service: Service) -> None:
    [view] = tab.open(*HERE, 30, 4)
    for page, reveal in ((view.table, False), (view.hurts, True)):
        links = re.findall(r'href="\?([^"]*)"', page)
        assert len(links) >= 3
        for link in links:
            params = dict(part.split("=", 1) for part in link.replace("&amp;", "&").split("&"))
            read = read_link(params, service.scenarios)
            assert (read.retrieve_k, read.top_k, read.reveal, read.notes) == (30, 4, reveal, ())
            assert read.query_id == params["query"]


def test_queries_stand_by_their_loss(tab: BoardTab) -> None:
    [view] = tab.open(*HERE, 50, 5)
    rows = view.table.split("All ", 1)[1]
    lifts = [float(x) for x in re.findall(r'class="n lift \w+" data-v="([^"]+)"', rows)]
    assert len(lifts) > 100
    assert lifts == sorted(lifts)


def test_chosen_queries_are_listed_and_not_counted(
    service: Service, folder: Path, tmp_path: Path
) -> None:
    board = read_board(folder / "board.json")
    cases = list(board.cases)
    cases[0] = type(cases[0])(
        cases[0].query_id, cases[0].scenario_id, cases[0].slice, cases[0].pool, True
    )
    changed = board.model_copy(update={"cases": tuple(cases)})
    write_board(changed, tmp_path / "board.json")
    [view] = BoardTab(BoardSource(service, tmp_path)).open(*HERE, 50, 5)
    left_out = sum(case.chosen for case in cases)
    assert re.search(rf"{left_out} quer(y|ies) chosen for a known outcome", view.head)
    assert view.table.count("no: chosen") == left_out


def test_notes_by_hand_stand_beside_their_reason(
    service: Service, folder: Path, tmp_path: Path
) -> None:
    board = read_board(folder / "board.json")
    write_board(board, tmp_path / "board.json")
    lost = losses(board.results(50, 5))[0].result.query_id
    (tmp_path / "failures.toml").write_text(
        f'[{lost}]\nkind = "freshness"\nreason = "<b>Newer</b> says otherwise."\n', "utf-8"
    )
    [view] = BoardTab(BoardSource(service, tmp_path)).open(*HERE, 50, 5)
    assert "freshness, and by rule " in view.hurts
    assert "Given by hand: &lt;b&gt;Newer" in view.hurts


@pytest.mark.parametrize(
    ("n", "k", "said"),
    [(4, 3, "runs from 5 to 100, not 4"), (5, 6, "K = 6 rows cannot"), (None, 5, "a whole number")],
)
def test_bad_values_are_one_sentence(tab: BoardTab, n: Any, k: Any, said: str) -> None:
    [view] = tab.turn(*HERE, n, k)
    assert said in view.message
    [skip] = tab.skip(50, float("nan"))
    assert "t, the margin" in skip.message


def test_without_a_stored_board_it_says_so_and_computes_live(
    service: Service, tmp_path: Path, scorer: FakeScorer
) -> None:
    tab = BoardTab(BoardSource(service, tmp_path))
    [view] = tab.open(*HERE, 50, 5)
    assert "No board is stored. It can be computed here" in view.source
    assert next(tab.skip(50, 0.05)).skip_words == ""
    read = scorer.pairs
    views = list(tab.recompute(*HERE, 50, 5, VISITOR))
    total = len(service.library.queries)
    assert scorer.pairs > read
    assert f"1 of {total} queries scored" in "".join(str(v.progress) for v in views)
    assert "Computed live by this server" in views[-1].source
    assert views[-1].recompute["visible"] is True
    [again] = tab.open(*HERE, 50, 5)
    assert again.table == views[-1].table


def test_a_live_board_is_held_against_the_stored_one(tab: BoardTab) -> None:
    *_, last = tab.recompute(*HERE, 50, 5, VISITOR)
    assert "It agrees with the stored board." in last.source


def test_a_computation_can_be_left_and_only_one_runs(tab: BoardTab) -> None:
    running = tab.recompute(*HERE, 50, 5, VISITOR)
    next(running), next(running)
    *_, refused = tab.recompute(*HERE, 50, 5, VISITOR)
    assert "Somebody else is computing the board" in refused.message
    assert refused.cancel["visible"] is False
    running.close()
    assert tab.stop().recompute["visible"] is True
    assert tab.source.live is None
    other = tab.source.recompute()
    next(other)
    other.close()


def test_a_stale_or_broken_board_says_so(engine: TwoStage, folder: Path, tmp_path: Path) -> None:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer("another")))
    service.start()
    service.wait(10)
    [view] = BoardTab(BoardSource(service, folder)).open(*HERE, 50, 5)
    assert "of other weights or other scenarios" in view.source
    (tmp_path / "board.json").write_text("{}", "utf-8")
    [view] = BoardTab(BoardSource(service, tmp_path)).open(*HERE, 50, 5)
    assert "The stored board cannot be read" in view.source
    assert str(tmp_path) not in view.source
