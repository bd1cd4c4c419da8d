"""Fool it, as a visitor walks it on the real models: write, hear, tag, keep, take away, remove; guess pairings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route, expect
from visitor import Visitor

FIRST = "?scenario=python-pet-care&query=python-pet-care-3&n=50&k=5"
QUERY = "how warm should a python's enclosure be"
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
NASTY = "<img src=x onerror='window.ran=1'> ${window.ran=2} {{window.ran=3}}"


def open_fool(visitor: Visitor, link: str = FIRST) -> Page:
    page = visitor.open(link)
    page.get_by_role("tab", name="Fool it", exact=True).click()
    expect(page.locator("#fool-live circle.right").first).to_be_visible(timeout=60_000)
    return page


def box(page: Page, name: str) -> Locator:
    return page.locator(f"#{name} :is(textarea, input)")


def settled(page: Page) -> None:
    """Both passages are read, and the typing rests."""
    expect(page.locator("#fool-live .duel:not(.stale) path.mine").first).to_be_visible()


def write(page: Page, text: str) -> None:
    box(page, "fool-mine").fill(text)
    expect(page.locator("#fool-live .duel")).not_to_have_attribute("data-serial", "0")
    settled(page)


def keep(page: Page, kind: str = "only mentions it") -> None:
    page.locator("#fool-kind").get_by_label(kind, exact=True).check()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#fool-message")).to_contain_text("Kept. Fools the")


def three(page: Page, texts: tuple[str, str, str]) -> None:
    for name, text in zip("abc", texts, strict=True):
        box(page, f"three-{name}").fill(text)


def test_written_heard_tagged_kept_and_removed_by_keyboard(visitor: Visitor) -> None:
    page = open_fool(visitor)
    assert box(page, "fool-query").input_value() == QUERY
    assert box(page, "fool-right").input_value().startswith("Aim for a basking surface")
    expect(page.locator("#fool-says")).to_contain_text("The library grades it 3, answers")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/queue/join" in r.url else None)
    page.evaluate(
        """() => { const said = document.querySelector("[data-said]");
        window.heard = [];
        new MutationObserver(() => { if (said.textContent) heard.push(said.textContent); })
          .observe(said, { childList: true, characterData: true, subtree: true }); }"""
    )
    box(page, "fool-mine").focus()
    page.keyboard.type(QUERY, delay=30)
    settled(page)
    verdict = page.locator("#fool-live [data-summary]")
    expect(verdict).to_contain_text("Yours wins under")
    expect(page.locator("#fool-live")).to_contain_text("It counts only if it is wrong")
    assert len(asked) <= 4, "one question for all those keys; a slow key may add one"
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == [verdict.inner_text()], "once, at rest"

    page.keyboard.press("Tab")  # past the passage
    assert page.evaluate("document.activeElement.type") == "radio"
    for kind in ("role swap", "negation", "number", "condition", "only mentions it"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_label(kind, exact=True)).to_be_checked()
    page.keyboard.press("Tab")  # what the kinds mean
    page.keyboard.press("Enter")
    expect(page.get_by_text("the language Python for a keeper's question")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    entry = page.locator("#fool-kept li").first
    expect(entry).to_contain_text("only mentions it")
    expect(entry).to_contain_text("Fools the bi-encoder by")
    assert "enclosure" not in page.url
    assert all("enclosure" not in url for url in asked), "no text in an address"

    page = open_fool(visitor)  # the browser keeps it
    expect(page.locator("#fool-kept li")).to_have_count(1)
    page.get_by_role("button", name=f"Remove: {QUERY}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#fool-kept")).to_contain_text("Nothing kept yet")
    assert page.evaluate("document.activeElement.id") == "fooled-title"
    expect(page.locator("[data-said]")).to_have_text("Removed")
    page = open_fool(visitor)
    expect(page.locator("#fool-kept")).to_contain_text("Nothing kept yet")
    assert not visitor.errors
    assert visitor.hosts == {visitor.server.split("/")[2]}


def test_pasting_and_deleting_count_as_typing(visitor: Visitor) -> None:
    page = open_fool(visitor)
    box(page, "fool-mine").focus()
    page.keyboard.insert_text(QUERY)  # as pasting does: no key is pressed
    settled(page)
    first = page.locator("#fool-live .scale dd").nth(1).inner_text()
    assert first == "1.000", "the query itself has its own cosine"
    for _ in range(12):
        page.keyboard.press("Backspace")
    expect(page.locator("#fool-live .scale dd").nth(1)).not_to_have_text(first)
    settled(page)
    box(page, "fool-mine").fill(box(page, "fool-right").input_value())
    expect(page.locator("#fool-live")).to_contain_text("Yours is the right passage itself")


def test_a_key_while_the_models_read_cancels_what_is_under_way(visitor: Visitor) -> None:
    page = open_fool(visitor)
    page.wait_for_timeout(1500)  # whatever opening the tab asked is answered by then
    held: list[Route] = []
    page.route("**/queue/data**", lambda route: held.append(route), times=1)
    with page.expect_request("**/queue/data**"):
        box(page, "fool-mine").fill("a first try, and on")
    expect(box(page, "fool-ask")).to_have_value("1")
    with page.expect_request("**/cancel"):
        box(page, "fool-mine").fill("a second try")
    held[0].continue_()
    expect(page.locator("#fool-live .duel")).to_have_attribute("data-serial", "2")
    settled(page)
    assert not visitor.errors


def test_a_question_that_gets_lost_is_asked_again(visitor: Visitor) -> None:
    """Gradio loses one that comes while a slow line still cancels the one before."""
    page = open_fool(visitor)
    page.evaluate(
        """() => addEventListener("keypress", (e) => {
        if (e.target.closest("#fool-ask") && !window.lost) { window.lost = true; e.stopImmediatePropagation(); }
        }, true)"""
    )
    write(page, "a first try")
    assert page.evaluate("lost")
    assert not visitor.errors


def test_it_follows_explore_until_something_is_written(visitor: Visitor) -> None:
    page = open_fool(visitor)
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.locator("#query-choice").get_by_label("is Python named after the snake?").check()
    expect(box(page, "query")).to_have_value("is Python named after the snake?")
    page.get_by_role("tab", name="Fool it", exact=True).click()
    expect(box(page, "fool-query")).to_have_value("is Python named after the snake?")
    expect(box(page, "three-query")).to_have_value("is Python named after the snake?")
    write(page, "Half a sentence about snakes")
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.locator("#query-choice").get_by_label(QUERY).check()
    expect(box(page, "query")).to_have_value(QUERY)
    page.get_by_role("tab", name="Fool it", exact=True).click()
    expect(box(page, "three-query")).to_have_value(QUERY)
    expect(box(page, "fool-query")).to_have_value("is Python named after the snake?")
    page.get_by_role("button", name="Start from Explore's query").click()
    expect(box(page, "fool-query")).to_have_value(QUERY)
    expect(box(page, "fool-mine")).to_have_value("Half a sentence about snakes")
    first = box(page, "fool-right").input_value()
    page.get_by_role("button", name="Another right passage").click()
    expect(page.locator("#fool-says")).to_contain_text("right passage 2 of 2")
    assert box(page, "fool-right").input_value() != first
    page.get_by_role("button", name="Next query of the library").click()
    expect(box(page, "fool-query")).to_have_value("my python won't start after the update")


def test_what_is_kept_is_taken_away_as_groups_and_as_passages(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = open_fool(visitor)
    right = box(page, "fool-right").input_value()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("alert")).to_contain_text("Your passage has 0 characters")
    write(page, QUERY)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("alert")).to_contain_text("Tag what is wrong with your passage first")
    keep(page)
    saved = {}
    for name, file in (("groups (JSONL)", "fooled.jsonl"), ("passages (CSV)", "passages.csv")):
        with page.expect_download() as caught:
            page.get_by_role("button", name=name).click()
        caught.value.save_as(tmp_path / file)
        saved[file] = (tmp_path / file).read_text("utf-8")
    group = json.loads(saved["fooled.jsonl"])
    assert group["slice"] == "answerhood"
    assert group["passages"] == [right, QUERY]
    assert group["queries"] == [{"q": QUERY, "rel": {"0": 2}}]
    rows = list(csv.DictReader(io.StringIO(saved["passages.csv"], newline="")))
    assert [row["text"] for row in rows] == [right, QUERY]


def test_nasty_text_stays_text(visitor: Visitor) -> None:
    page = open_fool(visitor)
    box(page, "fool-query").fill(NASTY)
    box(page, "fool-right").fill("bread " + NASTY)
    write(page, NASTY)
    keep(page, "role swap")
    expect(page.locator("#fool-kept li .wrong")).to_have_text(NASTY)
    box(page, "three-query").fill(NASTY)
    three(page, (NASTY, "two " + NASTY, "three"))
    page.locator("#three-guess").get_by_label("none of them").check()
    page.get_by_role("button", name="Commit and read").click()
    expect(page.locator("#three-answer [data-state=final]")).to_contain_text(NASTY)
    page = open_fool(visitor)
    expect(page.locator("#fool-kept li .wrong")).to_have_text(NASTY)
    assert page.locator("#fool img").count() == 0
    assert page.evaluate("window.ran") is None
    assert not visitor.errors


def test_three_passages_are_guessed_by_keyboard_first(visitor: Visitor) -> None:
    page = open_fool(visitor)
    box(page, "three-a").focus()
    for text in (
        "Keep the warm end at 31 to 32 degrees.",
        "Python enclosures and closures.",
        "Shed skin.",
    ):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    commit = page.get_by_role("button", name="Commit and read")
    commit.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#three-message")).to_contain_text("Guess first: tick the pairs")
    page.locator("#three-guess").get_by_label("A and B").focus()
    page.keyboard.press("Space")
    commit.focus()
    page.keyboard.press("Enter")
    answer = page.locator("#three-answer [data-state=final]")
    expect(answer).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "answer-title"
    expect(answer).to_contain_text("of 3")
    expect(answer).to_contain_text("You said the order of A and B would change; it")
    expect(answer.locator("table").first.locator("tbody tr")).to_have_count(3)
    expect(page.locator("#three-message")).not_to_contain_text("Guess first")
    assert not visitor.errors


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    visitor: Visitor, width: int, theme: str
) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 800})
    page = open_fool(visitor, FIRST + f"&__theme={theme}")
    write(page, QUERY)
    keep(page)
    page.locator("#fool-kinds summary").click()
    three(page, ("Keep the warm end at 31 degrees.", "Closures in Python.", "x" * 300))
    page.locator("#three-guess").get_by_label("B and C").check()
    page.get_by_role("button", name="Commit and read").click()
    expect(page.locator("#three-answer [data-state=final]")).to_be_visible()
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visitor.errors
