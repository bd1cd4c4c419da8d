"""The wired encoder as an OpenVINO graph, some of its products in 8-bit integers.

What wire.WiredEncoder computes up to the last hidden states, written out operation by operation, so that neither torch
nor a converter is needed at the start and every product is quantised as quantised.py says. Word embeddings stay
outside: 11.7 million numbers of which a batch needs a few hundred rows.

    embedded (B, L, D)    word + position + side embeddings of each token, before their LayerNorm
    passage  (B, L)       1.0 on the passage's tokens
    padding  (B, L)       0.0 on tokens, wire.SHUT on padding
    -> hidden (B, L, D)   the last hidden states; rows of padding mean nothing

The gate. Of two tokens i and j, s = 1 on the passage: they belong to different texts where (s_i - s_j)^2 = s_i +
s_j (1 - 2 s_i) is 1. A softmax over j does not see what depends on i alone, so gate * s_j * (1 - 2 s_i) does the
same as the gate on crossing pairs, and no (L, L) mask has to travel. Left out: cutting the wire at run time, which
is torch's (wire.py), and the head (openvino_scorer.py), which is small and stays in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from rerank_core.quantised import Name, Ranges, integers_of, product_of

Array = NDArray[np.float32]
Node = Any


def build(
    state: Mapping[str, Array],
    architecture: Mapping[str, Any],
    products: Mapping[Name, Ranges],
) -> ov.Model:
    """The graph. `state` holds the tensors of WiredEncoder by name; a product that is not in `products` stays float."""
    width, eps = int(architecture["width"]), float(architecture["norm_eps"])
    embedded = op.parameter([-1, -1, width], ov.Type.f32, name="embedded")
    passage = op.parameter([-1, -1], ov.Type.f32, name="passage")
    padding = op.parameter([-1, -1], ov.Type.f32, name="padding")
    inputs = [embedded, passage, padding]
    for node in inputs:
        node.output(0).set_names({node.get_friendly_name()})
    column = op.unsqueeze(passage, _int([1, 2]))  # s_j, (B, 1, 1, L)
    row = op.unsqueeze(passage, _int([1, 3]))  # s_i, (B, 1, L, 1)
    sign = op.subtract(_float(1.0), op.multiply(_float(2.0), row))
    pad = op.unsqueeze(padding, _int([1, 2]))
    x = _norm(embedded, state["norm.weight"], state["norm.bias"], eps)
    for layer in range(int(architecture["layers"])):
        gate = _float(state["gate"][layer][None, :, None, None])  # (1, H, 1, 1)
        x = _layer(x, layer, state, products, (op.multiply(column, gate), sign, pad), eps)
    result = op.result(op.convert(x, ov.Type.f32))
    result.output(0).set_names({"hidden"})
    return ov.Model([result], inputs, "wired")


def build_mlp(state: Mapping[str, Array]) -> ov.Model:
    """What a pair's vectors (B, head_in's width) add to its logit, (B, 1): the head's two products."""
    weight = state["head_in.weight"]
    vectors = op.parameter([-1, weight.shape[1]], ov.Type.f32, name="vectors")
    inner = op.tanh(_plain(vectors, weight, state["head_in.bias"]))
    out = op.result(op.matmul(inner, _float(state["head_out.weight"]), False, True))
    return ov.Model([out], [vectors], "head")


def _layer(
    x: Node,
    layer: int,
    state: Mapping[str, Array],
    products: Mapping[Name, Ranges],
    mask: tuple[Node, Node, Node],
    eps: float,
) -> Node:
    """x (B, L, D) -> (B, L, D): wire.Layer, with query, key and value as one product."""
    heads, width = state["gate"].shape[1], state["norm.weight"].shape[0]
    prefix = f"layers.{layer}."

    def product(x: Node, name: str) -> Node:
        weight, bias = product_of(state, layer, name)
        ranges = products.get((layer, name))
        return _quantised(x, weight, ranges) if ranges else _plain(x, weight, bias)

    split = op.reshape(product(x, "qkv"), _int([0, 0, 3, heads, width // heads]), True)
    parts = op.split(op.transpose(split, _int([2, 0, 3, 1, 4])), _int(0), 3)
    q, k, v = (op.squeeze(parts.output(i), _int([0])) for i in range(3))  # (B, H, L, D / H)
    gated, sign, pad = mask
    logits = op.matmul(q, op.transpose(k, _int([0, 1, 3, 2])), False, False)
    logits = op.add(op.add(logits, op.multiply(gated, sign)), pad)
    seen = op.matmul(op.softmax(logits, 3), v, False, False)
    seen = op.reshape(op.transpose(seen, _int([0, 2, 1, 3])), _int([0, 0, width]), True)
    x = op.add(x, product(seen, "mixed"))
    x = _norm(x, state[prefix + "norm1.weight"], state[prefix + "norm1.bias"], eps)
    inner = op.gelu(product(x, "up"), "erf")
    x = op.add(x, product(inner, "down"))
    return _norm(x, state[prefix + "norm2.weight"], state[prefix + "norm2.bias"], eps)


def _plain(x: Node, weight: Array, bias: Array) -> Node:
    return op.add(op.matmul(x, _float(weight), False, True), _float(bias))


def _quantised(x: Node, weight: Array, ranges: Ranges) -> Node:
    """See quantised.py. OpenVINO makes one integer product of it, since what it multiplies are 256 levels and int8."""
    unit = op.add(op.multiply(x, _float(1.0 / ranges.span)), _float(-ranges.low / ranges.span))
    zero, one = _float(0.0), _float(1.0)
    levels = op.fake_quantize(unit, zero, one, zero, one, 256)
    integers, scale = integers_of(weight * ranges.span)
    rows = op.multiply(op.convert(op.constant(integers), ov.Type.f32), _float(scale[:, None]))
    return op.add(op.matmul(levels, rows, False, True), _float(ranges.bias))


def _norm(x: Node, gain: Array, shift: Array, eps: float) -> Node:
    unit = op.mvn(x, _int([-1]), True, eps, "inside_sqrt")
    return op.add(op.multiply(unit, _float(gain)), _float(shift))


def _float(value: float | Array) -> Node:
    return op.constant(np.ascontiguousarray(value, dtype=np.float32))


def _int(value: int | list[int]) -> Node:
    return op.constant(np.array(value, dtype=np.int64))
