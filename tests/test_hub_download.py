"""Fetching a public model in a process of its own, from a hub on this machine: progress, stopping, and each fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import COMMIT, FakeHub, fake_hub

from rerank_core import hub, limits
from rerank_core.errors import CancelledError, RerankError
from rerank_core.hub_child import check_files
from rerank_core.hub_download import download
from rerank_core.models import CROSS_ENCODER, Known

MODEL = Known("someone/model", CROSS_ENCODER, "?")
PINNED = Known("someone/model", CROSS_ENCODER, "?", revision="d" * 40)
MIB = 1024 * 1024


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 4 * 2048)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (folder / "modeling.py").write_text("raise SystemExit")
    return folder


@pytest.fixture
def running(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with fake_hub({MODEL.name: repository}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        yield server


@pytest.mark.parametrize("known", [MODEL, PINNED])
def test_the_files_come_with_progress_and_without_pickles_or_code(
    running: FakeHub, known: Known
) -> None:
    seen: list[tuple[int, int]] = []
    assert hub.local_copy(known) is None
    download(known, lambda done, total: seen.append((done, total)))
    folder = hub.local_copy(known)
    assert folder is not None
    assert folder.name == (known.revision or COMMIT)
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names == {"config.json", "1_Pooling/config.json", "model.safetensors"}
    total = 2 * MIB + 4
    assert seen[0] == (0, 0)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_this_process_stays_offline(running: FakeHub) -> None:
    with pytest.raises(RerankError, match=r"could not be fetched .*\(OfflineModeIsEnabled\)"):
        hub.fetch(MODEL)
    assert running.paths == []


def test_whoever_stops_ends_the_download(running: FakeHub, tmp_path: Path) -> None:
    running.gate = threading.Event()
    asked = 0

    def leave(done: int, total: int) -> None:
        nonlocal asked
        asked += 1
        if total and list(tmp_path.rglob("*.incomplete")):
            raise CancelledError("nobody waits")

    with pytest.raises(CancelledError, match="nobody waits"):
        download(MODEL, leave)
    assert asked >= 2
    assert hub.local_copy(MODEL) is None, "half a model is no model"
    assert not list(tmp_path.rglob("*.incomplete")), "and no half file stays"
    running.gate.set()
    download(MODEL, lambda done, total: None)
    assert hub.local_copy(MODEL) is not None


def test_a_download_that_stands_still_is_given_up(running: FakeHub) -> None:
    running.gate = threading.Event()
    with pytest.raises(RerankError) as error:
        download(MODEL, lambda done, total: None, stall_s=1.0)
    assert str(error.value) == (
        "The hub has sent nothing of someone/model for 1 s; try again, or choose the embedded model."
    )


def test_a_model_that_the_hub_does_not_have(running: FakeHub) -> None:
    with pytest.raises(RerankError) as error:
        download(Known("no/model", CROSS_ENCODER, "?"), lambda done, total: None)
    assert str(error.value) == (
        "no/model is not on this machine and could not be fetched from the Hugging Face hub "
        "(RepositoryNotFoundError); check the connection and the name, or choose the embedded model."
    )


def test_no_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(RerankError, match=r"could not be fetched .*\(ConnectError\); check the"):
        download(MODEL, lambda done, total: None)


def test_a_process_that_ends_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/true")
    with pytest.raises(RerankError, match="Fetching someone/model ended early; the server's log"):
        download(MODEL, lambda done, total: None)


@pytest.mark.parametrize(
    ("files", "total", "sentence"),
    [
        ({"config.json"}, 10, "m publishes no safetensors weights, and no others are opened; choose another model."),
        ({"model.safetensors"}, limits.HUB_MODEL_BYTES + MIB,
         "m has 2,049 MiB of files, and at most 2,048 are fetched; choose a smaller model."),
    ],
)  # fmt: skip
def test_files_that_are_not_fetched(files: set[str], total: int, sentence: str) -> None:
    with pytest.raises(RerankError) as error:
        check_files("m", files, total)
    assert str(error.value) == sentence


def test_a_full_disk_is_said_before_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("D", (), {"free": 1000 * MIB})())
    with pytest.raises(RerankError) as error:
        check_files("m", {"model.safetensors"}, 90 * MIB)
    assert str(error.value) == (
        "m has 90 MiB of files and the disk 1,000 MiB left, of which 1,024 stay free; make room, or choose a "
        "smaller model."
    )
