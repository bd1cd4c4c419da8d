"""The embedded cross-encoder as a PairScorer: its card, and keeping its passages' tokens apart from a query's.

Left out: what computes (wire.py, openvino_scorer.py), and choosing that (backend.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rerank_core.records import ModelCard


class EmbeddedScorer:
    """The PairScorer of rerank_core/weights, from what computes it: a wire.WiredScorer or an OpenVinoScorer."""

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
            backend=wired.backend,
        )  # fmt: skip

    def prepare(self, query: str, passages: Sequence[str]) -> Sequence[Any]:
        return list(self.wired.prepare(query, passages)) if passages else []

    def encode_passages(self, texts: Sequence[str]) -> Sequence[Any]:
        return self.wired.tokenizer.encode_passages(texts, compact=True) if texts else []

    def pair(self, query: str, passages: Sequence[Any]) -> Sequence[Any]:
        return self.wired.tokenizer.pair(query, passages)

    def score(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        return np.asarray(self.wired.score(prepared), dtype=np.float32)
