"""What strangers send to the endpoints and to the page's handlers, called as functions with fakes for models.

500 examples in all, 10,000 by `make fuzz`, and a few over real HTTP: a value or one sentence, never our own fault,
never markup, never a hang.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from fakes import FakeEncoder, FakeScorer
from fuzz import anything, fuzz, hostile, mild, mostly, numbers, one_sentence, read_or_told, share
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import limits
from rerank_core.models import known_names
from rerank_core.pipeline import TwoStage
from rerank_core.report import Report
from rerank_core.shelf import ModelShelf
from rerank_core.trace import Trace, trace_of
from ui.api import Api
from ui.desk import Desk
from ui.handlers import Explore
from ui.layout import build_app
from ui.model_service import Models
from ui.models_handlers import BOXES, ModelHandlers
from ui.own_intake import OwnIntake
from ui.own_lists import OwnLists
from ui.server import launch_settings
from ui.service import Service
from ui.view import OURS

SCENARIOS = Path(__file__).parents[1] / "scenarios"
MARKUP = ("<script>alert", "<img src=x", "</textarea>")
TYPED = {"query", "ranked_query", "models", "ranked_models", "marks"}
TYPED |= {f"other_{box}" for box in BOXES} | set(BOXES)
"""Components whose value is text or a file's, not HTML."""
REQUEST: Any = SimpleNamespace(query_params={}, session_hash="fuzz")

listed = st.sampled_from((*known_names("bi-encoder"), *known_names("cross-encoder")))
model = mostly(st.one_of(st.none(), listed), anything)
bi = mostly(st.sampled_from((None, *known_names("bi-encoder"))), model)
cross = mostly(st.sampled_from((None, *known_names("cross-encoder"))), model)
fair = st.lists(mild, min_size=1, max_size=6)
several = mostly(fair, st.lists(hostile, max_size=6))
few = mostly(st.integers(1, 8), numbers)
one = mostly(st.just(1), numbers)
query = mostly(st.one_of(mild, st.sampled_from(("python pet care", "who sued whom?"))), hostile)
typed = mostly(query, anything)


@pytest.fixture(scope="module")
def service() -> Service:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer()))
    service.start()
    service.wait(120)
    return service


@pytest.fixture(scope="module")
def models(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    shelf = ModelShelf(
        load_encoder=lambda name, allow_any: FakeEncoder(name),
        load_scorer=lambda name, allow_any: FakeScorer(name),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))
        yield Models(service, shelf=shelf, fetch=lambda known, progress: progress(1, 2))


@pytest.fixture(scope="module")
def api(models: Models) -> Api:
    return Api(models)


def answered(ask: Any) -> Any:
    """What an endpoint answers, as JSON that travels, or None where it said in one sentence what is wrong."""

    def ask_and_pack() -> Any:
        try:
            answer = ask()
        except gr.Error as error:
            if "on our side" in error.message:
                raise AssertionError("that is no sentence about what was sent") from error
            raise
        json.dumps(answer, allow_nan=False)
        return answer

    return read_or_told(ask_and_pack, gr.Error)


@share(0.2)
@given(typed, mostly(st.one_of(st.none(), several), anything), few, one, bi, cross)
def test_compare(api: Api, query: Any, texts: Any, n: Any, k: Any, bi: Any, cross: Any) -> None:
    trace = answered(lambda: api.compare(query, texts, n, k, bi, cross))
    if trace is not None:
        read = Trace.model_validate_json(json.dumps(trace))
        assert 0 < read.top_k <= n <= limits.RETRIEVE_K_MAX
        assert len(read.candidates) == min(n, len(texts) if texts is not None else n)


@share(0.2)
@given(typed, mostly(several, anything), few, cross)
def test_rerank(api: Api, query: Any, texts: Any, k: Any, cross: Any) -> None:
    rows = answered(lambda: api.rerank(query, texts, k, cross))
    if rows is not None:
        assert [row["rank"] for row in rows] == list(range(1, min(k, len(texts)) + 1))
        assert all(texts[row["index"]] == row["text"] for row in rows)


