"""The embedded bi-encoder on OpenVINO, in float32: the same vectors as on torch, to 1e-5, in less time.

Its graph is the cross-encoder's with a single text in it, so that no gate is met. Not in bfloat16: that would encode
passages twice as fast, and moves cosines by up to .002, which changes the order within the top ten of one query in
seven (benchmarks/RESULTS.md). Left out: word pieces and the card (embedded_encoder.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from safetensors.numpy import load_file

from rerank_core.embedded import EPS, HEADS, LAYERS, PARTS, WIDTH
from rerank_core.openvino_run import request_of
from rerank_core.wired_graph import build
from rerank_core.wired_model import SHUT

Array = NDArray[np.float32]


class OpenVinoEncoder:
    """Word pieces -> unit vectors; not for two threads at once (the scheduler lets one forward pass run at a time)."""

    backend = "openvino-f32"

    def __init__(
        self, given: dict[str, Array], threads: int, precision: ov.Type = ov.Type.f32
    ) -> None:
        state = {"gate": np.zeros((LAYERS, HEADS), np.float32)}
        for end in ("weight", "bias"):
            state[f"norm.{end}"] = given[f"embeddings.LayerNorm.{end}"]
            for layer in range(LAYERS):
                for ours, theirs in PARTS.items():
                    tensor = given[f"encoder.layer.{layer}.{theirs}.{end}"]
                    state[f"layers.{layer}.{ours}.{end}"] = tensor
        self._word = given["embeddings.word_embeddings.weight"]
        kind = given["embeddings.token_type_embeddings.weight"][0]  # every token has type 0
        self._place = given["embeddings.position_embeddings.weight"] + kind
        architecture = {"layers": LAYERS, "width": WIDTH, "norm_eps": EPS}
        graph = build(state, architecture, {})
        self._request = request_of(ov.Core(), graph, precision, threads)

    @classmethod
    def load(cls, path: Path, threads: int) -> OpenVinoEncoder:
        """From the published model.safetensors."""
        return cls(load_file(path), threads)

    def vectors(self, pieces: Sequence[Sequence[int]]) -> Array:
        """Word pieces of n >= 1 texts -> (n, D) float32 of unit length, in one forward pass."""
        size = len(pieces), max(len(ids) for ids in pieces)
        embedded = np.zeros((*size, WIDTH), dtype=np.float32)
        passage, padding = np.zeros(size, np.float32), np.full(size, SHUT, np.float32)
        for i, ids in enumerate(pieces):
            n = len(ids)
            np.add(self._word[np.asarray(ids)], self._place[:n], out=embedded[i, :n])
            padding[i, :n] = 0.0
        hidden = self._request.infer(
            [embedded, passage, padding], share_inputs=True, share_outputs=True
        )[0]
        means = np.stack([hidden[i, : len(ids)].mean(axis=0) for i, ids in enumerate(pieces)])
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
