"""The embedded bi-encoder without sentence-transformers: the same vectors, less to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rerank_core import adapters, models
from rerank_core.models import EMBEDDED_BI_ENCODER, KNOWN, load_encoder
from rerank_core.scenarios import load_library

ROOT = Path(models.__file__).parents[1]
TEXTS = [
    "", " ", "\n\t", "a", "python pet care", "PYTHON Pet Care", "  spaces  around  ", "a\u0000b", "\ud800 torn",
    "Ünïcödé 漢字 emoji \N{SNAKE}", "word " * 254, "word " * 255, "long " * 600, "[MASK] [SEP] [CLS]", "ﬁne",
]  # fmt: skip


def theirs(texts: list[str]) -> np.ndarray:
    """What sentence-transformers says of them, which cannot read a lone surrogate."""
    known = KNOWN[EMBEDDED_BI_ENCODER]
    encoder = adapters.embedded_encoder(known)
    return encoder.encode_passages([t.encode("utf-8", "replace").decode() for t in texts])


@pytest.mark.real
def test_its_vectors_are_those_of_sentence_transformers():
    library = [p.text for p in load_library(ROOT / "scenarios").passages]
    texts = [*TEXTS, *library[::25]]
    ours = load_encoder()
    reference = theirs(texts)
    for encode in (ours.encode_passages, ours.encode_queries):
        assert np.abs(encode(texts) - reference).max() < 1e-5
    alone = np.concatenate([ours.encode_queries([text]) for text in texts])
    assert np.abs(alone - reference).max() < 1e-5, "padding changes nothing"
    assert (alone.dtype, alone.shape) == (np.float32, (len(texts), 384))
    assert np.abs(np.linalg.norm(alone, axis=1) - 1).max() < 1e-6


@pytest.mark.real
def test_its_card_is_the_one_that_it_has_over_sentence_transformers():
    known = KNOWN[EMBEDDED_BI_ENCODER]
    assert load_encoder().card == adapters.embedded_encoder(known).card


@pytest.mark.real
def test_no_texts_give_no_rows():
    assert load_encoder().encode_passages([]).shape == (0, 384)


ONLY_WHAT_IS_NEEDED = """
import sys
from rerank_core import TwoStage
engine = TwoStage().load().warm()
print([m for m in ("sentence_transformers", "transformers", "sklearn", "scipy", "pandas") if m in sys.modules])
"""


@pytest.mark.real
def test_the_embedded_models_need_neither_sentence_transformers_nor_what_stands_behind_it():
    done = subprocess.run(
        [sys.executable, "-c", ONLY_WHAT_IS_NEEDED],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr[-2000:]
