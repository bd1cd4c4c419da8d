"""The embedded cross-encoder on OpenVINO: in float32, in bfloat16, or most of its products in 8-bit integers.

The same pairs, bounds and logits' scale as wire.WiredScorer; logits differ a little (benchmarks/AGREEMENT.md and
AGREEMENT-int8.md say how much), so its card has the same model hash and a backend of its own. No torch is called for a
score. Left out: choosing it (backend.py), and cutting the wire, for which the torch model is loaded when it is first
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from rerank_core.openvino_run import can_bf16, request_of
from rerank_core.pair_tokens import PairTokenizer, PreparedPair
from rerank_core.quantised import Quantised
from rerank_core.wired_graph import build, build_mlp
from rerank_core.wired_model import PRODUCT_SCALE, SHUT, PairReader

Array = NDArray[np.float32]


class Head:
    """The last hidden states to logits, in float32: WiredEncoder.forward's second half.

    Nothing here is numpy's matrix product. Its BLAS would share one out between threads, and those go on turning in
    circles for tens of milliseconds, on the cores that the next batch's forward pass needs: short texts took nearly
    twice as long.
    """

    def __init__(self, core: ov.Core, state: Mapping[str, Array]) -> None:
        self.a, self.b, self.w, self.w2 = (state[name] for name in ("a", "b", "w", "w2"))
        # One thread: it is a hundredth of the work.
        self._mlp = request_of(core, build_mlp(state), ov.Type.f32, 1)

    def __call__(self, hidden: Array, pairs: Sequence[PreparedPair]) -> Array:
        """hidden (B, L, D) of B pairs -> (B,) logits."""
        means = np.empty((len(pairs), 2, hidden.shape[2]), dtype=np.float32)
        first = np.empty_like(means)
        for i, pair in enumerate(pairs):
            nq, n = len(pair.query.ids), pair.tokens
            means[i] = hidden[i, :nq].mean(axis=0), hidden[i, nq:n].mean(axis=0)
            first[i] = hidden[i, 0], hidden[i, nq]
        unit = means / np.maximum(np.linalg.norm(means, axis=2, keepdims=True), 1e-12)
        u, v = unit[:, 0], unit[:, 1]
        product, distance = u * v, np.abs(u - v)
        linear = self.a * product.sum(axis=1) + PRODUCT_SCALE * (product * self.w).sum(axis=1)
        wide = np.concatenate((u, v, product * PRODUCT_SCALE, distance), axis=1) * PRODUCT_SCALE
        state = np.concatenate((wide, first.reshape(len(pairs), -1) * 2.0), axis=1)
        mlp = self._mlp.infer([state], share_inputs=True)[0][:, 0]
        far = (distance * self.w2).sum(axis=1)
        return np.asarray(linear + far + self.b + mlp, dtype=np.float32)


class OpenVinoScorer(PairReader):
    """Scores prepared pairs; not for two threads at once (the scheduler lets one forward pass run at a time).

    `quantised` says which products are in integers; None: none is. What is not is in bfloat16 where `halved` asks for
    that and OpenVINO can, else in float32; `backend` says which it came to. `load_torch` gives the same weights on
    torch, for `wire` below 1. `threads` is how many cores a pass may use.
    """

    def __init__(
        self,
        state: Mapping[str, Array],
        tokenizer: PairTokenizer,
        config: Mapping[str, Any],
        quantised: Quantised | None,
        *,
        halved: bool,
        load_torch: Callable[[], PairReader],
        threads: int,
    ) -> None:
        super().__init__(tokenizer, config)
        self._load_torch = load_torch
        self._word = state["word.weight"]
        self._places = state["position.weight"][None] + state["side.weight"][:, None]  # (2, P, D)
        core = ov.Core()
        self._head = Head(core, state)
        halved = halved and can_bf16(core)
        plain = "openvino-bf16" if halved else "openvino-f32"
        self.backend = f"openvino-int8-{quantised.digest[:8]}" if quantised else plain
        graph = build(state, config["architecture"], quantised.products if quantised else {})
        precision = ov.Type.bf16 if halved else ov.Type.f32
        self._request = request_of(core, graph, precision, threads)

    @cached_property
    def torch(self) -> Any:
        """The same model on torch, loaded now."""
        return self._load_torch()

    def score(self, prepared: Sequence[PreparedPair], wire: float = 1.0) -> Array:
        """Pairs -> float32 logits (B,), in ONE forward pass; a `wire` below 1 is torch's: ranges are not for it."""
        if not prepared:
            return np.zeros(0, dtype=np.float32)
        if wire != 1.0:
            return self.torch.score(prepared, wire)
        hidden = self._request.infer(self._inputs(prepared), share_inputs=True, share_outputs=True)
        return self._head(hidden[0], prepared)

    def forward_of(self, pairs: Sequence[PreparedPair]) -> Callable[[], object]:
        """The bare forward pass on these pairs, inputs made now: what a benchmark compares the rest with."""
        inputs = self._inputs(pairs)
        return lambda: self._request.infer(inputs, share_inputs=True, share_outputs=True)

    def _inputs(self, pairs: Sequence[PreparedPair]) -> list[Array]:
        """embedded (B, L, D), passage (B, L) and padding (B, L), see wired_graph.py."""
        size = len(pairs), max(pair.tokens for pair in pairs)
        embedded = np.zeros((*size, self._word.shape[1]), dtype=np.float32)
        passage, padding = np.zeros(size, np.float32), np.full(size, SHUT, np.float32)
        first, second = self._places
        for i, pair in enumerate(pairs):
            nq, n = len(pair.query.ids), pair.tokens
            np.add(self._word[np.asarray(pair.query.ids)], first[:nq], out=embedded[i, :nq])
            np.add(
                self._word[np.asarray(pair.passage.ids)], second[: n - nq], out=embedded[i, nq:n]
            )
            passage[i, nq:n] = 1.0
            padding[i, :n] = 0.0
        return [embedded, passage, padding]
