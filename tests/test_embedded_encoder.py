"""The embedded bi-encoder without sentence-transformers: the same vectors, less to import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rerank_core import models
from rerank_core.backend import embedded_encoder
from rerank_core.embedded import PACKAGE_PIN, PACKAGE_SHA256, package_folder
from rerank_core.embedded_encoder import EmbeddedEncoder
from rerank_core.models import EMBEDDED_BI_ENCODER, KNOWN
from rerank_core.scenarios import load_library

ROOT = Path(models.__file__).parents[1]
TEXTS = [
    "", " ", "\n\t", "a", "python pet care", "PYTHON Pet Care", "  spaces  around  ", "a\u0000b", "\ud800 torn",
    "Ünïcödé 漢字 emoji \N{SNAKE}", "word " * 254, "word " * 255, "long " * 600, "[MASK] [SEP] [CLS]", "ﬁne",
]  # fmt: skip


def theirs(texts: list[str]) -> np.ndarray:
    """What sentence-transformers says of them, which cannot read a lone surrogate."""
    from sentence_transformers import SentenceTransformer

    clean = [t.encode("utf-8", "replace").decode() for t in texts]
    return SentenceTransformer(str(package_folder()), device="cpu").encode(
        clean, normalize_embeddings=True
    )


@pytest.fixture(scope="module", params=["torch", "bf16"])
def ours(request: pytest.FixtureRequest) -> EmbeddedEncoder:
    """On torch, and on OpenVINO, which computes the bi-encoder in float32 whatever the setting."""
    if request.param == "bf16":
        pytest.importorskip("openvino", reason="openvino is not installed: torch answers")
    encoder = embedded_encoder(KNOWN[EMBEDDED_BI_ENCODER], setting=request.param)
    assert encoder.card.backend == {"torch": "torch", "bf16": "openvino-f32"}[request.param]
    return encoder


@pytest.mark.real
def test_its_vectors_are_those_of_sentence_transformers(ours: EmbeddedEncoder):
    library = [p.text for p in load_library(ROOT / "scenarios").passages]
    texts = [*TEXTS, *library[::25]]
    reference = theirs(texts)
    for encode in (ours.encode_passages, ours.encode_queries):
        assert np.abs(encode(texts) - reference).max() < 1e-5
    alone = np.concatenate([ours.encode_queries([text]) for text in texts])
    assert np.abs(alone - reference).max() < 1e-5, "padding changes nothing"
    assert (alone.dtype, alone.shape) == (np.float32, (len(texts), 384))
    assert np.abs(np.linalg.norm(alone, axis=1) - 1).max() < 1e-6


@pytest.mark.real
def test_its_card_says_what_it_is(ours: EmbeddedEncoder):
    card = ours.card
    assert card.model_hash == PACKAGE_SHA256["model.safetensors"], "by which vectors are kept"
    assert (card.revision, card.max_tokens) == (PACKAGE_PIN, 256)


@pytest.mark.real
def test_no_texts_give_no_rows(ours: EmbeddedEncoder):
    assert ours.encode_passages([]).shape == (0, 384)


ONLY_WHAT_IS_NEEDED = """
import sys
from rerank_core import TwoStage
engine = TwoStage().load().warm().size_batches()
engine.compare("how are bridges kept from freezing?", ["Brine is sprayed.", "It opened in 1931."], 2, 1)
print(engine.encoder_card.backend == "torch" or engine.scorer_card.backend == "torch")
print([m for m in ("torch", "sentence_transformers", "transformers", "sklearn", "scipy", "pandas") if m in sys.modules])
"""


@pytest.mark.real
@pytest.mark.parametrize("setting", ["torch", "bf16"])
def test_the_embedded_models_need_nothing_else_that_is_heavy(setting: str):
    done = subprocess.run(
        [sys.executable, "-c", ONLY_WHAT_IS_NEEDED],
        cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, "RERANK_BACKEND": setting},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    on_torch, heavy = done.stdout.split("\n")[:2]
    if setting == "bf16" and on_torch == "True":
        pytest.skip("OpenVINO does not run on this machine")
    assert heavy == ("['torch']" if setting == "torch" else "[]")
