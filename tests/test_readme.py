"""The README's examples run, and print what it says they print."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from waiting import finished

from rerank_core import load_library
from rerank_core.beir import read_beir
from rerank_core.board import read_board
from ui.layout import build_app
from ui.server import launch_settings
from ui.service import Service

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)
BASH = re.findall(r"```bash\n(.*?)```", README, re.S)
JSON = re.findall(r"```json\n(.*?)```", README, re.S)
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


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page on the real models, on a free port."""
    service = Service(ROOT / "scenarios")
    service.start()
    service.wait(600)  # a busy machine is slow, not wrong
    app = build_app(service)
    _, local, _ = app.launch(prevent_thread_lock=True, **launch_settings())
    yield local.rstrip("/")
    app.close()


@pytest.mark.real
def test_the_client_example_runs_against_the_page(address: str) -> None:
    lines = printed(PYTHON[2].replace("http://127.0.0.1:7860", address), {}).splitlines()
    assert lines[0].startswith("1 ")
    assert " -> 1" in lines[2]
    assert lines[3].endswith(" scenarios")
    assert re.fullmatch(r"nDCG@10 [\d.]+ -> [\d.]+", lines[4])


@pytest.mark.real
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_example_runs_against_the_page(address: str) -> None:
    code = BASH[0].replace("http://127.0.0.1:7860", address)
    done = subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    # A slow machine may send signs of life first.
    *_, event, data = (line for line in done.stdout.splitlines() if line.strip())
    assert event == "event: complete"
    (rows,) = json.loads(data.removeprefix("data: "))
    assert [row["rank"] for row in rows] == [1, 2]


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="mcp is not installed")
def test_an_agent_configured_as_the_readme_says_finds_the_tools(address: str) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    (server,) = json.loads(JSON[0])["mcpServers"].values()
    url = server["url"].replace("http://127.0.0.1:7860", address)

    async def ask() -> Any:
        async with (
            streamable_http_client(url) as (read, write, _),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            names = {tool.name for tool in (await client.list_tools()).tools}
            texts = ["Apples grow.", "Apple sued Samsung."]
            return names, await client.call_tool(
                "rerank", {"query": "who sued whom?", "candidates": texts, "top_k": 1}
            )

    names, answer = finished(ask())
    assert names == {"compare", "rerank", "evaluate", "scenarios"}
    assert not answer.isError
    assert "'rank': 1" in answer.content[0].text
