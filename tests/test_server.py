"""What stands before Gradio, and the named endpoints, over a running page made of fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from fakes import FakeEncoder, FakeScorer
from gradio_client import Client
from gradio_client.exceptions import AppError

from rerank_core import limits
from rerank_core.pipeline import TwoStage
from ui.bounds import uploaded_bytes
from ui.layout import build_app
from ui.server import launch_settings
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer()))
    service.start()
    app: gr.Blocks = build_app(service)
    _, local, _ = app.launch(prevent_thread_lock=True, **launch_settings())
    yield local.rstrip("/")
    app.close()


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False, analytics_enabled=False)


def test_the_page_is_served(address: str) -> None:
    assert httpx.get(address).status_code == 200


def test_a_body_over_the_bound_is_refused_before_it_is_read(address: str) -> None:
    answer = httpx.post(
        address + "/gradio_api/queue/join", content=b"x" * (limits.MAX_BODY_BYTES + 1)
    )
    assert answer.status_code == 413
    assert str(limits.MAX_BODY_BYTES) in answer.text


def test_a_body_that_hides_its_length_is_refused_too(address: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * (limits.MAX_BODY_BYTES // 4)

    answer = httpx.post(address + "/gradio_api/queue/join", content=chunks())
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/upload",
        "/openapi.json",
        "/monitoring/summary",
        "/gradio_api/monitoring/summary",
    ],
)
def test_what_is_off_is_off(address: str, path: str) -> None:
    for answer in (httpx.get(address + path), httpx.post(address + path, files={"files": b"x"})):
        assert answer.status_code in (403, 404, 405), path


def test_an_upload_has_a_bound_of_its_own(address: str) -> None:
    url, most = address + "/gradio_api/upload", limits.OWN_FILE_BYTES + limits.UPLOAD_EXTRA_BYTES
    kept = httpx.post(url, files={"files": ("a.txt", b"x" * (limits.MAX_BODY_BYTES + 1))})
    assert kept.status_code == 200, "an honest file is larger than any other request"
    Path(kept.json()[0]).unlink()
    over = httpx.post(url, files={"files": ("a.txt", b"x" * most)})
    assert (over.status_code, over.text) == (413, f"An upload may hold {most} bytes.")
    hidden = httpx.post(url, content=iter([b"x"]), headers={"content-type": "multipart/form-data"})
    assert (hidden.status_code, hidden.text) == (411, "An upload says how many bytes it has.")


def test_uploads_that_nobody_reads_do_not_fill_the_disk(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "unread").write_bytes(b"x" * 1000)
    monkeypatch.setattr("ui.bounds.get_upload_folder", lambda: str(tmp_path))
    assert uploaded_bytes() == 1000
    monkeypatch.setattr("ui.bounds.uploaded_bytes", lambda: limits.UPLOADS_BYTES)
    full = httpx.post(address + "/gradio_api/upload", files={"files": ("a.txt", b"x")})
    assert (full.status_code, full.text) == (
        503,
        "Too many uploads wait to be read; try again in a minute.",
    )


def test_hashed_files_are_kept_and_compressed(address: str) -> None:
    page = httpx.get(address, headers={"accept-encoding": "gzip"})
    assert page.headers["content-encoding"] in ("gzip", "br")
    asset = next(
        part for part in page.text.split('"') if "/assets/" in part and part.endswith(".js")
    )
    url = asset if asset.startswith("http") else address + "/" + asset.lstrip("./")
    answer = httpx.get(url, headers={"accept-encoding": "gzip"})
    assert f"max-age={limits.HASHED_AGE_S}" in answer.headers["cache-control"]
    assert (
        answer.headers.get("content-encoding") in ("gzip", "br")
        or len(answer.content) < limits.COMPRESS_FROM_BYTES
    )


def test_the_queue_cannot_be_walked_around(address: str) -> None:
    assert httpx.post(address + "/gradio_api/run/scenarios", json={"data": []}).status_code == 404


def test_scenarios_endpoint(client: Client) -> None:
    answer = client.predict(api_name="/scenarios")
    assert any(s["id"] == "python-pet-care" for s in answer)
    assert all({"id", "text", "relevance"} <= set(q) for s in answer for q in s["queries"])


def test_compare_endpoint_over_ones_own_passages(client: Client) -> None:
    texts = ["a python is a snake", "python is a language", "the weather"]
    trace = client.predict("python snake", texts, 3, 2, api_name="/compare")
    assert [c["rank_after"] for c in trace["candidates"]] == [1, 2, 3]
    assert {c["text"] for c in trace["candidates"]} == set(texts)


def test_compare_endpoint_over_the_library(client: Client) -> None:
    trace = client.predict("python pet care", None, 10, 3, api_name="/compare")
    assert trace["retrieve_k"] == 10
    assert trace["query_id"] == "python-pet-care-1"


def test_rerank_endpoint(client: Client) -> None:
    rows = client.predict("python snake", ["one", "a python snake", "three"], 2, api_name="/rerank")
    assert [r["rank"] for r in rows] == [1, 2]
    assert rows[0]["text"] == ["one", "a python snake", "three"][rows[0]["index"]]


def test_evaluate_endpoint(client: Client) -> None:
    texts = ["one", "a python snake", "three"]
    report = client.predict(["python snake"], texts, [[0, 3, None]], 3, 2, api_name="/evaluate")
    assert report["counts"]["evaluated"] == 1
    assert report["metrics"][0]["name"] == "nDCG@10"


def test_an_endpoint_says_its_types_and_what_may_be_left_out(client: Client) -> None:
    info = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    needed = {
        name: [p["parameter_name"] for p in ends["parameters"] if not p["parameter_has_default"]]
        for name, ends in info.items()
    }
    assert needed == {
        "/compare": ["query"],
        "/rerank": ["query", "candidates"],
        "/evaluate": ["queries", "passages", "grades"],
        "/scenarios": [],
    }
    types = {p["parameter_name"]: p["type"] for p in info["/evaluate"]["parameters"]}
    assert types["grades"]["type"] == "array"
    assert types["retrieve_k"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("/evaluate", (["q"], ["x"], [[1]], 1, 1), "has a passage of grade 2 or more"),
        ("/compare", ("q", ["x"], 1, 1, "someone/else"), "is not on the list of models"),
        ("/compare", ("", ["x"], 1, 1), "The query has 0 characters"),
        ("/compare", ("q" * 501, ["x"], 1, 1), "501 characters"),
        ("/compare", ("q", ["x"], 0, 1), "retrieve_k is a whole number from 1 to 100"),
        ("/compare", ("q", ["x"], 3, 4), "top_k is a whole number from 1 to 3"),
        ("/compare", ("q", "not a list", 3, 2), "passages is a list of strings"),
        ("/compare", ("q", ["x"] * 101, 3, 2), "at most 100 a call"),
        ("/rerank", ("q", ["x", 3], 1), "candidates is a list of strings"),
        ("/rerank", ("q", ["x" * 20_001], 1), "20001 characters"),
    ],
)
def test_an_endpoint_says_what_is_wrong_in_one_sentence(
    client: Client, name: str, args: tuple[object, ...], sentence: str
) -> None:
    with pytest.raises(AppError, match=sentence):
        client.predict(*args, api_name=name)


def test_page_handlers_called_by_hand_hold_their_limits(address: str) -> None:
    config = httpx.get(address + "/config").json()
    visible = {d["api_name"] for d in config["dependencies"] if d.get("api_visibility") == "public"}
    assert visible == {"compare", "rerank", "evaluate", "scenarios"}
