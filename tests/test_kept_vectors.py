"""The library's vectors on the disk: a second start encodes nothing, and a fault of the disk costs time only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.corpus import Corpus
from rerank_core.kept_vectors import kept_corpus
from rerank_core.pipeline import TwoStage
from ui.cost_measure import Meter
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
GB = 2**30


def texts_of(n: int, first: int = 0) -> list[str]:
    return [f"thing {i} " + "more " * (i * 7 % 11) for i in range(first, first + n)]


def kept(texts: list[str], encoder: FakeEncoder, folder: Path, most: int = GB) -> Corpus:
    return kept_corpus(texts, encoder, folder, most, pytest.fail)


def test_a_second_time_nothing_is_encoded_and_the_vectors_are_the_same(tmp_path: Path):
    texts = [*texts_of(40), "thing 3 twice", "thing 3 twice"]
    plain = Corpus.encode(texts, FakeEncoder())
    first, second = FakeEncoder(), FakeEncoder()
    for encoder in (first, second):
        corpus = kept(texts, encoder, tmp_path)
        assert np.array_equal(corpus.vectors, plain.vectors)
        assert corpus.passages == plain.passages
        assert not corpus.vectors.flags.writeable
        assert (corpus.encode_ms > 0) == (encoder is first)
    assert (first.texts, second.texts) == (41, 0)


def test_only_what_is_new_is_encoded_and_a_change_of_one_text_is_new(tmp_path: Path):
    kept(texts_of(30), FakeEncoder(), tmp_path)
    encoder = FakeEncoder()
    texts = ["thing 3 said otherwise", *texts_of(40)[::-1]]
    corpus = kept(texts, encoder, tmp_path)
    assert sorted(t for call in encoder.calls for t in call) == sorted(
        ["thing 3 said otherwise", *texts_of(10, 30)]
    )
    assert np.array_equal(corpus.vectors, Corpus.encode(texts, FakeEncoder()).vectors)
    assert corpus.encode_ms == 0, "not the cost of the whole"


def test_another_model_has_vectors_of_its_own(tmp_path: Path):
    kept(texts_of(10), FakeEncoder(), tmp_path)
    other = FakeEncoder("another")
    kept(texts_of(10), other, tmp_path)
    assert other.texts == 10


def test_no_passages_are_an_empty_corpus(tmp_path: Path):
    encoder = FakeEncoder()
    assert len(kept([], encoder, tmp_path)) == 0
    assert encoder.calls == []


def test_progress_counts_what_is_encoded_now(tmp_path: Path):
    kept(texts_of(30), FakeEncoder(), tmp_path)
    seen: list[tuple[int, int]] = []
    kept_corpus(texts_of(50), FakeEncoder(), tmp_path, GB, pytest.fail, lambda *at: seen.append(at))
    assert seen == [(16, 20), (20, 20)]


def test_without_room_the_corpus_is_there_and_one_sentence_says_why_it_is_not_kept(tmp_path: Path):
    said: list[str] = []
    corpus = kept_corpus(texts_of(10), FakeEncoder(), tmp_path, 1, said.append)
    assert len(corpus) == 10
    assert said[0].startswith("The vectors are not kept for the next start: The cache would hold ")
    assert len(said) == 1


def test_a_damaged_file_is_deleted_and_its_texts_are_encoded_anew(tmp_path: Path):
    kept(texts_of(10), FakeEncoder(), tmp_path)
    (values,) = tmp_path.glob("vectors/*/*.f32")
    values.write_bytes(b"\x01" + values.read_bytes()[1:])
    said: list[str] = []
    encoder = FakeEncoder()
    corpus = kept_corpus(texts_of(10), encoder, tmp_path, GB, said.append)
    assert np.array_equal(corpus.vectors, Corpus.encode(texts_of(10), FakeEncoder()).vectors)
    assert encoder.texts == 10
    assert "is damaged (row 1 does not have its checksum)" in said[0]
    assert kept(texts_of(10), FakeEncoder(), tmp_path).encode_ms == 0


# The page's service


def started(encoder: FakeEncoder, *, keep: bool) -> Service:
    service = Service(SCENARIOS, TwoStage(encoder, FakeScorer()), keep_vectors=keep)
    service.start()
    service.wait(30)
    return service


def test_the_page_encodes_its_library_once_for_all_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RERANK_CACHE", str(tmp_path))
    first, second = FakeEncoder(), FakeEncoder()
    cold, warm = started(first, keep=True), started(second, keep=True)
    assert first.texts > 500
    assert second.calls == [["warm"]]
    assert cold.index_ms
    assert warm.index_ms is None
    query = "python pet care"
    assert cold.retrieve(query, 10).ranking == warm.retrieve(query, 10).ranking
    assert Meter(warm).get(query).ms_passage, "measured on a batch where the library was kept"
    assert 1 < second.texts < 40


def test_a_page_that_is_not_told_so_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RERANK_CACHE", str(tmp_path))
    started(FakeEncoder(), keep=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").write_text("in the way", "utf-8")
    monkeypatch.setenv("RERANK_CACHE", str(tmp_path / "file"))
    encoder = FakeEncoder()
    service = started(encoder, keep=True)
    assert service.ready
    assert encoder.texts > 500
    assert "the library's vectors are not kept: " in caplog.text
