"""Choosing models in the page: public ones come from a hub on this machine, tiny and with random weights."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from test_page import AXE_OPTIONS, FIRST
from visitor import Visitor

BGE = "BAAI/bge-small-en-v1.5"
L6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
L12 = "cross-encoder/ms-marco-MiniLM-L12-v2"


def choose(page: Page, bi: str = "", cross: str = "", second: str = "") -> None:
    """Mark models and take them into use."""
    heading = page.locator("#models > button")
    if not page.locator("#models-boxes").is_visible():
        heading.click()
    for box, name in (("#bi-encoder", bi), ("#cross-encoder", cross), ("#second", second)):
        if name:
            page.locator(box).get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Use these models").click()


def test_three_models_three_lists_and_the_link_carries_them(visitor: Visitor) -> None:
    page = visitor.open(FIRST)
    choose(page, BGE, L6, L12)
    expect(page.locator("#models > button")).to_have_text(
        re.compile("bge-small-en-v1.5, then ms-marco-MiniLM-L6-v2, compared with ms-marco-MiniLM-L12-v2"),
        timeout=120_000,
    )  # fmt: skip
    expect(page).to_have_url(re.compile("models=BAAI%2Fbge-small-en-v1.5%2Ccross-encoder"))
    expect(page.locator("#before")).to_contain_text("bge-small-en-v1.5 · cosine")
    visitor.commit("yes")
    expect(page.locator("#third [data-state=final]")).to_be_visible()
    expect(page.locator("#third ol.rows > li:visible")).to_have_count(10)
    expect(page.locator("#two tbody tr")).to_have_count(2)
    expect(page.locator("#verdict")).not_to_contain_text("robability")
    doc = page.locator("#third li.row").first.get_attribute("data-doc")
    page.locator("#third li.row").first.hover()
    expect(page.locator(f"#after li.lit[data-doc='{doc}']")).to_have_count(1)
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375, "no sideways scroll"
    page.set_viewport_size({"width": 1280, "height": 800})
    link = page.url
    page.get_by_role("button", name="Back to the embedded ones").click()
    expect(page.locator("#before")).to_contain_text("bi-encoder · cosine")
    expect(page.locator("#third")).to_have_count(0)
    page.goto(link)  # all of it is on this machine now: the link opens with it
    expect(page.locator("#before")).to_contain_text("bge-small-en-v1.5 · cosine", timeout=90_000)
    assert not visitor.errors
    assert visitor.hosts == {visitor.server.split("/")[2]}


def test_a_model_that_cannot_be_fetched_is_one_sentence_and_the_page_goes_on(
    visitor: Visitor,
) -> None:
    page = visitor.open(FIRST)
    choose(page, cross="BAAI/bge-reranker-base")
    expect(page.locator("#models-working [role=alert]")).to_contain_text(
        "BAAI/bge-reranker-base is not on this machine and could not be fetched from the Hugging Face hub"
    )
    expect(page.locator("#models-working")).to_contain_text("The models in use stay in use.")
    visitor.commit("yes")
    expect(page.locator("#after")).to_contain_text("cross-encoder · logit")


def test_a_link_fetches_nothing_and_says_what_to_press(visitor: Visitor) -> None:
    page = visitor.open(FIRST.replace("&k=5", "&k=5&models=intfloat/e5-small-v2,embedded"))
    expect(page.locator("#message")).to_contain_text(
        "The link names intfloat/e5-small-v2, not all of which are on this machine"
    )
    expect(page.locator("#bi-encoder").get_by_label("intfloat/e5-small-v2")).to_be_checked()
    expect(page.locator("#before")).to_contain_text("bi-encoder · cosine")
