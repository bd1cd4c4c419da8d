"""The README's examples run, and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from rerank_core import load_library
from rerank_core.beir import read_beir
from rerank_core.board import read_board
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


def test_the_example_of_a_beir_folder_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    printed(next(code for code in PYTHON if "corpus.jsonl" in code), {})
    found, library = read_beir("scenarios-beir"), load_library("scenarios")
    assert {q.query_id: q.text for q in found.queries} == {q.id: q.text for q in library.queries}
    assert [p.text for p in found.corpus] == [p.text for p in library.passages]
    folder = found.corpus.path.parent.name
    assert f"\n{folder}: {len(found.queries)} queries, {len(found.corpus)} passages\n" in README
    results = read_board(ROOT / "scenarios" / "board.json").results(50)
    before, after = (fmean(getattr(r, name) for r in results) for name in ("before", "after"))
    assert re.search(rf"  nDCG@3     {before:.3f} \[.*\]  {after:.3f} \[", README), (
        "on other weights"
    )


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
