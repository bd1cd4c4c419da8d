"""Your own over a running page made of fakes: what an upload and a paste leave behind, on the disk and in Gradio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.pipeline import TwoStage
from ui.layout import build_app
from ui.own_view import OwnView
from ui.server import launch_settings
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
SECRET = "zanzibar"


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("uploads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def page(uploads: Path) -> Iterator[gr.Blocks]:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer()))
    service.start()
    app = build_app(service)
    app.launch(prevent_thread_lock=True, **launch_settings())
    yield app
    app.close()


def call(page: gr.Blocks, name: str, module: str, data: list[Any], session: str) -> list[Any]:
    """What a browser does with an event: join the queue, read the stream, return all outputs that came."""
    number = next(
        i
        for i, fn in page.fns.items()
        if getattr(fn.fn, "__name__", "") == name and getattr(fn.fn, "__module__", "") == module
    )
    api = page.local_url.rstrip("/") + "/gradio_api"
    joined = httpx.post(
        f"{api}/queue/join", json={"data": data, "fn_index": number, "session_hash": session}
    )
    assert joined.status_code == 200, joined.text
    outputs: list[Any] = []
    with httpx.stream("GET", f"{api}/queue/data?session_hash={session}", timeout=60) as stream:
        for line in stream.iter_lines():
            if not line.startswith("data:"):
                continue
            message = json.loads(line.removeprefix("data:"))
            outputs.append(message.get("output", {}).get("data"))
            if message["msg"] == "process_completed":
                assert message["success"], message
                break
    return outputs


def upload(page: gr.Blocks, name: str, content: bytes) -> dict[str, Any]:
    answer = httpx.post(
        page.local_url.rstrip("/") + "/gradio_api/upload", files={"files": (name, content)}
    )
    (path,) = answer.json()
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def test_an_upload_leaves_nothing_on_the_disk(page: gr.Blocks, uploads: Path) -> None:
    file = upload(page, "k.txt", b"one kettle\ntwo kettles")
    assert Path(file["path"]).read_bytes() == b"one kettle\ntwo kettles"
    seen = call(page, "upload", "ui.own_intake", [file, "lines", ""], "first")
    assert "k.txt is here, 2 passages" in json.dumps(seen)
    assert [p for p in uploads.rglob("*") if p.is_file()] == []


def test_a_file_of_the_machine_is_not_read(page: gr.Blocks, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(SECRET)
    file = {"path": str(outside), "orig_name": "x.txt", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(AssertionError):
        call(page, "upload", "ui.own_intake", [file, "lines", ""], "second")
    assert outside.read_text() == SECRET


def test_gradio_keeps_nothing_of_what_came_and_was_shown(page: gr.Blocks) -> None:
    data = [f"{SECRET} one\n{SECRET} two", "lines", None, "", "", ""]
    outputs = call(page, "encode", "ui.own_intake", data, "third")
    token = next(out for out in reversed(outputs) if out)[OwnView._fields.index("token")]
    call(page, "rank", "ui.own_lists", [token, "one", 50, 5], "third")
    call(page, "just_show", "ui.own_lists", [token, "one", 50, 5, "one", "{}"], "third")
    kept = page.state_holder.session_data["third"]

    assert SECRET not in json.dumps(kept.config_values, default=str)
