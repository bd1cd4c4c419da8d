"""Models that visitors choose: prepared once for all who ask, bounded, and never anybody else's business."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fake_hub import FakeHub, fake_hub
from fakes import FakeEncoder, FakeScorer
from tiny_models import tiny_bi_encoder, tiny_cross_encoder

from rerank_core import limits
from rerank_core.errors import BusyError, InputError, RerankError
from rerank_core.models import EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER, Known
from rerank_core.pipeline import TwoStage
from rerank_core.shelf import ModelShelf
from ui.model_choice import Choice
from ui.model_jobs import Done, Jobs, Step
from ui.model_service import Models, Ready
from ui.model_settings import ModelSettings
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
L6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
L12 = "cross-encoder/ms-marco-MiniLM-L12-v2"
BGE = "BAAI/bge-small-en-v1.5"
E5 = "intfloat/e5-small-v2"


@pytest.fixture
def service(engine: TwoStage) -> Service:
    service = Service(SCENARIOS, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


class Loads:
    """A shelf of fakes; `loaded` holds the names in the order of their loads."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.encoders: dict[str, FakeEncoder] = {}
        self.shelf = ModelShelf(load_encoder=self._encoder, load_scorer=self._scorer)

    def _encoder(self, name: str, allow_any: bool) -> FakeEncoder:
        self.loaded.append(name)
        self.encoders[name] = FakeEncoder(name)
        return self.encoders[name]

    def _scorer(self, name: str, allow_any: bool) -> FakeScorer:
        self.loaded.append(name)
        return FakeScorer(name)


def fetched(known: Known, progress: Callable[[int, int], None]) -> None:
    progress(3 * 1024 * 1024, 90 * 1024 * 1024)


def steps_and_ready(items: Iterator[Any]) -> tuple[list[Step], Ready]:
    *steps, ready = items
    assert isinstance(ready, Ready)
    return steps, ready


def test_the_embedded_pair_comes_at_once_and_loads_nothing(service: Service) -> None:
    loads = Loads()
    steps, ready = steps_and_ready(Models(service, shelf=loads.shelf).prepare(Choice()))
    assert steps == []
    assert ready.engine is service.engine
    assert ready.corpus is service.corpus
    assert loads.loaded == []


def test_another_cross_encoder_shares_the_library_and_the_bi_encoder(
    service: Service, encoder: FakeEncoder
) -> None:
    loads, encoded = Loads(), encoder.texts
    models = Models(service, shelf=loads.shelf, fetch=fetched)
    _, ready = steps_and_ready(models.prepare(Choice(cross_encoder=L6)))
    result = ready.engine.compare("python pet care", ready.corpus, 20, 3)
    assert result.reranked.model.name == L6
    assert result.retrieved.model.name == "fake-bi"
    assert ready.engine.scheduler is service.engine.scheduler
    assert ready.engine.cache is service.engine.cache
    assert encoder.texts == encoded + 1, "the query, and no passage"
    assert loads.loaded == [L6]
    assert not any(t.cold for t in result.timings), "warmed, so that nobody pays for the first pass"
    assert result.confident is None, "not calibrated: no probability, no mark"


def test_another_bi_encoder_encodes_the_library_once_with_progress(service: Service) -> None:
    loads = Loads()
    models = Models(service, shelf=loads.shelf, fetch=fetched)
    steps, ready = steps_and_ready(models.prepare(Choice(BGE)))
    assert loads.encoders[BGE].texts == len({p.text for p in service.library.passages})
    assert steps[-1].sentence == f"Encoding the library with {BGE}"
    assert 0 < steps[-1].done <= steps[-1].total
    _, again = steps_and_ready(models.prepare(Choice(BGE, L6)))
    assert again.corpus is ready.corpus
    assert ready.corpus.model_hash == f"hash-of-{BGE}"
    assert service.corpus.model_hash == "hash-of-fake-bi", "the library of everybody else"


