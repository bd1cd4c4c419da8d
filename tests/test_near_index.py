"""The index of large corpora: what it proposes is scored exactly, and it is used only where it finds enough."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEncoder, FakeScorer
from judged_sets import some_judged, write_beir

from rerank_core import corpus as corpora
from rerank_core import near_index as near
from rerank_core.__main__ import main
from rerank_core.corpus import Corpus
from rerank_core.corpus_file import CorpusFile
from rerank_core.limits import EXACT_MAX, RECALL_LEAST
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.report_file import read_report
from rerank_core.retrieve import search
from rerank_core.stored_corpus import stored_corpus

GB = 2**30


def clustered(n: int, dims: int = 32, seed: int = 0) -> np.ndarray:
    """(n, dims) unit rows around 40 centres."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(40, dims))[rng.integers(0, 40, n)] + rng.normal(size=(n, dims))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def some_corpus(n: int = 3000, copies: int = 200) -> Corpus:
    """`n` texts, of which the first `copies` stand there twice."""
    vectors = clustered(n)
    passages = [Passage(f"d{i:05d}", f"text {i}") for i in range(n)]
    passages += [Passage(f"e{i:05d}", f"text {i}") for i in range(copies)]
    return Corpus(tuple(passages), np.concatenate((vectors, vectors[:copies])), "h")


