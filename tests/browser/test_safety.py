"""Nothing that a visitor typed, or a link said, runs; and no visitor sees another's."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect
from visitor import Visitor

INJECTIONS = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    "<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<details open ontoggle=window.pwned=1>",
    "<a href=javascript:window.pwned=1>x</a>",
    "<math><mtext></mtext><script>window.pwned=1</script></math>",
    '" onmouseover="window.pwned=1" x="',
    "' autofocus onfocus='window.pwned=1",
    '"><img src=x onerror=window.pwned=1>',
    "</p></section><script>window.pwned=1</script>",
    "${window.pwned=1}",
    "${(()=>{window.pwned=1})()}",
    "`${window.pwned=1}`",
    "{{constructor.constructor('window.pwned=1')()}}",
    "{{this}} {{value}} {{{value}}}",
    "{% raw %}{{ 7*7 }}{% endraw %}",
    "\\u003cimg src=x onerror=window.pwned=1\\u003e",
    "＜script＞window.pwned=1＜/script＞",
    "\u202e<img src=x onerror=window.pwned=1>\u202c",
    "<style>*{background:url(javascript:window.pwned=1)}</style>",
    "</textarea><script>window.pwned=1</script>",
    "</pre></details><img src=x onerror=window.pwned=1>",
    '=HYPERLINK("javascript:window.pwned=1")',
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_typed_query_stays_text(browser: Browser, server: str, text: str) -> None:
    context = browser.new_context()
    visitor = Visitor(context.new_page(), server)
    page = visitor.open("?n=5&k=3&query=" + quote(text))
    box = page.locator("#query input, #query textarea").first
    expect(box).to_have_value(text.strip())
    page.get_by_role("button", name="Just show me").click()
    visitor.reveal()
    page.locator(".trace > summary").click()
    page.mouse.move(300, 300)
    expect(page.locator(".trace [data-payload=json]")).to_have_count(1)
    assert page.evaluate("window.pwned") is None
    assert (
        page.locator("#before img, #after img, #verdict img, #trace img, #message img").count() == 0
    )
    context.close()


def test_an_injection_in_the_name_of_a_scenario_is_quoted_back_as_text(visitor: Visitor) -> None:
    page = visitor.open(
        "?scenario="
        + quote("<img src=x onerror=window.pwned=1>")
        + "&models="
        + quote("${window.pwned=1}")
    )
    expect(page.get_by_role("alert")).to_contain_text("<img src=x")
    assert page.evaluate("window.pwned") is None


def test_a_poisoned_record_in_the_browser_is_dropped(visitor: Visitor) -> None:
    page = visitor.open("?n=5&k=3")
    page.evaluate(
        "localStorage.setItem('rerank-record-1', JSON.stringify([['<img src=x onerror=window.pwned=1>', 9, 1, 7], 3]))"
    )
    page.reload()
    expect(page.locator("#before ol.rows > li").first).to_be_visible()
    expect(page.locator("#record")).to_contain_text("No scored round yet")
    assert page.evaluate("window.pwned") is None


def test_two_visitors_never_see_each_others_result(browser: Browser, server: str) -> None:
    links = [
        "?scenario=python-pet-care&query=python-pet-care-4&n=40&k=5",
        "?scenario=jaguar-top-speed&query=jaguar-top-speed-4&n=30&k=5",
    ]
    contexts = [browser.new_context() for _ in links]
    visitors = [Visitor(c.new_page(), server) for c in contexts]
    for visitor, link in zip(visitors, links, strict=True):
        visitor.open(link)
        visitor.predict("no")
    for visitor in visitors:  # both commit before either has its answer
        visitor.page.get_by_role("button", name="Commit and rerank").click()
    for visitor, prefix, n in zip(visitors, ("pyt-", "jag-"), (40, 30), strict=True):
        visitor.reveal()
        rows = visitor.page.locator("#after li.row")
        expect(rows).to_have_count(n)
        both = [
            visitor.page.locator(f"#{side} li.row").evaluate_all(
                "rows => rows.map(r => r.dataset.doc)"
            )
            for side in ("before", "after")
        ]
        assert sorted(both[0]) == sorted(both[1])
        assert both[1][0].startswith(prefix)
    for context in contexts:
        context.close()