def test_kept_libraries_are_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEPT_LIBRARIES", 1)
    models = Models(service, shelf=Loads().shelf, fetch=fetched)
    first = steps_and_ready(models.prepare(Choice(BGE)))[1].corpus
    steps_and_ready(models.prepare(Choice(E5)))
    again = steps_and_ready(models.prepare(Choice(BGE)))[1].corpus
    assert again is not first
    assert len(models._libraries) == 1


def test_at_most_two_of_a_kind_in_memory(service: Service) -> None:
    loads = Loads()
    models = Models(service, shelf=loads.shelf, fetch=fetched)
    for name in (L6, L12, "cross-encoder/ms-marco-TinyBERT-L2-v2"):
        list(models.prepare(Choice(cross_encoder=name)))
    gc.collect()
    assert len(loads.shelf.names()) == 2


def test_one_choice_never_changes_anothers(service: Service) -> None:
    models = Models(service, shelf=Loads().shelf, fetch=fetched)

    def names(choice: Choice) -> tuple[str, str]:
        _, ready = steps_and_ready(models.prepare(choice))
        result = ready.engine.compare("python pet care", ready.corpus, 10, 3)
        return result.retrieved.model.name, result.reranked.model.name

    asked = [Choice(), Choice(BGE), Choice(cross_encoder=L6), Choice(E5, L12)] * 3
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(names, asked))
    embedded = {EMBEDDED_BI_ENCODER: "fake-bi", EMBEDDED_CROSS_ENCODER: "fake-cross"}
    assert found == [tuple(embedded.get(n, n) for n in choice.pair.names) for choice in asked]


def test_a_model_that_is_not_here_is_fetched_with_progress(service: Service) -> None:
    models = Models(service, shelf=Loads().shelf, fetch=slow_fetch(threading.Event()))
    assert not models.at_hand(Choice(cross_encoder=L6))
    steps, _ = steps_and_ready(models.prepare(Choice(cross_encoder=L6)))
    assert Step(f"Fetching {L6}", 3, 90) in steps
    assert models.at_hand(Choice(cross_encoder=L6))


def slow_fetch(left: threading.Event) -> Callable[[Known, Callable[[int, int], None]], None]:
    """A download that lasts two heartbeats, and sets `left` where it was stopped."""

    def fetch(known: Known, progress: Callable[[int, int], None]) -> None:
        try:
            for _ in range(20):
                progress(3 * 1024 * 1024, 90 * 1024 * 1024)
                threading.Event().wait(0.05)
        except RerankError:
            left.set()
            raise

    return fetch


def test_a_download_ends_when_nobody_waits_for_it(service: Service) -> None:
    left = threading.Event()
    models = Models(service, shelf=Loads().shelf, fetch=slow_fetch(left))
    asked = models.prepare(Choice(cross_encoder=L6))
    next(asked)
    asked.close()  # type: ignore[attr-defined]
    assert left.wait(5)
    steps_and_ready(models.prepare(Choice(cross_encoder=L6)))  # and whoever asks then gets it


def test_operators_who_stay_offline_are_respected_and_it_is_said(service: Service) -> None:
    models = Models(service, ModelSettings(hub=False), shelf=Loads().shelf, fetch=fetched)
    with pytest.raises(RerankError) as error:
        list(models.prepare(Choice(cross_encoder=L6)))
    assert str(error.value) == (
        f"{L6} is not on this machine, and whoever runs this page keeps it off the network (HF_HUB_OFFLINE); "
        "choose another model."
    )
    assert steps_and_ready(models.prepare(Choice()))[1].engine is service.engine


def test_names_off_the_list_only_where_permitted(service: Service) -> None:
    with pytest.raises(InputError, match="'someone/else' is not on the list"):
        list(Models(service, fetch=fetched).prepare(Choice(cross_encoder="someone/else")))


# Jobs


