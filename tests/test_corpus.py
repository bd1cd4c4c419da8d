"""A corpus is encoded once, every distinct text once, and equal texts get equal vectors."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import SIZE, FakeEncoder, some_passages

from rerank_core.corpus import Corpus
from rerank_core.errors import InputError
from rerank_core.limits import ENCODE_BATCH


def test_rows_are_in_the_order_of_the_passages_and_of_unit_length(encoder: FakeEncoder):
    passages = some_passages(40)
    corpus = Corpus.encode(passages, encoder)
    assert corpus.passages == tuple(passages)
    assert corpus.vectors.shape == (40, SIZE)
    assert corpus.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(corpus.vectors, axis=1), 1)
    for row, passage in zip(corpus.vectors, passages, strict=True):
        assert np.array_equal(row, FakeEncoder().encode_passages([passage.text])[0])


def test_distinct_texts_are_encoded_once_in_length_sorted_batches(encoder: FakeEncoder):
    texts = [f"text {'word ' * (i % 23)}" for i in range(100)]
    corpus = Corpus.encode(texts, encoder)
    assert encoder.texts == 23
    assert [len(call) for call in encoder.calls] == [ENCODE_BATCH, 23 - ENCODE_BATCH]
    lengths = [len(text) for call in encoder.calls for text in call]
    assert lengths == sorted(lengths)
    assert np.array_equal(corpus.vectors[3], corpus.vectors[26])
    assert corpus.first_row[26] == 3


def test_progress_counts_distinct_texts(encoder: FakeEncoder):
    seen: list[tuple[int, int]] = []
    Corpus.encode([f"text {i}" for i in range(40)], encoder, lambda *p: seen.append(p))
    assert seen == [(16, 40), (32, 40), (40, 40)]


def test_no_passages_ask_no_encoder(encoder: FakeEncoder):
    corpus = Corpus.encode([], encoder)
    assert (len(corpus), encoder.calls) == (0, [])
    assert corpus.model_hash == encoder.card.model_hash


def test_vectors_cannot_be_changed(encoder: FakeEncoder):
    corpus = Corpus.encode(["one", "two"], encoder)
    with pytest.raises(ValueError, match="read-only"):
        corpus.vectors[0] = 0


def test_vectors_of_another_number_are_refused():
    with pytest.raises(InputError, match=r"2 passages need as many rows .* \(3, 4\)"):
        Corpus(tuple(some_passages(2)), np.zeros((3, 4), dtype=np.float32), "h")


def test_the_encoders_error_is_the_callers(encoder: FakeEncoder):
    encoder.error = RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"):
        Corpus.encode(["one"], encoder)
