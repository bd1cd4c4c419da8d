"""The embedded bi-encoder on torch: BERT, and the mean of its last hidden states.

The same vectors as sentence-transformers gives, to 1e-5 (a test holds it). Left out: word pieces and the card
(embedded_encoder.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from rerank_core.embedded import EPS, HEADS, INNER, LAYERS, PARTS, POSITIONS, VOCABULARY, WIDTH


class _Layer(nn.Module):
    """One BERT layer; query, key and value are one product, so that a short text takes fewer calls."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.mixed = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, EPS), nn.LayerNorm(WIDTH, EPS)
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """x (B, L, D), seen (B, 1, 1, L) true where there is a token, or None where all are -> (B, L, D)."""
        b, n, _ = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = self.norm1(x + self.mixed(mixed.transpose(1, 2).reshape(b, n, WIDTH)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class MeanBert(nn.Module):
    """Token ids -> unit vectors."""

    backend = "torch"

    def __init__(self) -> None:
        super().__init__()
        self.word, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPS)
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """ids (B, L), mask (B, L) with 1 where there is a token, or None where all are -> (B, D) float32."""
        x = self.norm(self.word(ids) + self.position.weight[: ids.shape[1]])
        seen = None if mask is None else mask[:, None, None, :].bool()
        for layer in self.layers:
            x = layer(x, seen)
        if mask is None:
            mean = x.mean(dim=1)
        else:
            weights = mask[:, :, None].to(x.dtype)
            mean = (x * weights).sum(dim=1) / weights.sum(dim=1)
        return F.normalize(mean, dim=1)

    @classmethod
    def load(cls, path: Path) -> MeanBert:
        """From the published model.safetensors, renamed; token type 0, which every token has, goes into positions."""
        given, state = load_file(path), {}
        kind = given["embeddings.token_type_embeddings.weight"][0]
        state["word.weight"] = given["embeddings.word_embeddings.weight"]
        state["position.weight"] = given["embeddings.position_embeddings.weight"] + kind
        for end in ("weight", "bias"):
            state[f"norm.{end}"] = given[f"embeddings.LayerNorm.{end}"]
            for i in range(LAYERS):
                theirs, ours = f"encoder.layer.{i}", f"layers.{i}"
                of = {part: given[f"{theirs}.{long}.{end}"] for part, long in PARTS.items()}
                together = [of.pop(part) for part in ("query", "key", "value")]
                state[f"{ours}.qkv.{end}"] = torch.cat(together)
                state |= {f"{ours}.{part}.{end}": tensor for part, tensor in of.items()}
        with torch.device("meta"):  # no random numbers for weights that are replaced at once
            model = cls()
        model.load_state_dict(state, assign=True)
        return model.eval().requires_grad_(False)

    def vectors(self, pieces: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Word pieces of n texts -> (n, 384), in one forward pass."""
        sizes = np.array([len(ids) for ids in pieces])
        rows = np.zeros((len(pieces), sizes.max()), dtype=np.int64)
        for row, ids in zip(rows, pieces, strict=True):
            row[: len(ids)] = ids
        mask = None
        if sizes.min() < sizes.max():
            mask = torch.from_numpy(np.arange(sizes.max()) < sizes[:, None])
        with torch.inference_mode():
            return self(torch.from_numpy(rows), mask).numpy()
