"""The tab Cost: one short live measurement, then arithmetic; what is measured and what is estimated is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.pipeline import TwoStage
from ui.cost import build_cost
from ui.cost_handlers import CostTab, CostView
from ui.cost_measure import PAIRS, RUNS
from ui.cost_words import about, duration, memory, times
from ui.explore import build_explore
from ui.handlers import Explore
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
QUERY = "Did Apple sue Samsung?"
BENCHMARK = {
    "schema_version": 1, "made_at": "2026-01-02T03:04:05+00:00", "dims": 384, "n": 50, "cores": 2,
    "environment": {"python": "3.11", "platform": "Linux-6-x86_64", "torch_threads": None, "packages": {}},
    "points": [
        {"passages": size, "ms": ms, "ms_low": ms, "ms_high": ms, "rounds": 3}
        for size, ms in ((100_000, 9.0), (1_000_000, 90.0))
    ],
}  # fmt: skip


@pytest.fixture
def service(engine: TwoStage) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def tab(service: Service, tmp_path: Path) -> CostTab:
    path = tmp_path / "search.json"
    path.write_text(json.dumps(BENCHMARK), "utf-8")
    return CostTab(service, path)


def test_every_view_field_is_a_component(service: Service, tab: CostTab) -> None:
    with gr.Blocks():
        explore = build_explore(Explore(service))
        with gr.Tab("Cost") as cost_tab:
            parts = build_cost(service, explore, cost_tab, tab)
    assert set(CostView._fields) <= set(parts.by_name)


def test_it_measures_once_and_n_asks_no_model(
    tab: CostTab, encoder: FakeEncoder, scorer: FakeScorer
) -> None:
    read = scorer.pairs
    first, opened = tab.open(QUERY, 50)
    assert "Measuring" in first.message
    assert opened.message == ""
    assert scorer.pairs - read == RUNS * PAIRS
    asked = len(encoder.calls), scorer.prepared
    [again] = tab.open("another query", 50)
    assert again.table == opened.table
    for n in (5, 50, 100):
        [view] = tab.turn(QUERY, n)
        assert f"two stages, N = {n}" in str(view.by_size.to_plotly_json())
    assert (len(encoder.calls), scorer.prepared) == asked
    list(tab.again(QUERY, 50))
    assert scorer.pairs - read == 2 * RUNS * PAIRS


def test_a_visitors_own_query_is_not_shown_to_others(tab: CostTab) -> None:
    *_, view = tab.open("my secret", 50)
    assert "secret" not in "".join(map(str, view))
    assert QUERY in view.head


def test_measured_and_estimated_are_told_apart(tab: CostTab, service: Service) -> None:
    *_, view = tab.open(QUERY, 50)
    size = len(service.library.passages)
    rows = {r.passages: r for r in tab.rows(tab.meter.get(QUERY), 50)}
    assert {s for s, r in rows.items() if r.searched.measured} == {size, 100_000, 1_000_000}
    assert view.table.count("<td>measured</td>") == 3
    assert f"{size}, this library" in view.table
    assert "could be cross-encoded whole in" in view.head
    assert "more than a minute" in view.head
    assert "Textbooks say about 100 times" in view.ratios
    marks = [trace.marker.symbol for trace in view.by_size.data]
    assert [list(m).count("circle") for m in marks] == [0, 0, 3]


def test_without_a_benchmark_nothing_is_extrapolated_from_the_library(
    service: Service, tmp_path: Path
) -> None:
    tab = CostTab(service, tmp_path / "none.json")
    *_, view = tab.open(QUERY, 50)
    assert max(r.passages for r in tab.rows(tab.meter.get(QUERY), 50)) == len(
        service.library.passages
    )
    assert "python -m benchmarks.search" in view.table


@pytest.mark.parametrize("n", [4, 101, None, 7.5, float("nan"), "50", True])
def test_bad_n_is_one_sentence(tab: CostTab, n: Any) -> None:
    [view] = tab.turn(QUERY, n)
    assert "N, the shortlist" in view.message


def test_a_model_that_fails_is_one_sentence(tab: CostTab, scorer: FakeScorer) -> None:
    scorer.error = ValueError("secret detail")
    *_, view = tab.open(QUERY, 50)
    assert "went wrong on our side" in view.message
    assert "secret" not in view.message


def test_words() -> None:
    assert [duration(x) for x in (0.4, 640, 60_000, 5_400_000, 86_400_000, 198_720_000)] == [
        "0.40 ms", "640 ms", "1 minute", "1.5 hours", "1 day", "2.3 days",
    ]  # fmt: skip
    assert [memory(x) for x in (76_800, 1_536_000, 1_536_000_000, 15_360_000_000)] == [
        "76.8 KB", "1.5 MB", "1.5 GB", "15.4 GB",
    ]  # fmt: skip
    assert [about(n) for n in (0, 77, 4_615, 6_646_153)] == ["0", "77", "4,600", "6,600,000"]
    assert [times(x) for x in (1.27, 39.4, 6_911)] == ["1.3 times", "39 times", "6,900 times"]
