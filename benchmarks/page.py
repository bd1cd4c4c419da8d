"""From a click on a query to its first ranking on the screen, in Chromium, on warm models.

    python -m benchmarks.page http://127.0.0.1:7860      # a page that is already running, and nothing else

Each click picks another written query of the same scenario; what is measured ends when the browser has painted the
frame with the new list. Writes a section of benchmarks/RESULTS.md.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys

from playwright.sync_api import sync_playwright

from benchmarks.report import write_section

ROUNDS = 24
CLICK = """async (index) => {
  const before = document.querySelector('#before [data-link]').dataset.link;
  const input = document.querySelectorAll('#query-choice input')[index];
  const start = performance.now();
  input.click();
  while (document.querySelector('#before [data-link]').dataset.link === before) {
    if (performance.now() - start > 20000) throw new Error('no new list within 20 s');
    await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860"
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector("#before ol.rows > li")
        page.wait_for_timeout(3000)
        n = page.locator("#query-choice input").count()
        times = []
        for turn in range(ROUNDS + n):
            times.append(page.evaluate(CLICK, (turn + 1) % n))
            page.wait_for_timeout(300)
        browser.close()
    first, warm = times[: n - 1], sorted(times[n:])
    lines = [
        f"| queries never encoded before, median of {len(first)} | {statistics.median(first):.0f} ms |",
        f"| queries encoded before, median of {len(warm)} | {statistics.median(warm):.0f} ms |",
        f"| the slowest of those | {warm[-1]:.0f} ms |",
    ]
    write_section("Click to first ranking", ["| | time |", "|---|---|", *lines])
    print("\n".join(lines))


if __name__ == "__main__":
    main()
