"""A visitor: a page, what it asked for and what went wrong in it, and the steps that every walk repeats."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]


class Visitor:
    """A page with what the tests ask of every visit: the requests it made and the errors it logged."""

    def __init__(self, page: Page, server: str) -> None:
        self.page = page
        self.server = server
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        page.on("request", lambda r: self.hosts.add(r.url.split("/")[2] if "//" in r.url else ""))
        page.on("pageerror", lambda e: self.errors.append(str(e)))

    def open(self, link: str = "") -> Page:
        """Open a link of the page and wait until the first ranking is there and can be acted on."""
        self.page.goto(self.server + "/" + link)
        expect(self.page.locator("#before ol.rows > li").first).to_be_visible(timeout=90_000)
        if "reveal=1" not in link:
            expect(self.page.get_by_role("button", name="Commit and rerank")).to_be_enabled()
        return self.page

    def predict(self, change: str = "yes") -> None:
        self.page.locator("#will-change").get_by_label(change, exact=True).check()

    def reveal(self) -> None:
        expect(self.page.locator("#after [data-state=final]")).to_be_visible(timeout=90_000)

    def commit(self, change: str = "yes") -> None:
        """Answer the first question, commit, and wait for the second list."""
        self.predict(change)
        self.page.get_by_role("button", name="Commit and rerank").click()
        self.reveal()
