"""Public checkpoints made to fit the two protocols, over sentence-transformers.

This module imports torch; only models.py imports it, when such a model is asked for. Left out: fetching (hub.py), and
the embedded models (backend.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank_core.errors import RerankError, WeightsError
from rerank_core.hub import fetch, folder_hash
from rerank_core.limits import ENCODE_BATCH
from rerank_core.models import Known
from rerank_core.records import ModelCard


class SentenceEncoder:
    """An Encoder over a SentenceTransformer, with the prompts of its card."""

    def __init__(self, model: Any, card: ModelCard, query_prompt: str, passage_prompt: str) -> None:
        self.card = card
        self._model, self._prompts = model, (query_prompt, passage_prompt)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts, self._prompts[0])

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts, self._prompts[1])

    def _encode(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        vectors = self._model.encode(
            list(texts), prompt=prompt, batch_size=ENCODE_BATCH, normalize_embeddings=True,
            convert_to_numpy=True, show_progress_bar=False,
        )  # fmt: skip
        return np.asarray(vectors, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class TextPair:
    """A pair for a public cross-encoder: `tokens` that are read, `cut` of them that are not."""

    query: str
    passage: str
    tokens: int
    cut: int


class CrossEncoderScorer:
    """A PairScorer over sentence-transformers' CrossEncoder with one label: raw logits, no activation."""

    def __init__(self, model: Any, card: ModelCard) -> None:
        self.card = card
        self._model = model

    def prepare(self, query: str, passages: Sequence[str]) -> list[TextPair]:
        if not passages:
            return []
        encoded = self._model.tokenizer(
            [query] * len(passages), list(passages), truncation=False, verbose=False
        )
        most = self.card.max_tokens or 10**9
        sizes = [len(ids) for ids in encoded["input_ids"]]
        return [
            TextPair(query, passage, min(size, most), max(0, size - most))
            for passage, size in zip(passages, sizes, strict=True)
        ]

    def score(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        logits = self._model.predict(
            [(pair.query, pair.passage) for pair in prepared], batch_size=max(1, len(prepared)),
            activation_fn=torch.nn.Identity(), convert_to_numpy=True, show_progress_bar=False,
        )  # fmt: skip
        return np.asarray(logits, dtype=np.float32)


def public_encoder(known: Known) -> SentenceEncoder:
    """A public bi-encoder from the hub's cache, the hub, or a local folder."""
    folder, revision = fetch(known)
    digest = folder_hash(folder, known.query_prompt, known.passage_prompt)
    return _sentence_encoder(known, folder, digest, revision)


def public_scorer(known: Known) -> CrossEncoderScorer:
    """A public cross-encoder with one label, likewise. RerankError where it has several."""
    from sentence_transformers import CrossEncoder

    folder, revision = fetch(known)
    model = _load(known.name, CrossEncoder, folder, activation_fn=torch.nn.Identity())
    if model.num_labels != 1:
        raise RerankError(
            f"{known.name} gives {model.num_labels} labels a pair, not 1 score; choose a cross-encoder for ranking."
        )
    card = ModelCard(
        known.name, known.kind, folder_hash(folder), revision, model.max_seq_length, note=known.note
    )
    return CrossEncoderScorer(model, card)


def _sentence_encoder(
    known: Known, folder: Path, digest: str, revision: str | None
) -> SentenceEncoder:
    from sentence_transformers import SentenceTransformer

    model = _load(known.name, SentenceTransformer, folder)
    card = ModelCard(
        known.name, known.kind, digest, revision, model.max_seq_length, note=known.note
    )
    stored = model.prompts or {}  # a model off the list may bring its own
    return SentenceEncoder(
        model,
        card,
        known.query_prompt or stored.get("query") or "",
        known.passage_prompt or stored.get("document") or stored.get("passage") or "",
    )


def _load(name: str, kind: Any, folder: Path, **more: Any) -> Any:
    """A sentence-transformers model from a folder: safetensors only, no code of the model's, no network."""
    from transformers.utils import logging

    no_bars: Any = logging.disable_progress_bar  # a bar for each load is noise in a server's log
    no_bars()
    try:
        model = kind(
            str(folder), device="cpu", local_files_only=True, trust_remote_code=False,
            model_kwargs={"use_safetensors": True}, **more,
        )  # fmt: skip
    except Exception as error:  # each library on the way raises its own
        first = (str(error).strip().splitlines() or ["no message"])[0]
        raise WeightsError(
            f"{name} could not be loaded from {folder} ({type(error).__name__}: {first}); remove that "
            "folder so that it is fetched again, or choose the embedded model."
        ) from error
    return model.eval()
