"""The README's examples run, and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from ui.layout import build_app
from ui.server import launch_settings
from ui.service import Service

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)
OUTPUT = re.findall(r"```text\n(.*?)```", README, re.S)


def printed(code: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), names)
    return out.getvalue()


@pytest.mark.real
def test_the_library_example_prints_what_the_readme_shows() -> None:
    names: dict[str, Any] = {}
    assert printed(PYTHON[0], names) == OUTPUT[0]
    printed(PYTHON[1], names)
    chunks = names["passages"]
    assert names["generate"]("python pet", chunks, 2).count("\n\n") == 1
    assert len(names["pipeline"]("python", lambda query, n: chunks[:n], 3, 2)) == 2


@pytest.mark.real
def test_the_client_example_runs_against_the_page() -> None:
    service = Service(ROOT / "scenarios")
    service.start()
    app = build_app(service)
    _, local, _ = app.launch(prevent_thread_lock=True, **launch_settings())
    try:
        lines = printed(
            PYTHON[2].replace("http://127.0.0.1:7860", local.rstrip("/")), {}
        ).splitlines()
    finally:
        app.close()
    assert lines[0].startswith("1 ")
    assert " -> 1" in lines[2]
    assert lines[3].endswith(" scenarios")