def test_a_job_is_done_once_for_all_who_ask() -> None:
    jobs, gate, runs = Jobs(), threading.Event(), []

    def work(on_step: Any) -> int:
        runs.append(1)
        assert gate.wait(10)
        return 7

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(lambda: list(jobs.run("k", Step("go"), work))[-1]) for _ in range(5)]
        while len(runs) < 1:
            threading.Event().wait(0.01)
        threading.Event().wait(0.1)
        gate.set()
        assert [f.result(10) for f in asked] == [Done(7)] * 5
    assert runs == [1]


def test_too_many_jobs_are_refused_in_one_sentence() -> None:
    jobs, gate = Jobs(most=1), threading.Event()
    first = jobs.run("a", Step("go"), lambda on_step: gate.wait(10))
    next(first)
    with pytest.raises(BusyError, match="1 other models are being prepared; try again in a minute"):
        next(jobs.run("b", Step("go"), lambda on_step: 1))
    gate.set()
    assert list(first)[-1] == Done(True)
    assert list(jobs.run("b", Step("go"), lambda on_step: 1)) == [Done(1)]


def test_what_a_job_raised_reaches_all_and_is_forgotten() -> None:
    jobs = Jobs()

    def work(on_step: Any) -> None:
        raise RerankError("no")

    for _ in range(2):
        with pytest.raises(RerankError, match="no"):
            list(jobs.run("k", Step("go"), work))


# Real models, tiny, from a hub on this machine


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    at = tmp_path_factory.mktemp
    return {
        BGE: tiny_bi_encoder(at("bi")), L6: tiny_cross_encoder(at("cross"), 1),
        L12: tiny_cross_encoder(at("other"), 2),
    }  # fmt: skip


@pytest.fixture
def hub(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with fake_hub(tiny) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def test_public_models_from_the_hub_to_a_comparison(hub: FakeHub, service: Service) -> None:
    models = Models(service)
    choice = Choice(BGE, L6, L12)
    steps, ready = steps_and_ready(models.prepare(choice.pair))
    assert any(s.sentence == f"Fetching {BGE}" for s in steps)
    result = ready.engine.compare("python pet care", ready.corpus, 10, 3)
    assert result.retrieved.model.revision == "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a"
    assert result.reranked.model.revision == "c5ee24cb16019beea0893ab7796b1df96625c6b8"
    assert ready.load_ms
    assert ready.index_ms
    assert result.probability(result.after[0].doc_id) is None
    _, second = steps_and_ready(models.prepare(Choice(BGE, L12)))
    other = second.engine.compare("python pet care", second.corpus, 10, 3)
    assert other.before == result.before
    assert [r.score for r in other.after] != [r.score for r in result.after]
    asked = len(hub.paths)
    list(Models(service).prepare(choice.pair))
    assert models.at_hand(choice)
    assert len(hub.paths) == asked, "what is here is not asked for again"


def test_a_folder_of_this_machine_where_permitted(tiny: dict[str, Path], service: Service) -> None:
    models = Models(service, ModelSettings(any_name=True, hub=False))
    choice = Choice(str(tiny[BGE]), str(tiny[L6]))
    assert models.at_hand(choice)
    _, ready = steps_and_ready(models.prepare(choice))
    assert len(ready.engine.compare("python pet care", ready.corpus, 10, 3).after) == 10


def test_a_classifier_is_no_cross_encoder(tmp_path: Path, service: Service) -> None:
    folder = tiny_cross_encoder(tmp_path / "three", labels=3)
    models = Models(service, ModelSettings(any_name=True))
    with pytest.raises(RerankError, match="gives 3 labels a pair, not 1 score"):
        list(models.prepare(Choice(cross_encoder=str(folder))))


def test_without_a_network_it_is_one_sentence_and_all_else_goes_on(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    models = Models(service)
    with pytest.raises(RerankError) as error:
        list(models.prepare(Choice(cross_encoder=L6)))
    assert str(error.value) == (
        f"{L6} is not on this machine and could not be fetched from the Hugging Face hub (ConnectError); check the "
        "connection and the name, or choose the embedded model."
    )
    _, ready = steps_and_ready(models.prepare(Choice()))
    assert len(ready.engine.compare("python pet care", ready.corpus, 10, 3).after) == 10
