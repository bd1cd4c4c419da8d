"""Depth, Scores, Board and Cost, as a visitor uses them, on the real models and the stored board."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from visitor import Visitor

FIRST = "?scenario=python-pet-care&query=python-pet-care-1&n=50&k=5"
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
READY = {
    "Depth": "#depth-head [data-state=final]",
    "Scores": "#scores-head [data-state=final]",
    "Board": "#board-table table",
    "Cost": "#cost-table table",
}


def open_tab(visitor: Visitor, name: str, link: str = FIRST) -> Page:
    """The page at a link, one of its tabs chosen and filled."""
    page = visitor.open(link)
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.locator(READY[name]).first).to_be_visible(timeout=90_000)
    return page


def set_slider(page: Page, elem_id: str, value: str) -> None:
    """Type into a slider's number field, and leave it."""
    field = page.locator(f"#{elem_id} input[type=number]")
    field.fill(value)
    field.press("Enter")
    field.blur()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("name", READY)
def test_axe_finds_nothing_and_no_tab_scrolls_sideways(
    visitor: Visitor, name: str, width: int, theme: str
) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 800})
    page = open_tab(visitor, name, FIRST + f"&__theme={theme}")
    page.wait_for_timeout(500)  # plots draw after their figure has come
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visitor.errors


def test_depth_follows_n_and_names_what_no_reranker_reaches(visitor: Visitor) -> None:
    page = open_tab(visitor, "Depth")
    at = page.locator("#depth-at")
    expect(at).to_contain_text("At N = 50")
    set_slider(page, "depth-n", "3")
    expect(at).to_contain_text("At N = 3")
    expect(page.locator("#depth-query-plot")).to_contain_text("N = 3")
    expect(page.locator("#depth-ghosts")).to_contain_text("No reranker can reach it.")
    expect(at).to_contain_text("in sample")
    expect(page.locator("#depth-table table tbody tr").first).to_be_attached()


def test_depth_measures_latency_at_several_n(visitor: Visitor) -> None:
    page = open_tab(visitor, "Depth")
    expect(page.locator("#depth-latency-words")).to_contain_text("Estimated, the line")
    page.get_by_role("button", name="Measure at N = 5, 20, 50, 100").click()
    expect(page.locator("#depth-measuring")).to_contain_text("runs done")
    expect(page.locator("#depth-latency-words")).to_contain_text(
        "each the median of 3 runs", timeout=90_000
    )
    expect(page.get_by_role("button", name="Measure again")).to_be_visible()


def test_a_budget_says_which_n_it_buys_and_what_is_lost(visitor: Visitor) -> None:
    page = open_tab(visitor, "Depth")
    set_slider(page, "depth-budget", "0")
    words = page.locator("#depth-latency-words")
    expect(words).to_contain_text("0 ms do not even pay for the first stage")
    most = page.locator("#depth-budget input[type=range]").get_attribute("max")
    assert most
    set_slider(page, "depth-budget", most)
    expect(words).to_contain_text("buy the whole pool, N = 100")


def test_scores_have_three_rulers_and_a_threshold(visitor: Visitor) -> None:
    page = open_tab(visitor, "Scores")
    expect(page.locator("#rulers .ruler")).to_have_count(3)
    cut = page.locator("#scores-cut")
    was = cut.inner_text()
    set_slider(page, "scores-threshold", "6")
    expect(cut).not_to_have_text(was)
    key = page.locator("#rulers .key li").first
    key.focus()
    assert page.locator("#rulers svg .lit").count() >= 2, "lit on every ruler that has it"


def test_board_opens_stored_and_leads_back_to_explore(visitor: Visitor) -> None:
    page = open_tab(visitor, "Board")
    expect(page.locator("#board-source")).to_contain_text(re.compile(r"[Ss]tored on"))
    expect(page.get_by_role("button", name="Recompute")).to_be_visible()
    page.locator("#board-table summary", has_text="All").click()
    lifts = page.locator("#board-table .all-queries tbody tr td:nth-child(5)")
    shown = [float(v) for v in lifts.evaluate_all("cells => cells.map(c => c.dataset.v)")]
    assert shown == sorted(shown), "the largest loss first"
    page.get_by_role("button", name="lift").last.click()
    turned = [float(v) for v in lifts.evaluate_all("cells => cells.map(c => c.dataset.v)")]
    assert turned == sorted(shown, reverse=True)
    link = page.locator("#board-table .all-queries tbody a").first
    words = link.inner_text()
    link.click()
    expect(page.locator("#query textarea, #query input").first).to_have_value(words)


def test_board_names_losses_and_what_to_inspect(visitor: Visitor) -> None:
    page = open_tab(visitor, "Board")
    hurts = page.locator("#board-hurts")
    for kind in (
        "candidate",
        "scoring",
        "intent",
        "calibration",
        "freshness",
        "feedback",
        "debugging",
    ):
        expect(hurts).to_contain_text(kind)
    loss = hurts.locator("li.loss").first
    expect(loss).to_contain_text("Before, bi-encoder")
    expect(loss).to_contain_text("After, cross-encoder")


def test_the_skip_rule_follows_t(visitor: Visitor) -> None:
    page = open_tab(visitor, "Board")
    words = page.locator("#board-skip-words")
    expect(words).not_to_be_empty()
    was = words.inner_text()
    set_slider(page, "board-t", "0.15")
    expect(words).not_to_have_text(was)
    expect(page.locator("#board-skip-table table")).to_be_attached()


def test_cost_marks_what_is_estimated(visitor: Visitor) -> None:
    page = open_tab(visitor, "Cost")
    expect(page.locator("#cost-table")).to_contain_text("estimated")
    expect(page.locator("#cost-table")).to_contain_text("10,000,000")
    expect(page.locator("#cost-ratios")).to_contain_text(re.compile("100"))
    was = page.locator("#cost-table").inner_text()
    set_slider(page, "cost-n", "100")
    expect(page.locator("#cost-table")).not_to_have_text(was)
