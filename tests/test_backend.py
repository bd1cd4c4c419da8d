"""Which backend computes the embedded models: each path forced, and what is logged where one is absent."""

from __future__ import annotations

import builtins
import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rerank_core import backend
from rerank_core.embedded_scorer import EmbeddedScorer
from rerank_core.errors import InputError, WeightsError
from rerank_core.models import EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER, KNOWN
from rerank_core.records import ModelCard

KNOWN_CROSS, KNOWN_BI = KNOWN[EMBEDDED_CROSS_ENCODER], KNOWN[EMBEDDED_BI_ENCODER]
BF16 = "processor\t: 0\nflags\t\t: fpu sse2 avx512f avx512_bf16\n"


def cpuinfo(folder: Path, text: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "machine", "fast"),
    [
        (BF16, "x86_64", True),
        (BF16, "AMD64", True),
        ("flags\t: fpu amx_bf16\n", "x86_64", True),
        ("flags\t: fpu avx2 avx512_vnni amx_int8\n", "x86_64", False),
        ("Features\t: fp asimd bf16\n", "aarch64", False),
        (BF16, "arm64", False),
        ("", "x86_64", False),
    ],
)
def test_the_processor_is_asked_for_its_features(tmp_path: Path, text, machine, fast):
    assert backend.has_fast_bf16(cpuinfo(tmp_path, text), machine) is fast


def test_x86_by_any_of_its_names():
    assert [backend.is_x86(m) for m in ("x86_64", "AMD64", "aarch64", "arm64")] == [
        True,
        True,
        False,
        False,
    ]


def test_where_features_cannot_be_read_there_are_none(tmp_path: Path):
    assert not backend.has_fast_bf16(tmp_path / "none", "x86_64")


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("", backend.DEFAULT),
        (" INT8 ", "int8"),
        ("torch", "torch"),
        ("auto", "auto"),
        ("bf16", "bf16"),
    ],
)
def test_the_setting(value: str, means: str):
    assert backend.backend_setting({backend.SETTING: value}) == means
    assert backend.backend_setting({}) == backend.DEFAULT


def test_another_word_is_refused():
    with pytest.raises(InputError) as error:
        backend.backend_setting({backend.SETTING: "gpu"})
    assert str(error.value) == "RERANK_BACKEND is one of auto, torch, f32, bf16, int8, not 'gpu'."


class Made:
    """Stands for what computes either model."""

    model_hash, version, calibration = "h", "v", None
    max_query_tokens, max_passage_tokens = 128, 256

    def __init__(self, backend: str) -> None:
        self.backend = backend


LOADS = {
    "bi-encoder": lambda setting: backend.embedded_encoder(KNOWN_BI, setting=setting),
    "cross-encoder": lambda setting: backend.embedded_scorer(KNOWN_CROSS, setting=setting),
}


@pytest.fixture
def paths(monkeypatch):
    """No real model: `made` says which ways were gone, in order; OpenVINO raises `error` where there is one."""
    paths = SimpleNamespace(made=[], error=None)

    def openvino(*files_and_setting):
        paths.made.append(("openvino", *files_and_setting[2:]))
        if paths.error is not None:
            raise paths.error
        return Made("openvino-x")

    def torch(*files):
        paths.made.append(("torch",))
        return Made("torch")

    monkeypatch.setattr(backend, "check_package", lambda folder: None)
    for model in ("vectors", "pairs"):
        monkeypatch.setattr(backend, f"_openvino_{model}", openvino)
        monkeypatch.setattr(backend, f"_torch_{model}", torch)
    return paths


@pytest.mark.parametrize("kind", LOADS)
@pytest.mark.parametrize(
    ("setting", "processor", "comes_to"),
    [
        ("auto", "x86 bf16", "bf16"), ("auto", "x86", "f32"), ("auto", "arm", "torch"),
        *((setting, processor, setting) for setting in ("torch", "f32", "bf16", "int8")
          for processor in ("x86 bf16", "x86", "arm")),
    ],
)  # fmt: skip
def test_each_path(paths, monkeypatch, caplog, kind: str, setting: str, processor: str, comes_to):
    monkeypatch.setattr(backend, "is_x86", lambda: processor != "arm")
    monkeypatch.setattr(backend, "has_fast_bf16", lambda: processor == "x86 bf16")
    made = LOADS[kind](setting)
    if comes_to == "torch":
        assert paths.made == [("torch",)]
    else:
        assert paths.made == [("openvino", comes_to) if kind == "cross-encoder" else ("openvino",)]
    assert made.card.backend == ("torch" if comes_to == "torch" else "openvino-x")
    assert not caplog.records


