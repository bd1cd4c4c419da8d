"""The cross-encoder's products in 8-bit integers: what is stored is ranges and a bias, what is computed is the rest.

    x (.., in) -> u = round(255 (x - low) / span) / 255, kept in [0, 1]
    y          =  (u @ integers.T) * scale + bias

`low` and `span` are per input channel, so that one step of u is the same part of every channel's range; the span is
multiplied into the weights before each row is rounded to -127..127 (what SmoothQuant does, shifted, so that u is
unsigned). What the shift and the mean rounding error add to y is constant and stands in the bias. The integers follow
from the weights by rounding, so the file is small; it names the weights that it is for. training/quantize.py writes it.

Left out: the graph (wired_graph.py).

>>> integers_of(np.array([[1.0, -0.5, 0.001]], dtype=np.float32))[0].tolist()
[[127, -64, 0]]
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rerank_core.errors import WeightsError

FILE = "int8-ranges.safetensors"
FORMAT = "1"
MODULES = {
    "qkv": ("query", "key", "value"),
    "mixed": ("mixed",),
    "up": ("up",),
    "down": ("down",),
}
"""The four products of a layer, and the modules of wire.Layer that each stands for."""

Array = NDArray[np.float32]
Name = tuple[int, str]


@dataclass(frozen=True, eq=False)
class Ranges:
    """Of one product: low and span (in,), bias (out,)."""

    low: Array
    span: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class Quantised:
    """`products` by (layer, name); `digest` is the sha256 of the file that they were read from."""

    products: Mapping[Name, Ranges]
    digest: str


def integers_of(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """weight (out, in), spans multiplied in -> integers (out, in) and scale (out,): each row by its largest number."""
    scale = np.maximum(np.abs(weight).max(axis=1), np.float32(1e-12)) / np.float32(127)
    return np.rint(weight / scale[:, None]).astype(np.int8), scale


def product_of(state: Mapping[str, Array], layer: int, name: str) -> tuple[Array, Array]:
    """Weight (out, in) and bias (out,) of a product: those of its modules below each other.

    The factor 1 / sqrt(D / H) of the attention logits stands in the queries' rows.
    """
    heads, width = state["gate"].shape[1], state["norm.weight"].shape[0]
    rows, biases = [], []
    for module in MODULES[name]:
        scale = np.float32((width // heads) ** -0.5 if module == "query" else 1.0)
        rows.append(state[f"layers.{layer}.{module}.weight"] * scale)
        biases.append(state[f"layers.{layer}.{module}.bias"] * scale)
    return np.concatenate(rows), np.concatenate(biases)


def write_quantised(folder: Path, products: Mapping[Name, Ranges], model_hash: str) -> Path:
    """Write the file beside the weights that it was made of, whose model hash is given."""
    tensors = {
        f"{layer}.{name}.{field.name}": np.ascontiguousarray(getattr(product, field.name))
        for (layer, name), product in products.items()
        for field in fields(product)
    }
    path = folder / FILE
    save_file(tensors, path, metadata={"format": FORMAT, "model_hash": model_hash})
    path.chmod(0o644)
    return path


def read_quantised(folder: Path, model_hash: str) -> Quantised:
    """Read what `write_quantised` wrote. Raises WeightsError where it is missing, broken or for other weights."""
    path = folder / FILE
    fix = "make it with python -m training.quantize"
    if not path.is_file():
        raise WeightsError(f"{path} is missing; {fix}.")
    parts: dict[Name, dict[str, Array]] = {}
    try:
        with safe_open(path, framework="np") as file:
            head = file.metadata() or {}
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                layer, name, field = key.split(".")
                parts.setdefault((int(layer), name), {})[field] = file.get_tensor(key)
        products = {key: Ranges(**part) for key, part in parts.items()}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path} cannot be read ({error}); {fix}.") from error
    if head.get("format") != FORMAT or head.get("model_hash") != model_hash:
        raise WeightsError(
            f"{path} has format {head.get('format')} and is for weights with hash "
            f"{str(head.get('model_hash'))[:12]}, not format {FORMAT} and {model_hash[:12]}; {fix}."
        )
    return Quantised(products, hashlib.sha256(path.read_bytes()).hexdigest())
