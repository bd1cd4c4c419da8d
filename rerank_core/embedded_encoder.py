"""The embedded bi-encoder, all-MiniLM-L6-v2, as an Encoder.

The same vectors as sentence-transformers gives, to 1e-5 (a test holds it), without importing it: with transformers
and scikit-learn behind it that takes longer than everything else at the start, and 200 MB. Public checkpoints still go
through it (adapters.py), since only it knows what each one needs.

    mean over the tokens of BERT's last hidden states, to unit length

Left out: what computes that (mean_bert.py, openvino_encoder.py), and choosing it (backend.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rerank_core.embedded import PACKAGE_PIN, PACKAGE_SHA256, WIDTH
from rerank_core.models import Known
from rerank_core.records import ModelCard

MAX_TOKENS = 256
"""Of its sentence_bert_config.json, [CLS] and [SEP] included."""


class Vectors(Protocol):
    """What computes."""

    backend: str

    def vectors(self, pieces: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Word pieces of n >= 1 texts -> (n, WIDTH) float32 of unit length, in one forward pass."""


class EmbeddedEncoder:
    """An Encoder of one model, without prompts."""

    def __init__(self, model: Vectors, tokenizer: Tokenizer, card: ModelCard) -> None:
        self.card = card
        self.model, self.tokenizer = model, tokenizer

    @classmethod
    def over(cls, model: Vectors, known: Known, folder: Path) -> EmbeddedEncoder:
        """With the word pieces of the package's folder, which must have been checked."""
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        digest = PACKAGE_SHA256["model.safetensors"]
        card = ModelCard(
            known.name, known.kind, digest, PACKAGE_PIN, MAX_TOKENS, note=known.note,
            backend=model.backend,
        )  # fmt: skip
        return cls(model, tokenizer, card)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n texts -> (n, WIDTH), in one forward pass."""
        if not texts:
            return np.zeros((0, WIDTH), dtype=np.float32)
        # A lone surrogate is a legal Python string and an illegal Unicode text: it becomes "?".
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        return self.model.vectors([pieces.ids for pieces in self.tokenizer.encode_batch(clean)])