@pytest.mark.parametrize("kind", LOADS)
@pytest.mark.parametrize(
    "error",
    [
        WeightsError("int8.safetensors is missing."),
        RuntimeError("no kernel\nstack"),
        ImportError("x"),
    ],
)
@pytest.mark.parametrize("setting", ["f32", "bf16", "int8"])
def test_a_backend_that_fails_is_torch_and_one_line(paths, caplog, kind, error, setting: str):
    paths.error = error
    with caplog.at_level(logging.WARNING):
        made = LOADS[kind](setting)
    assert [way[0] for way in paths.made] == ["openvino", "torch"]
    assert made.card.backend == "torch"
    first = str(error).splitlines()[0]
    assert [record.getMessage() for record in caplog.records] == [
        f"OpenVINO is not used for the {kind} ({type(error).__name__}: {first}); torch answers"
    ]


@pytest.mark.parametrize("kind", LOADS)
def test_a_missing_package_is_torch(monkeypatch, caplog, kind: str):
    """The import of openvino itself fails, with everything else real but the models."""
    real = builtins.__import__

    def no_openvino(name, *args, **kwargs):
        if name.split(".")[0] == "openvino":
            raise ModuleNotFoundError("No module named 'openvino'")
        return real(name, *args, **kwargs)

    for name in ("openvino_run", "openvino_encoder", "openvino_scorer", "wired_graph"):
        monkeypatch.delitem(sys.modules, f"rerank_core.{name}", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_openvino)
    monkeypatch.setattr(backend, "check_package", lambda folder: None)
    for model in ("vectors", "pairs"):
        monkeypatch.setattr(backend, f"_torch_{model}", lambda *files: Made("torch"))
    with caplog.at_level(logging.WARNING):
        made = LOADS[kind]("int8")
    assert made.card.backend == "torch"
    assert "No module named 'openvino'" in caplog.text


def test_the_hash_that_scores_are_kept_by():
    card = ModelCard("m", "cross-encoder", "abc")
    assert card.scores_hash == "abc"
    other = ModelCard("m", "cross-encoder", "abc", backend="openvino-int8-1a2b3c4d")
    assert other.scores_hash == "abc+openvino-int8-1a2b3c4d"


@pytest.mark.parametrize(("value", "threads"), [("3", 3), ("", 0), ("many", 0), (None, 0)])
def test_openvino_takes_as_many_threads_as_torch_would(monkeypatch, value, threads: int):
    pytest.importorskip("openvino", reason="openvino is not installed: torch is the only backend")
    from rerank_core import openvino_run

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if value is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert openvino_run.threads() == threads


PASSAGES = [
    "Brine is sprayed on the deck before a frost, since bridges ice over earlier than roads.",
    "The bridge was opened in 1931.",
    "Freezing rain closed three schools. " * 12,
    "",
]


@pytest.fixture(scope="module", params=["f32", "bf16", "int8"])
def both(request: pytest.FixtureRequest) -> tuple[EmbeddedScorer, EmbeddedScorer]:
    pytest.importorskip("openvino", reason="openvino is not installed: torch is the only backend")
    scorers = [backend.embedded_scorer(KNOWN_CROSS, setting=s) for s in ("torch", request.param)]
    if scorers[1].card.backend == "torch":
        pytest.skip("OpenVINO does not run on this machine")
    return scorers[0], scorers[1]


@pytest.mark.real
def test_the_real_backends_say_nearly_the_same(both):
    torch, other = both
    assert (torch.card.model_hash, torch.card.backend) == (other.card.model_hash, "torch")
    assert other.card.backend.startswith(("openvino-bf16", "openvino-f32", "openvino-int8-"))
    most = {"f32": 1e-4, "bf16": 0.06}.get(other.card.backend.removeprefix("openvino-"), 0.6)
    query = "how are bridges kept from freezing?"
    exact, rounded = (s.score(s.prepare(query, PASSAGES)) for s in both)
    assert rounded.dtype == np.float32
    assert np.abs(exact - rounded).max() < most
    assert exact.argmax() == rounded.argmax()
    apart = other.pair(query, other.encode_passages(PASSAGES))
    assert np.array_equal(other.score(apart), rounded)
    assert other.score([]).shape == (0,)


@pytest.mark.real
def test_a_rounded_score_hardly_depends_on_who_shares_the_batch(both):
    _, other = both
    prepared = other.prepare("how are bridges kept from freezing?", PASSAGES)
    together = other.score(prepared)
    alone = np.concatenate([other.score([pair]) for pair in prepared])
    assert np.abs(together - alone).max() < 0.1  # check.ROUNDED_TOLERANCE


@pytest.mark.real
def test_a_cut_wire_is_torchs(both):
    torch, other = both
    prepared = other.prepare("how are bridges kept from freezing?", PASSAGES)
    cut = other.wired.score(prepared, wire=0.0)
    assert np.allclose(cut, torch.wired.score(prepared, wire=0.0), atol=1e-4)