def indexed(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    few(monkeypatch)
    made = corpus.indexed()
    assert made.near is not None
    return made


def few(monkeypatch: pytest.MonkeyPatch, exact_max: int = 20) -> None:
    """An index from `exact_max` texts on."""
    plain = near.near_index

    def with_few(vectors: Any, text_of: Any, progress: Any = None) -> Any:
        return plain(vectors, text_of, progress, exact_max=exact_max)

    monkeypatch.setattr(corpora, "near_index", with_few)


def test_the_index_finds_nearly_all_and_its_scores_are_the_exact_ones(
    monkeypatch: pytest.MonkeyPatch,
):
    exact = some_corpus()
    approximate = indexed(exact, monkeypatch)
    shares = []
    for query in clustered(50, seed=1):
        one, other = search(query, exact, 100), search(query, approximate, 100)
        known = {row.doc_id: row.score for row in search(query, exact, len(exact))}
        assert len(other) == 100
        assert [row.score for row in other] == pytest.approx(
            [known[d] for d in other.doc_ids], abs=1e-6
        )
        shares.append(len(set(one.doc_ids) & set(other.doc_ids)) / 100)
    assert np.mean(shares) >= RECALL_LEAST


def test_equal_texts_tie_exactly_and_come_together(monkeypatch: pytest.MonkeyPatch):
    corpus = indexed(some_corpus(), monkeypatch)
    assert corpus.near is not None
    assert len(corpus.near.first) == 3000
    found = search(np.asarray(corpus.vectors)[7], corpus, 5)
    assert found.doc_ids[:2] == ("d00007", "e00007")
    assert found[0].score == found[1].score


def test_depth_beyond_the_corpus_is_all_of_it(monkeypatch: pytest.MonkeyPatch):
    corpus = indexed(some_corpus(60, 10), monkeypatch)
    found = search(clustered(1)[0], corpus, 1000)
    assert sorted(found.doc_ids) == sorted(p.doc_id for p in corpus.passages)


def test_up_to_the_bound_search_stays_exact():
    corpus = some_corpus(500)
    assert EXACT_MAX == 100_000
    assert corpus.indexed().near is None
    assert near.near_index(corpus.vectors, corpus.text_of, exact_max=499) is not None
    assert (
        near.near_index(corpus.vectors, corpus.text_of, exact_max=500) is None
    )  # distinct texts count


def test_progress_counts_distinct_texts_up_to_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(near, "INDEX_ROWS", 128)
    corpus, seen = some_corpus(300), []
    near.near_index(
        corpus.vectors, corpus.text_of, lambda done, total: seen.append((done, total)), exact_max=20
    )
    assert seen == [(128, 300), (256, 300), (300, 300)]


def test_the_sample_is_held_against_an_exact_search(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(near, "INDEX_ROWS", 64)
    vectors, queries = clustered(500), clustered(9, seed=2)
    best = near.exact_best(vectors, np.arange(500), queries, 10)
    for query, found in zip(queries, best, strict=True):
        assert set(found.tolist()) == set(np.argsort(-(vectors @ query))[:10].tolist())


def finds_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near.Lists, "proposed", lambda lists, vector, depth: np.arange(depth))


def has_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def lacking(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "faiss":
            raise ImportError("No module named 'faiss'")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", lacking)


def is_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (finds_little, "3000 texts are searched exactly: an index finds 0."),
        (has_no_library, "3000 texts are searched exactly: faiss is not used (No module"),
        (is_on_macos, "it crashes beside torch on macOS"),
    ],
)
def test_search_stays_exact_and_the_log_says_why(
    why: Callable[[pytest.MonkeyPatch], None], said: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    why(monkeypatch)
    few(monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert some_corpus().indexed().near is None
    assert said in caplog.text


@pytest.mark.parametrize("depth", [5, 100, 900, 2999])
def test_any_depth_is_filled(depth: int, monkeypatch: pytest.MonkeyPatch):
    corpus = indexed(some_corpus(copies=0), monkeypatch)
    for query in clustered(5, seed=3):
        assert len(search(query, corpus, depth)) == depth


def test_an_engine_indexes_a_corpus_but_not_a_list_that_comes_with_a_query(
    monkeypatch: pytest.MonkeyPatch,
):
    few(monkeypatch)
    texts = [f"thing {i}" for i in range(40)]
    engine = TwoStage(FakeEncoder(), FakeScorer())
    assert engine.corpus(texts).near is not None
    engine.retrieve("thing 3", texts, 5)
    assert engine._corpora[0].near is None


def test_rows_on_the_disk_are_read_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    few(monkeypatch)
    data = some_judged(passages=75)
    file = CorpusFile(write_beir(tmp_path / "set", data) / "corpus.jsonl")
    half = dict(
        list(data.passages.items())[:30]
    )  # encoded first, so that two files hold the vectors
    first = CorpusFile(write_beir(tmp_path / "half", data._replace(passages=half)) / "corpus.jsonl")
    encoder = FakeEncoder()
    stored_corpus(first, encoder, tmp_path / "cache", GB, pytest.fail)
    corpus, _ = stored_corpus(file, encoder, tmp_path / "cache", GB, pytest.fail)
    rows = np.array([74, 0, 31, 31, 5])
    texts = [corpus.passages[int(row)].text for row in rows]
    assert np.array_equal(corpus.vectors[rows], encoder.encode_passages(texts))
    with_index = corpus.indexed()
    assert with_index.near is not None
    for query in clustered(5, dims=corpus.vectors.shape[1]):
        assert search(query, with_index, 75).doc_ids == search(query, corpus, 75).doc_ids


def test_evaluate_says_how_it_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    few(monkeypatch)
    folder, out = write_beir(tmp_path / "set", some_judged(passages=75)), tmp_path / "r.json"
    engine = TwoStage(FakeEncoder(), FakeScorer())
    args = [
        "evaluate",
        str(folder),
        "--retrieve-k",
        "20",
        "--json",
        str(out),
        "--cache",
        str(tmp_path / "c"),
    ]
    assert main(args, engine=engine) == 0
    said = capsys.readouterr()
    index = read_report(out).index
    assert index is not None
    assert index.search.endswith(f"inverted lists (faiss {metadata.version('faiss-cpu')})")
    assert index.recall is not None
    assert index.recall >= RECALL_LEAST
    assert "inverted lists (faiss" in said.out
    assert "Building the index" in said.err
