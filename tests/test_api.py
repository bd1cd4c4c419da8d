"""The endpoints as functions: what they answer, each bound, and models by name. No server, fakes for models."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core import limits
from rerank_core.errors import RerankError
from rerank_core.models import Known
from rerank_core.pipeline import TwoStage
from rerank_core.report import Report
from rerank_core.shelf import ModelShelf
from ui.api import Api
from ui.model_service import Models
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
L6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
BGE = "BAAI/bge-small-en-v1.5"
TEXTS = ["a python is a snake", "python is a language", "the weather", "snakes eat mice"]


@pytest.fixture(scope="module")
def scorer() -> FakeScorer:
    return FakeScorer()


@pytest.fixture(scope="module")
def service(scorer: FakeScorer) -> Service:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), scorer))
    service.start()
    service.wait(60)
    return service


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


@pytest.fixture
def api(service: Service) -> Api:
    shelf = ModelShelf(
        load_encoder=lambda name, allow_any: FakeEncoder(name),
        load_scorer=lambda name, allow_any: FakeScorer(name),
    )
    return Api(Models(service, shelf=shelf, fetch=lambda known, progress: progress(0, 9)))


def test_evaluate_says_whether_reranking_helped(api: Api) -> None:
    report = api.evaluate(
        ["python snake", "what do snakes eat"], TEXTS, [[3, 0, 0, None], [0, None, None, 3]], 4, 2
    )
    read = Report.model_validate_json(Report.model_validate(report, strict=False).to_json())
    assert read.counts.evaluated == 2
    assert [row.name for row in read.metrics][:2] == ["nDCG@10", "nDCG@3"]
    assert (read.retrieve_k, read.top_k, read.relevant, read.corpus_size) == (4, 2, 2, 4)
    assert [row.query_id for row in read.queries] == ["q0001", "q0002"]
    assert len(read.sweep) == 4


def test_evaluate_keeps_no_text_of_the_caller(api: Api, service: Service) -> None:
    kept = len(service.engine.cache)
    api.evaluate(["a private question"], ["a private text"], [[3]], 1, 1)
    assert len(service.engine.cache) == kept


def test_models_are_chosen_per_call(api: Api) -> None:
    trace = api.compare("python snake", TEXTS, 4, 2, BGE, L6)
    assert (trace["bi_encoder"]["name"], trace["cross_encoder"]["name"]) == (BGE, L6)
    assert all(row["probability"] is None for row in trace["candidates"])
    library = api.compare("python pet care", None, 10, 3, BGE)
    assert (library["bi_encoder"]["name"], library["cross_encoder"]["name"]) == (BGE, "fake-cross")
    assert library["query_id"] == "python-pet-care-1"
    assert api.compare("python snake", TEXTS, 4, 2)["bi_encoder"]["name"] == "fake-bi"
    assert len(api.rerank("python snake", TEXTS, 2, L6)) == 2
    report = api.evaluate(["python snake"], TEXTS, [[3, 0, 0, 0]], 4, 2, 2, BGE, L6)
    assert report["cross_encoder"]["name"] == L6
    assert report["first_stage_name"] == BGE


GRADES = [[3, 0, 0, 0]]


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("compare", ("q", TEXTS, 4, 2, "someone/else"), "'someone/else' is not on the list of models"),
        ("compare", ("q", TEXTS, 4, 2, L6), f"{L6} is a cross-encoder, not a bi-encoder"),
        ("compare", ("q", TEXTS, 4, 2, None, "/etc"), "'/etc' is not on the list of models"),
        ("compare", ("q", TEXTS, 4, 2, 7), "A bi-encoder is chosen by name, not by '7'."),
        ("rerank", ("q", TEXTS, 2, BGE), f"{BGE} is a bi-encoder, not a cross-encoder"),
        ("rerank", ("q\ud800", TEXTS, 2), "The query holds half of a surrogate pair at character 2"),
        ("rerank", ("q", ["a", "b\ud800"], 2),
         "candidates[1] holds half of a surrogate pair at character 2, which is not valid Unicode; remove it."),
        ("evaluate", ([], TEXTS, [], 4, 2), "queries is empty; give at least one text."),
        ("evaluate", (["q"], [], [[]], 4, 2), "passages is empty; give at least one text."),
        ("evaluate", (["q"] * 21, TEXTS, GRADES, 4, 2), "queries holds 21 texts; at most 20 a call."),
        ("evaluate", (["q" * 501], TEXTS, GRADES, 4, 2), "queries[0] has 501 characters; at most 500 each."),
        ("evaluate", (["q", " "], TEXTS, GRADES * 2, 4, 2), "queries[1]: The query has 0 characters"),
        ("evaluate", (["q"] * 20, ["x"] * 100, GRADES, 100, 2),
         "20 queries at N = 100 are 2,000 pairs; at most 1,000 a call, so lower retrieve_k or send fewer queries."),
        ("evaluate", (["q"], TEXTS, [], 4, 2), "grades is a list of 1 lists, one a query, not '0'."),
        ("evaluate", (["q"], TEXTS, "x", 4, 2), "grades is a list of 1 lists, one a query, not 'x'."),
        ("evaluate", (["q"], TEXTS, [[3]], 4, 2), "grades[0] is a list of 4 grades, one a passage, not '1'."),
        ("evaluate", (["q"], TEXTS, [[3, 0, True, 0]], 4, 2),
         "grades[0][2] is a whole number from 0 to 10, not 'True'."),
        ("evaluate", (["q"], TEXTS, [[3, 11, 0, 0]], 4, 2), "grades[0][1] is a whole number from 0 to 10, not '11'."),
        ("evaluate", (["q"], TEXTS, [[0, 1, None, 0]], 4, 2),
         "None of 1 judged queries has a passage of grade 2 or more"),
        ("evaluate", (["q"], TEXTS, GRADES, 0, 2), "retrieve_k is a whole number from 1 to 100, not '0'."),
        ("evaluate", (["q"], TEXTS, GRADES, 4, 5), "top_k is a whole number from 1 to 4, not '5'."),
        ("evaluate", (["q"], TEXTS, GRADES, 4, 2, 0), "relevant is a whole number from 1 to 10, not '0'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(
    api: Api, name: str, args: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(gr.Error) as error:
        getattr(api, name)(*args)
    assert sentence in error.value.message
    assert "\n" not in error.value.message


def test_a_model_that_cannot_be_had_is_one_sentence(service: Service) -> None:
    def no_hub(known: Known, progress: Any) -> None:
        raise RerankError(f"{known.name} is not here; choose the embedded model.")

    api = Api(Models(service, fetch=no_hub))
    with pytest.raises(gr.Error) as error:
        api.rerank("q", TEXTS, 2, L6)
    assert error.value.message == f"{L6} is not here; choose the embedded model."


def test_a_model_that_takes_too_long_is_said(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "API_MODEL_WAIT_S", 0.3)

    def slow(known: Known, progress: Any) -> None:
        while True:
            progress(3 * 1024 * 1024, 90 * 1024 * 1024)
            threading.Event().wait(0.05)

    api = Api(Models(service, fetch=slow))
    with pytest.raises(gr.Error) as error:
        api.rerank("q", TEXTS, 2, L6)
    assert error.value.message == (
        f"Fetching {L6} (3 %) … That takes longer than the 0 s that a call waits; choose it on the page once, then "
        "call again."
    )


def test_an_unexpected_fault_gives_nothing_away(
    api: Api, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "error", ValueError("secret detail"))
    with pytest.raises(gr.Error) as error:
        api.rerank("q", TEXTS, 2)
    assert error.value.message == "Something went wrong on our side; the server's log says what."
