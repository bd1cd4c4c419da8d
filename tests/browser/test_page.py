"""The whole path, as a visitor walks it, on the real models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from visitor import ROOT, Visitor

from rerank_core.trace import read_trace

FIRST = "?scenario=python-pet-care&query=python-pet-care-1&n=50&k=5"
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def test_predict_commit_reveal(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    before = page.locator("#before ol.rows > li:visible")
    expect(before).to_have_count(10)
    assert page.locator("#before .mark").count() == 0, "no relevance marks before the reveal"
    page.locator("#new-in-top3").get_by_label("2", exact=True).check()
    visitor.commit("yes")
    expect(page.locator("#after ol.rows > li:visible")).to_have_count(10)
    assert page.locator("#after .mark").count() == 50
    assert page.locator("#before .mark").count() == 50
    for text in page.locator("#after .move").all_inner_texts():
        assert re.match(r"(▲ from \d+, up \d+|▼ from \d+, down \d+|= still \d+)", text), text
    expect(page.locator("#verdict")).to_contain_text("nDCG@3")
    expect(page.locator("#verdict")).to_contain_text(re.compile(r"[0-2] of 2"))
    expect(page.locator("#verdict")).to_contain_text("Brier")
    expect(page.locator("#record")).to_contain_text("over 1 round")
    expect(page.locator("#costs table")).to_contain_text("50 pairs")
    expect(page.locator("#lesson")).to_contain_text("The lesson")
    assert page.locator("#lines svg path").count() >= 10
    assert not visitor.errors
    assert visitor.hosts == {visitor.server.split("/")[2]}, "no request to another host"


def test_commit_without_an_answer_says_what_is_missing(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    page.get_by_role("button", name="Commit and rerank").click()
    expect(page.get_by_role("alert")).to_contain_text("Answer the first question")
    visitor.commit("no")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_only_the_first_commit_counts(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    visitor.commit("yes")
    expect(page.locator("#record")).to_contain_text("over 1 round")
    page.reload()
    expect(page.locator("#before ol.rows > li").first).to_be_visible()
    expect(page.locator("#record")).to_contain_text("over 1 round")
    visitor.commit("no")
    expect(page.locator("#verdict")).to_contain_text("Not counted")
    expect(page.locator("#record")).to_contain_text("over 1 round")
    page.get_by_role("button", name="Clear the record").click()
    expect(page.locator("#record")).to_contain_text("No scored round yet")


def test_trace_downloads_and_reads_back(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open(FIRST)
    visitor.commit()
    page.locator(".trace > summary").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download JSON").click()
    saved = tmp_path / "trace.json"
    caught.value.save_as(saved)
    trace = read_trace(saved)
    assert len(trace.candidates) == trace.retrieve_k == 50
    assert trace.prediction is not None
    assert trace.prediction.will_change
    assert json.loads(saved.read_text())["cross_encoder"]["model_hash"]
    cells = page.locator(".trace tbody tr td:nth-child(2)")
    page.get_by_role("button", name="before", exact=True).click()
    assert cells.first.inner_text() == "1"
    page.get_by_role("button", name="before", exact=True).click()
    assert cells.first.inner_text() == "50"


def test_a_link_opens_at_the_predict_step_and_reveal_goes_on(visitor: Visitor) -> None:
    page = visitor.open("?scenario=apple-sue-samsung&query=apple-sue-samsung-2&n=20&k=3")
    expect(page.locator("#query textarea, #query input").first).to_have_value(
        "Did Samsung sue Apple?"
    )
    expect(page.locator("#before ol.rows > li")).to_have_count(20)
    assert page.locator("#after [data-state=final]").count() == 0
    assert "n=20" in page.url
    visitor.open("?scenario=apple-sue-samsung&query=apple-sue-samsung-2&n=20&k=3&reveal=1")
    visitor.reveal()
    expect(page.locator("#after ol.rows > li")).to_have_count(20)
    expect(page.locator("#verdict")).to_contain_text("without predicting")


def test_a_damaged_link_opens_and_says_so(visitor: Visitor) -> None:
    page = visitor.open("?scenario=<b>no</b>&n=7000&k=x&models=nope")
    expect(page.get_by_role("alert")).to_contain_text("runs from 5 to 100")
    assert page.locator("#message b:text-is('no')").count() == 0


def test_own_query_has_movement_but_no_lift(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    box = page.locator("#query textarea, #query input").first
    box.fill("")
    box.press_sequentially("where can I buy a second-hand guitar")
    expect(page.locator("#message")).to_contain_text("Press Enter")
    expect(page.get_by_role("button", name="Commit and rerank")).to_be_disabled()
    box.press("Enter")
    expect(page).to_have_url(re.compile("second-hand"))
    visitor.commit("no")
    expect(page.locator("#verdict")).to_contain_text("No lift for this query: nobody has judged")
    assert page.locator("#after .mark").count() == 0


def test_another_query_does_not_fetch_the_page_again(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    expect(page.locator("#bars .js-plotly-plot path[clip-path]").first).to_be_attached()
    for index in (1, 2, 1, 2):  # from the third on a bar is hatched: its query was encoded before
        page.evaluate("performance.clearResourceTimings()")
        page.locator("#query-choice input").nth(index).check()
        expect(
            page.locator(f"#before [data-link*='query=python-pet-care-{index + 1}&']")
        ).to_have_count(1)
        page.wait_for_timeout(700)  # it came some 100 ms after the list
        names = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        assert any("/queue/join" in name for name in names), "what is fetched is listed"
        assert not [
            name for name in names if re.search(r"/\?scenario=", name) and "/queue/" not in name
        ]


def test_changing_the_query_forgets_the_reveal(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    visitor.commit()
    page.get_by_role("button", name="Next query").click()
    expect(page.locator("#after [data-state=final]")).to_have_count(0)
    expect(page.locator("#before .mark")).to_have_count(0)
    expect(page.get_by_role("button", name="Commit and rerank")).to_be_enabled()
    assert "python-pet-care-2" in page.url


def test_the_keyboard_alone_is_enough(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#will-change') !== null"):
            break
    page.keyboard.press("Space")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id === 'commit'"):
            break
    page.keyboard.press("Enter")
    visitor.reveal()
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#after summary') !== null"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#after details[open]")).to_have_count(1)


def test_hover_lights_the_same_passage_on_both_sides(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    visitor.commit()
    row = page.locator("#after li.row").first
    doc = row.get_attribute("data-doc")
    row.hover()
    expect(page.locator(f"#before li.lit[data-doc='{doc}']")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing(visitor: Visitor, theme: str, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 800})
    page = visitor.open(FIRST + f"&__theme={theme}")
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    visitor.commit()
    page.wait_for_timeout(800)  # the second list fades in; contrast is measured when it has
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scroll"


def test_the_first_screen_holds_choice_ranking_and_prediction(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    for selector in ("#scenario", "#query", "#before ol.rows > li:nth-child(10)", "#commit"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, selector


def test_on_a_phone_the_order_is_rank_guess_see(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800}, has_touch=True)
    visitor = Visitor(context.new_page(), server)
    page = visitor.open(FIRST)
    tops = [
        page.locator(s).bounding_box()["y"] for s in ("#scenario", "#before", "#predict", "#after")
    ]  # type: ignore[index]
    assert tops == sorted(tops)
    context.close()


def test_nothing_moves_under_the_visitor_when_the_second_list_comes(visitor: Visitor) -> None:
    page = visitor.open(FIRST)

    def tops() -> list[float]:
        rows = page.locator("#before li.row:visible").all()
        return [row.bounding_box()["y"] for row in rows]  # type: ignore[index]

    was = tops()
    visitor.commit()
    assert tops() == pytest.approx(was, abs=1)


def test_reduced_motion_is_respected(browser: Browser, server: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    visitor = Visitor(context.new_page(), server)
    page = visitor.open(FIRST)
    visitor.commit()
    assert (
        page.evaluate("document.querySelector('#lines svg').getAnimations({subtree: true}).length")
        == 0
    )
    assert (
        page.evaluate("getComputedStyle(document.querySelector('#after li.row')).animationName")
        == "none"
    )
    context.close()


def test_the_screenshot_in_the_readme_exists() -> None:
    assert (ROOT / "docs" / "page.png").stat().st_size > 10_000
