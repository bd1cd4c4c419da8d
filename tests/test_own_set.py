"""A report opened in the page: figures as evaluate wrote them, escaped; a wrong file is one sentence; nothing stays."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer
from judged_sets import some_judged

from rerank_core import evaluate_queries, limits, report_text
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.report import Report
from ui import set_views
from ui.desk import Desk
from ui.own_set import OwnSet
from ui.own_view import OwnView

REQUEST: Any = SimpleNamespace(session_hash="visitor", query_params={})


def made(queries: int) -> Report:
    data = some_judged(queries=queries, most=3, absent=True)
    passages = [Passage(d, t) for d, t in data.passages.items()]
    engine = TwoStage(FakeEncoder(), FakeScorer())
    return evaluate_queries(engine, passages, data.queries, data.qrels, retrieve_k=30)


REPORT = made(14)


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def opening(engine: TwoStage) -> OwnSet:
    return OwnSet(Desk(SimpleNamespace(engine=engine)))  # type: ignore[arg-type]


def sent(uploads: Path, content: str | bytes, name: str = "report.json") -> dict[str, str]:
    folder = uploads / "hash"
    folder.mkdir()
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return {"path": str(folder / name), "orig_name": name}


def opened(opening: OwnSet, payload: Any) -> OwnView:
    (view,) = opening.open(payload)
    return view


def test_a_report_shows_its_figures_and_leaves_nothing(opening: OwnSet, uploads: Path) -> None:
    view = opened(opening, sent(uploads, REPORT.to_json()))
    for row in REPORT.metrics:
        assert f'<th scope="row" class="n">{row.name}</th>' in view.set_report
        assert f"{row.before.mean:.3f}" in view.set_report
        assert f"{row.lift.mean:+.3f}" in view.set_report
    assert f"{REPORT.counts.evaluated} queries" in view.set_report
    assert REPORT.made_at[:10] in view.set_report
    assert REPORT.cross_encoder.model_hash[:12] in view.set_report
    assert view.set_report.count("<caption>") == 3
    assert view.set_file is None
    assert list(uploads.iterdir()) == []
    assert len(opening.desk.held) == 0


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.1, 0.3, "Reranking helped here"), (-0.3, -0.1, "Reranking hurt here"), (-0.1, 0.1, "Not decided")],
)  # fmt: skip
def test_the_verdict_follows_the_interval(low: float, high: float, words: str) -> None:
    row = REPORT.metrics[0]
    lift = row.lift.model_copy(update={"interval": (low, high)})
    changed = row.model_copy(update={"lift": lift})
    report = REPORT.model_copy(update={"metrics": (changed, *REPORT.metrics[1:])})
    assert words in set_views.report(report)


def test_how_the_corpus_was_searched_is_said() -> None:
    assert REPORT.index is not None
    assert "texts encoded now" in set_views.report(REPORT)
    assert "texts encoded now" not in set_views.report(REPORT.model_copy(update={"index": None}))
    assert "recall@100" not in set_views.report(REPORT), "exact search has none"
    found = {"search": "lists <b>of</b> neighbours", "recall": 0.9934, "build_ms": 25_400.0}
    report = REPORT.model_copy(update={"index": REPORT.index.model_copy(update=found)})
    assert (
        "Search: lists &lt;b&gt;of&lt;/b&gt; neighbours; recall@100 0.993 against exact search, built in 25.4 s."
        in set_views.report(report)
    )
    assert "recall@100 0.993 against" in "".join(report_text.render(report, 200))


def test_few_queries_decide_nothing() -> None:
    assert "fewer than five queries tell nothing" in set_views.report(made(3))


def test_what_a_report_holds_is_escaped(opening: OwnSet, uploads: Path) -> None:
    data = json.loads(REPORT.to_json())
    evil = "<img src=x onerror=alert(1)>{{ 7 * 7 }}"
    data["name"] = data["first_stage_name"] = data["cross_encoder"]["name"] = evil
    data["environment"]["platform"] = evil
    for query in data["losses"] + data["gains"]:
        query["query"] = evil
        for passage in query["passages"]:
            passage["text"] = evil
    view = opened(opening, sent(uploads, json.dumps(data)))
    assert "<img" not in view.set_report
    assert view.set_report.count("&lt;img src=x onerror=alert(1)&gt;{{ 7 * 7 }}") >= 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe{}", "report.json, line 1: byte 0xff is not UTF-8; save the file as UTF-8."),
        ("{}", "report.json: `schema_version` is missing; add it. Make the report anew."),
        ("<b>no</b>", "report.json: invalid JSON"),
        (b" " * (limits.OWN_FILE_BYTES + 1), "report.json is larger than 5,242,880 bytes, the most"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_sentence_and_deleted(
    opening: OwnSet, uploads: Path, content: str | bytes, sentence: str
) -> None:
    view = opened(opening, sent(uploads, content))
    assert sentence in view.set_report
    assert view.set_file is None
    assert list(uploads.iterdir()) == []


def test_what_is_no_upload_says_what_to_choose(opening: OwnSet, uploads: Path) -> None:
    view = opened(opening, {"path": "/etc/passwd"})
    assert "choose a report.json that evaluate wrote." in view.set_report
