"""A real server with the real embedded models, and a real Chromium; both once a session.

Chromium is found by the variable CHROMIUM, else on the path, else Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import FakeHub, fake_hub
from playwright.sync_api import Browser, expect, sync_playwright
from tiny_models import tiny_bi_encoder, tiny_cross_encoder
from visitor import ROOT, Visitor

START_S = 120
"""The longest a test waits for the server; loading takes about 10 s on two busy cores."""
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    """A hub on this machine with some of the list's models: tiny ones, with random weights."""
    at = tmp_path_factory.mktemp
    models = {
        "BAAI/bge-small-en-v1.5": tiny_bi_encoder(at("bi")),
        "cross-encoder/ms-marco-MiniLM-L6-v2": tiny_cross_encoder(at("cross"), 1),
        "cross-encoder/ms-marco-MiniLM-L12-v2": tiny_cross_encoder(at("other"), 2),
    }
    with fake_hub(models) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, hub: FakeHub) -> Iterator[str]:
    """The address of `python app.py` on a free port, answering; the hub that it may ask is the one here."""
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    env = {
        **os.environ, "RERANK_PORT": str(port), "HF_ENDPOINT": hub.address,
        "HF_HUB_CACHE": str(tmp_path_factory.mktemp("cache")),
    }  # fmt: skip
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):  # what a person asks for may be fetched
        env.pop(name, None)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + START_S
        while True:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, f"the server ended:\n{log.read_text()}"
                assert time.monotonic() < end, f"the server did not answer:\n{log.read_text()}"
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Visitor(context.new_page(), server)
    context.close()