@st.composite
def judged(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    queries = draw(mostly(st.lists(query, min_size=1, max_size=3), anything))
    texts = draw(mostly(several, anything))
    if isinstance(queries, list) and isinstance(texts, list):
        grade = draw(st.sampled_from((mostly(st.integers(0, 3), st.none()), numbers)))
        row = st.lists(grade, min_size=len(texts), max_size=len(texts))
        grades = draw(st.lists(row, min_size=len(queries), max_size=len(queries)))
    else:
        grades = draw(anything)
    return queries, texts, grades


@share(0.2)
@given(judged(), few, one, mostly(st.integers(1, 3), numbers), bi, cross)
def test_evaluate(
    api: Api, sent: tuple[Any, Any, Any], n: Any, k: Any, relevant: Any, bi: Any, cross: Any
) -> None:
    report = answered(lambda: api.evaluate(*sent, n, k, relevant, bi, cross))
    if report is not None:
        assert Report.model_validate_json(json.dumps(report)).counts.evaluated <= len(sent[0])


# The page


def shown(views: Iterable[Any]) -> str:
    """All that a handler shows, as text; our own fault in it fails, and so does markup of a visitor's."""
    html = "".join(
        value
        for view in views
        for name, value in view._asdict().items()
        if isinstance(value, str) and name not in TYPED
    )
    assert OURS not in html
    assert not any(markup in html for markup in MARKUP)
    return html


@pytest.fixture(scope="module")
def explore(service: Service, models: Models) -> Explore:
    return Explore(service, models)


maybe_models = st.one_of(st.just("embedded"), st.just("embedded"), hostile)


@share(0.15)
@given(query, numbers, numbers, maybe_models, st.booleans(), anything, anything, anything)
def test_explore(
    explore: Explore, query: str, n: Any, k: Any, chosen: str, valid: bool, yes: Any, leader: Any, record: Any
) -> None:  # fmt: skip
    n, k = (7, 3) if valid else (n, k)
    first = "python-pet-care"
    shown(explore.change(first, query, n, k, chosen))
    shown(explore.next(first, query, n, k, chosen))
    args = (first, query, n, k, query, [], REQUEST, chosen, chosen)
    shown(explore.just_show(*args))
    shown(
        explore.commit(
            first, query, n, k, query, yes, 75, leader, None, None, record, REQUEST, chosen, chosen
        )
    )


@share(0.05)
@given(
    st.dictionaries(st.sampled_from(("scenario", "query", "n", "k", "models", "reveal")), hostile),
    anything,
)
def test_explore_opens_any_link(explore: Explore, params: dict[str, str], record: Any) -> None:
    request: Any = SimpleNamespace(query_params=params, session_hash="fuzz")
    assert "data-side" in shown(explore.load(record, request))


@share(0.05)
@given(names=st.lists(st.one_of(model, hostile), min_size=3, max_size=6))
def test_a_choice_of_models(models: Models, names: list[Any]) -> None:
    shown(ModelHandlers(models).use(*names))


@share(0.15)
@given(
    hostile, st.sampled_from(("lines", "paragraphs", "csv", "jsonl", "x")), query, hostile, numbers
)
def test_your_own(service: Service, pasted: str, kind: str, query: str, marks: str, n: Any) -> None:
    desk = Desk(service)
    intake, lists = OwnIntake(desk), OwnLists(desk)
    views = list(intake.encode(pasted, kind, None, "", "", "", REQUEST))
    shown(views)
    token = next((v.token for v in reversed(views) if isinstance(v.token, str)), "")
    shown(lists.rank(token, query, n, 3, REQUEST))
    shown(lists.just_show(token, query, 7, 3, query, marks, REQUEST))
    shown(lists.mark(token, query, 3, marks, REQUEST))


# Texts that leave


@fuzz(60)
@given(st.lists(hostile, min_size=1, max_size=4))
def test_no_text_leaves_as_a_formula(texts: list[str]) -> None:
    result = read_or_told(
        lambda: TwoStage(FakeEncoder(), FakeScorer()).compare("python", texts, 4, 1)
    )
    if result is None:
        return
    trace = trace_of(result)
    rows = list(csv.DictReader(io.StringIO(trace.to_csv(), newline="")))
    assert len(rows) == len(texts)
    for row in rows:
        assert row["text"].lstrip()[:1] not in ("=", "+", "-", "@")
        assert not row["text"].startswith(("\t", "\r", "\n"))
    assert Trace.model_validate_json(trace.to_json()) == trace


# Over real HTTP


@pytest.fixture(scope="module")
def address(service: Service, models: Models) -> Iterator[str]:
    app = build_app(service, models=models)
    _, local, _ = app.launch(prevent_thread_lock=True, **launch_settings())
    yield local.rstrip("/")
    app.close()


@fuzz(25)
@given(
    st.sampled_from(("compare", "rerank", "evaluate", "scenarios")),
    st.lists(st.one_of(anything, several, query), max_size=9),
)
def test_over_http(address: str, name: str, sent: list[Any]) -> None:
    url = f"{address}/gradio_api/call/{name}"
    body = json.dumps({"data": sent}).encode("utf-8", "surrogatepass")
    asked = httpx.post(url, content=body, headers={"content-type": "application/json"}, timeout=60)
    assert "Traceback" not in asked.text
    if asked.status_code != 200:
        assert asked.status_code < 500 or asked.status_code == 503
        return
    answer = httpx.get(f"{url}/{asked.json()['event_id']}", timeout=60).text
    assert "Traceback" not in answer
    assert "event: complete" in answer or "event: error" in answer
    for line in answer.splitlines():
        if line.startswith("data: ") and '"error"' in line and "event: error" in answer:
            said = json.loads(line[6:])
            if isinstance(said, dict) and said.get("error"):
                one_sentence(said["error"])


def test_the_page_still_answers(address: str) -> None:
    assert httpx.get(address, timeout=60).status_code == 200
