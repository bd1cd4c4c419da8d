"""Your own, as a visitor walks it on the real models: paste, upload, rank, mark, judge blind, take away, reopen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from visitor import Visitor

from rerank_core.scenario_zip import read_zip

AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
TEXTS = [
    "A kettle boils water in about three minutes.",
    "Descale the kettle once a month with vinegar.",
    "Water boils at 93 degrees on the plateau.",
    "A boiling dispute in the city council over water rights.",
    "The kettle lake formed when a block of ice melted.",
    "To clean limescale, heat vinegar in the kettle and rinse it.",
    "Coffee wants water just below the boil.",
    "The council cleaned the lake.",
    "An old kettle hums before it boils.",
    "Bread rises in a warm room.",
    "Tea tastes flat when water has boiled twice.",
    "The toaster burns bread when its dial stands at six.",
]
QUERY = "how do I clean a kettle"


def open_own(visitor: Visitor, link: str = "") -> Page:
    page = visitor.open(link)
    page.get_by_role("tab", name="Your own", exact=True).click()
    expect(page.get_by_role("heading", name="Your own passages")).to_be_visible()
    return page


def encode(page: Page, text: str = "\n".join(TEXTS)) -> None:
    page.get_by_label("Paste passages").fill(text)
    page.get_by_role("button", name="Encode these passages").click()


def ask(page: Page, query: str = QUERY) -> None:
    box = page.locator("#own-query :is(input, textarea)")
    box.fill(query)
    box.press("Enter")
    expect(page.locator(f"#own-before [data-asked='{query}']")).to_be_visible()


def reveal(page: Page) -> None:
    page.locator("#own-just-show").click()
    expect(page.locator("#own-after [data-state=final]")).to_be_visible(timeout=90_000)


def marks(page: Page) -> dict[str, dict[str, int]]:
    return json.loads(page.locator("#own-marks :is(input, textarea)").input_value())


def encoded(page: Page, n: int) -> None:
    expect(page.locator("#own-status")).to_contain_text(f"{n} passages, encoded in", timeout=60_000)


def upload(page: Page, name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    page.locator("#own-file input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def test_paste_predict_and_compare(visitor: Visitor) -> None:
    page = open_own(visitor)
    encode(page)
    encoded(page, 12)
    ask(page)
    expect(page.locator("#own-message")).to_contain_text(
        "You have 12 passages, fewer than N = 50: all 12 are candidates."
    )
    page.locator("#own-will-change").get_by_label("no", exact=True).check()
    page.locator("#own-commit").click()
    expect(page.locator("#own-after [data-state=final]")).to_be_visible(timeout=90_000)
    expect(page.locator("#own-after li.row")).to_have_count(12)
    expect(page.locator("#own-verdict")).to_contain_text(re.compile("[01] of 1"))
    expect(page.locator("#own-verdict")).to_contain_text("No lift yet: mark what answers the query")
    expect(page.locator("#own-verdict")).to_contain_text("Not kept in your record")
    assert page.locator("#own-lines svg path").count() >= 10
    assert "kettle" not in page.url, "no text of the visitor in the address"
    assert not visitor.errors
    assert visitor.hosts == {visitor.server.split("/")[2]}


def test_rows_are_marked_by_key_on_both_sides_and_said(visitor: Visitor) -> None:
    page = open_own(visitor)
    encode(page)
    encoded(page, 12)
    ask(page)
    reveal(page)
    row = page.locator("#own-after li.row").first
    doc = row.get_attribute("data-doc")
    row.locator("summary").focus()
    page.keyboard.press("3")
    expect(page.locator("[data-said]")).to_have_text("Rank 1: 3, answers")
    for side in ("before", "after"):
        mark = page.locator(f"#own-{side} li.row[data-doc='{doc}'] input[value='3']")
        expect(mark).to_be_checked()
    assert row.locator("summary").evaluate("e => e === document.activeElement"), "the focus stays"
    expect(page.locator("#own-verdict")).to_contain_text("nDCG@3")
    expect(page.locator("#own-depth svg")).to_be_visible()
    expect(page.locator("#own-depth")).to_contain_text("1 marked; 11 of the 12 candidates are not")
    page.keyboard.press("Delete")
    expect(page.locator("[data-said]")).to_have_text("Rank 1: unjudged")
    expect(page.locator("#own-verdict")).to_contain_text("No lift yet")
    assert marks(page) == {}


def test_a_finger_marks_too(visitor: Visitor) -> None:
    page = open_own(visitor)
    encode(page)
    encoded(page, 12)
    ask(page)
    reveal(page)
    row = page.locator("#own-before li.row").nth(1)
    row.get_by_label("2: partly answers").check()
    expect(page.locator("#own-verdict")).to_contain_text("nDCG@3")
    assert marks(page) == {QUERY: {row.get_attribute("data-doc"): 2}}


def test_judging_is_blind_by_key_and_can_be_undone(visitor: Visitor) -> None:
    page = open_own(visitor)
    encode(page)
    encoded(page, 12)
    ask(page)
    reveal(page)
    page.get_by_role("button", name="Judge the top 10 of both").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    order = dialog.locator("[data-judged]").evaluate_all("ps => ps.map(p => p.dataset.judged)")
    tops = {
        doc
        for side in ("before", "after")
        for doc in page.locator(f"#own-{side} li.row").evaluate_all(
            "rs => rs.slice(0, 10).map(r => r.dataset.doc)"
        )
    }
    assert set(order) == tops
    assert not re.search("rank|cosine|logit|Retrieve|Rerank", dialog.inner_text())
    expect(dialog.locator("[data-judged]:visible")).to_have_count(1)
    expect(dialog).to_contain_text(f"Passage 1 of {len(order)}")
    for key in "302":
        page.keyboard.press(key)
    expect(dialog).to_contain_text(f"Passage 4 of {len(order)}")
    page.keyboard.press("u")
    expect(dialog).to_contain_text(f"Passage 3 of {len(order)}")
    assert marks(page) == {QUERY: {order[0]: 3, order[1]: 0}}
    dialog.get_by_role("button", name="Leave it unjudged").click()
    for _ in order[3:]:
        page.keyboard.press("1")
    expect(dialog).to_contain_text(f"That was the last of {len(order)}")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert page.locator("#own-judge").evaluate("e => e === document.activeElement")
    assert len(marks(page)[QUERY]) == len(order) - 1
    expect(page.locator("#own-verdict")).to_contain_text("nDCG@3")


def test_taken_away_and_opened_again(visitor: Visitor, tmp_path: Path) -> None:
    page = open_own(visitor)
    encode(page)
    encoded(page, 12)
    ask(page)
    reveal(page)
    page.locator("#own-after li.row summary").first.focus()
    page.keyboard.press("3")
    expect(page.locator("#own-depth svg")).to_be_visible()
    page.get_by_label("Title").fill("Kettles")
    page.locator("#own-lesson textarea").fill("Same words, *other* things.")
    page.get_by_role("button", name="Check it, then download").click()
    expect(page.locator("#own-report")).to_contain_text(
        "The note on how it was made has 0 characters, not 1 to 4,000; write a few words."
    )
    page.locator("#own-note textarea").fill("The query was written before a model ran.")
    page.get_by_role("button", name="Check it, then download").click()
    expect(page.locator("#own-report")).to_contain_text(
        "The lesson holds on these weights", timeout=90_000
    )
    expect(page.locator("#own-report")).to_contain_text("first_after = ")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download kettles.zip").click()
    saved = tmp_path / "kettles.zip"
    caught.value.save_as(saved)
    scenario = read_zip(saved.read_bytes(), "kettles.zip")
    assert [q.text for q in scenario.queries] == [QUERY]
    assert len(scenario.passages) == 12

    page = open_own(visitor)
    upload(page, "kettles.zip", saved.read_bytes())
    encoded(page, 12)
    expect(page.locator("#own-status")).to_contain_text("The scenario “Kettles”, its form checked")
    expect(page.get_by_label("Title")).to_have_value("Kettles")
    ask(page)
    reveal(page)
    expect(page.locator("#own-verdict")).to_contain_text("nDCG@3")
    page.get_by_role("button", name="Check it, then download").click()
    expect(page.locator("#own-report")).to_contain_text("4 expectations, all met", timeout=90_000)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("r.jsonl", '{"text": "a"}\n{"text": 5}\n', "r.jsonl, line 2: `text` is 5; it must be a string in quotes."),
        ("p.txt", b"fine\n\xff", "p.txt, line 2: byte 0xff is not UTF-8; save the file as UTF-8."),
        ("p.pdf", b"%PDF", "p.pdf ends in '.pdf'; choose a .txt, .csv, .jsonl or .zip file."),
        ("p.zip", b"PK", "p.zip is not a zip that can be read (File is not a zip file); zip the folder anew."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_the_box_stays(
    visitor: Visitor, name: str, content: str | bytes, sentence: str
) -> None:
    page = open_own(visitor)
    page.get_by_label("Paste passages").fill("what was typed")
    upload(page, name, content)
    expect(page.locator("#own-status").get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_label("Paste passages")).to_have_value("what was typed")
    expect(page.locator("#own-file input[type=file]")).to_have_count(1)


def test_a_csv_asks_for_its_column(visitor: Visitor) -> None:
    page = open_own(visitor)
    rows = "".join(f'{i},"{text}",x\n' for i, text in enumerate(TEXTS))
    upload(page, "kettles.csv", "number,body,label\n" + rows)
    expect(page.locator("#own-status")).to_contain_text(
        "kettles.csv is here and not encoded yet: choose the column that holds the texts."
    )
    page.get_by_role("button", name="Encode these passages").click()
    expect(page.locator("#own-status")).to_contain_text("Choose the column that holds the texts")
    page.get_by_label("Column with the texts").click()
    page.get_by_role("option", name="body").click()
    page.get_by_role("button", name="Encode these passages").click()
    encoded(page, 12)
    ask(page)
    expect(page.locator("#own-before li.row").first).to_contain_text("clean limescale")


def test_long_passages_are_offered_to_be_split(visitor: Visitor) -> None:
    page = open_own(visitor)
    encode(page, "short one\n" + "The kettle on the left boils water for two cups. " * 60)
    expect(page.locator("#own-status")).to_contain_text(
        "The box, line 2: this passage has 2,939 characters, and 2,000 are read; split or shorten it."
    )
    page.get_by_role("button", name="Split the long ones at sentences, and encode").click()
    expect(page.locator("#own-status")).to_contain_text("passages, encoded in")


PASTE = """(box, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  box.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""
WRITE = (
    "(box, text) => { box.value = text; box.dispatchEvent(new Event('input', { bubbles: true })); }"
)


def test_a_long_text_travels_as_a_file(visitor: Visitor) -> None:
    page = open_own(visitor)
    box = page.get_by_label("Paste passages")
    text = "\n".join(f"The {i}th kettle boils water, " + "and again " * 8 for i in range(1_700))
    box.evaluate(PASTE, text)
    expect(page.locator("#own-status")).to_contain_text("pasted.txt is here, 1,700 passages")
    box.press_sequentially("x")
    expect(page.locator("#own-status")).to_contain_text("What is in the box will be encoded")
    box.evaluate(WRITE, text + "\none more")
    page.get_by_role("button", name="Encode these passages").click()
    expect(page.locator("#own-status")).to_contain_text("pasted.txt is here, 1,701 passages")


def test_encoding_shows_how_far_it_is_and_can_be_stopped(visitor: Visitor) -> None:
    page = open_own(visitor)
    text = "\n".join(f"The {i}th kettle boils water " + "again " * 8 for i in range(1_900))
    page.get_by_label("Paste passages").evaluate(WRITE, text)
    page.get_by_role("button", name="Encode these passages").click()
    expect(page.locator("#own-status")).to_contain_text("of 1,900 texts encoded")
    expect(page.locator("#own-status progress")).to_be_visible()
    page.locator("#own-stop").click()
    expect(page.locator("#own-status")).to_contain_text("Stopped; nothing of it is kept")
    page.wait_for_timeout(1500)
    expect(page.locator("#own-status")).to_contain_text("Stopped; nothing of it is kept")
    expect(page.locator("#own-area")).to_be_hidden()
    encode(page)
    encoded(page, 12)


def test_forgetting_leaves_nothing(visitor: Visitor) -> None:
    page = open_own(visitor)
    encode(page)
    encoded(page, 12)
    ask(page)
    page.get_by_role("button", name="Forget my passages now").click()
    expect(page.locator("#own-status")).to_contain_text(
        "Forgotten: nothing of your passages is left"
    )
    expect(page.get_by_label("Paste passages")).to_have_value("")
    expect(page.locator("#own-area")).to_be_hidden()
    assert "kettle" not in page.content()


def test_markup_in_a_passage_stays_text(visitor: Visitor) -> None:
    page = open_own(visitor)
    nasty = "<img src=x onerror=window.pwned=1> ${window.pwned=1} {{value}}"
    encode(page, f"{nasty}\nplain")
    encoded(page, 2)
    ask(page, "plain")
    reveal(page)
    page.get_by_role("button", name="Judge the top 10 of both").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("window.pwned") is None
    assert page.locator("#own-area img, dialog img").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing(visitor: Visitor, theme: str, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 800})
    page = open_own(visitor, f"?__theme={theme}")

    def check() -> None:
        found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
        assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scroll"

    check()
    encode(page)
    encoded(page, 12)
    ask(page)
    reveal(page)
    page.locator("#own-after li.row summary").first.focus()
    page.keyboard.press("3")
    expect(page.locator("#own-depth svg")).to_be_visible()
    page.wait_for_timeout(800)  # the second list fades in
    check()
    page.get_by_role("button", name="Judge the top 10 of both").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check()


def test_a_report_of_evaluate_opens(visitor: Visitor, tmp_path: Path) -> None:
    page = open_own(visitor)
    rows = [
        {"query": f"kettle {i}", "passages": TEXTS, "grades": [0] * i + [1] + [0] * (11 - i)}
        for i in range(6)
    ]
    lists = tmp_path / "lists.jsonl"
    lists.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "rerank_core", "evaluate", str(lists), "--json", str(tmp_path / "report.json")],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page.locator("#own-set-file input[type=file]").set_input_files(tmp_path / "report.json")
    report = page.locator("#own-set-report")
    expect(report.get_by_role("heading", name="6 queries")).to_be_visible()
    expect(report.get_by_role("table")).to_have_count(3)
    expect(report).to_contain_text("nDCG@10")
    report.get_by_text("largest").first.click()
    found = Axe().run(page, context="#own-set-report", options=AXE_OPTIONS)
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
