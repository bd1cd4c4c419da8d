"""The embedded cross-encoder: a bi-encoder whose wire between the two texts is open.

Both texts stand in one sequence, ``[CLS] query [SEP] [CLS] passage [SEP]``, positions restarting with
the passage. In layer l, head h, ``gate[l, h]`` is added to the attention logits wherever the query
token and the key token belong to different texts. Gate 0 is full attention; gate -10,000 is exactly
the bi-encoder, since no token then sees the other text. ``wire`` (1 open, 0 cut) moves the gate at
run time: it multiplies what flows between the texts before the softmax normalises it.

    score(q, d) = a u.v + 19.6 w.(u*v) + w2.|u-v| + b + mlp(u, v, u*v, |u-v|, cls_q, cls_d)

u, v: means of the last hidden states over the query's and the passage's block, each to unit length.
Left out: batching, caching, progress (the core's business), and training (see ``training/``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rerank_core.errors import WeightsError
from rerank_core.pair_tokens import PairTokenizer, PreparedPair
from rerank_core.wired_model import PRODUCT_SCALE, RESTORE, SHUT, PairReader, read_weights

DEFAULT_ARCHITECTURE = {
    "layers": 6, "heads": 12, "width": 384, "inner": 1536, "positions": 512, "vocabulary": 30522,
    "head_hidden": 192, "norm_eps": 1e-12,
}  # fmt: skip


def collate(pairs: Sequence[PreparedPair]) -> dict[str, Tensor]:
    """Pairs -> four (B, L) int64 tensors, the arguments of ``WiredEncoder.forward``."""
    length = max(pair.tokens for pair in pairs)
    rows = np.zeros((4, len(pairs), length), dtype=np.int64)
    for i, pair in enumerate(pairs):
        nq, n = len(pair.query.ids), pair.tokens
        rows[0, i, :nq], rows[0, i, nq:n] = pair.query.ids, pair.passage.ids
        rows[1, i, :nq] = np.arange(nq)
        rows[1, i, nq:n] = np.arange(n - nq)
        rows[2, i, nq:] = 1
        rows[3, i, :n] = 1
    names = ("input_ids", "position_ids", "segment", "attention_mask")
    return {name: torch.from_numpy(row) for name, row in zip(names, rows, strict=True)}


class Layer(nn.Module):
    """One BERT layer (norms after the sums), with a bias on the attention logits from outside."""

    def __init__(self, width: int, heads: int, inner: int, eps: float):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.mixed = nn.Linear(width, width), nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm2 = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x (B, L, D), bias (B, H or 1, L, L) -> (B, L, D)."""
        b, n, d = x.shape
        q, k, v = (
            project(x).view(b, n, self.heads, d // self.heads).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        # Written out: on CPU the fused kernel's backward pass takes twice as long in bf16.
        logits = (q * (d // self.heads) ** -0.5) @ k.transpose(2, 3) + bias
        seen = logits.softmax(dim=3).to(v.dtype) @ v
        x = self.norm1(x + self.mixed(seen.transpose(1, 2).reshape(b, n, d)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class WiredEncoder(nn.Module):
    """The whole model; plain tensor operations only, so that it can be exported."""

    def __init__(self, architecture: dict[str, Any]):
        super().__init__()
        size = {**DEFAULT_ARCHITECTURE, **architecture}
        d, eps, hidden = int(size["width"]), float(size["norm_eps"]), int(size["head_hidden"])
        self.word = nn.Embedding(int(size["vocabulary"]), d)
        self.position = nn.Embedding(int(size["positions"]), d)
        self.side = nn.Embedding(2, d)  # token type 0 of the base, once for each side
        self.norm = nn.LayerNorm(d, eps=eps)
        self.layers = nn.ModuleList(
            Layer(d, int(size["heads"]), int(size["inner"]), eps)
            for _ in range(int(size["layers"]))
        )
        self.gate = nn.Parameter(torch.zeros(int(size["layers"]), int(size["heads"])))
        self.a, self.b = nn.Parameter(torch.tensor(16.0)), nn.Parameter(torch.tensor(-8.0))
        self.w, self.w2 = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))
        self.head_in, self.head_out = nn.Linear(6 * d, hidden), nn.Linear(hidden, 1, bias=False)
        nn.init.zeros_(self.head_out.weight)  # at the start the logit is 16 cosine - 8

    def read(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        segment: Tensor,
        attention_mask: Tensor,
        gate_shift: float | Tensor = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """(B, L) tensors -> block means (B, 2, D) and [CLS] states (B, 2, D); query's is row 0."""
        x = self.word(input_ids) + self.position(position_ids) + self.side(segment)
        x = self.norm(x)
        padding = (1.0 - attention_mask.to(x.dtype))[:, None, None, :] * SHUT  # (B, 1, 1, L)
        crossing = (segment[:, None, :, None] != segment[:, None, None, :]).to(x.dtype)
        for layer, gate in zip(self.layers, self.gate, strict=True):
            x = layer(x, padding + crossing * (gate + gate_shift)[None, :, None, None])
        x = x.float()
        side = torch.stack((1 - segment, segment), dim=1)  # (B, 2, L)
        block = (side * attention_mask[:, None, :]).to(x.dtype)
        first = block * (position_ids == 0).to(x.dtype)[:, None, :]
        return block @ x / block.sum(dim=2, keepdim=True), first @ x

    def embed(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        segment: Tensor,
        attention_mask: Tensor,
        gate_shift: float | Tensor = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """u (B, D) and v (B, D), unit length: with the wire cut, the bi-encoder's embeddings."""
        means, _ = self.read(input_ids, position_ids, segment, attention_mask, gate_shift)
        unit = F.normalize(means, dim=2)
        return unit[:, 0], unit[:, 1]

    def forward(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        segment: Tensor,
        attention_mask: Tensor,
        gate_shift: float | Tensor = 0.0,
    ) -> Tensor:
        """Four (B, L) int64 tensors (segment: 0 query, 1 passage; mask: 1 token, 0 pad) -> (B,)."""
        means, cls = self.read(input_ids, position_ids, segment, attention_mask, gate_shift)
        unit = F.normalize(means, dim=2)
        u, v = unit[:, 0], unit[:, 1]
        product, distance = u * v, (u - v).abs()
        linear = self.a * product.sum(dim=1) + PRODUCT_SCALE * product @ self.w + distance @ self.w2
        # Unit vectors' entries are about 1/19.6 and a norm's about 1/2: one scale for the mlp.
        wide = torch.cat((u, v, product * PRODUCT_SCALE, distance), dim=1) * PRODUCT_SCALE
        state = torch.cat((wide, cls.flatten(1) * 2.0), dim=1)
        return linear + self.b + self.head_out(torch.tanh(self.head_in(state))).squeeze(1)


def shift_for(wire: float) -> float:
    """wire in [0, 1] -> what is added to every gate: log(wire), or shut.

    >>> shift_for(1.0), shift_for(0.0), round(shift_for(0.5), 3)
    (0.0, -10000.0, -0.693)
    """
    return max(math.log(wire), SHUT) if wire > 0 else SHUT


def load_wired(folder: Path | str, base_folder: Path | str) -> tuple[WiredEncoder, dict[str, Any]]:
    """The model of ``read_weights``, in float32. Raises WeightsError."""
    state, config = read_weights(folder, base_folder)
    model = WiredEncoder(config["architecture"])
    try:
        model.load_state_dict({n: torch.from_numpy(part).float() for n, part in state.items()})
    except RuntimeError as error:
        raise WeightsError(
            f"The weights in {folder} do not fit the architecture in its config.json "
            f"({str(error).splitlines()[-1].strip()}); {RESTORE}."
        ) from error
    return model.eval(), config


class WiredScorer(PairReader):
    """Scores prepared pairs in one forward pass; logits, never probabilities.

    >>> scorer = WiredScorer.load(weights, base)                              # doctest: +SKIP
    >>> scorer.score(scorer.prepare("capital of France", ["Paris is ..."]))   # doctest: +SKIP
    array([4.1], dtype=float32)
    """

    def __init__(self, model: WiredEncoder, tokenizer: PairTokenizer, config: dict[str, Any]):
        super().__init__(tokenizer, config)
        self.model, self.config = model, config

    @classmethod
    def load(cls, folder: Path | str, base_folder: Path | str) -> WiredScorer:
        model, config = load_wired(folder, base_folder)
        bounds = config["max_query_tokens"], config["max_passage_tokens"]
        return cls(model, PairTokenizer(Path(base_folder) / "tokenizer.json", *bounds), config)

    def score(self, prepared: Sequence[PreparedPair], wire: float = 1.0) -> np.ndarray:
        """Pairs -> float32 logits (B,), in ONE forward pass; ``wire=0`` cuts the two texts apart."""
        if not prepared:
            return np.zeros(0, dtype=np.float32)
        with torch.inference_mode():
            logits = self.model(**collate(prepared), gate_shift=shift_for(wire))
        return logits.numpy()
