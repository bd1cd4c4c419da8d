"""The embedded cross-encoder's products in 8-bit integers: ``python -m training.quantize``, a few minutes.

Ranges come from our own training texts (train split of ``training/contrast/``), never from a set that is measured
on, nor from the scenarios. For each product: a range per input channel, integers by GPTQ (columns are rounded one after
the other, each correcting for the error of those before; Frantar et al. 2022, https://arxiv.org/abs/2210.17323), and
the mean of the remaining error into the bias. How far channels with small ranges are widened is chosen per product, by
the error of its output on the same texts. Writes ``int8.safetensors`` beside the weights. Left out: whether it is good
enough to be used (``benchmarks/agreement.py``).
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rerank_core.quantised import MODULES, Product, weights, write_quantised
from rerank_core.wire import PairTokenizer, PreparedPair, WiredEncoder, WiredScorer
from training.export import base_folder
from training.readers import OWN_CONTRAST
from training.splits import FOLDER

WEIGHTS = Path("rerank_core/weights")
PRODUCTS = ("qkv", "mixed", "up")
"""The products that are stored as integers; "down" reads GELU's heavy tail and loses most (benchmarks/AGREEMENT.md)."""
PAIRS, BATCH, TOKENS, SEED = 480, 8, 4000, 0
EXPONENTS = (0.7, 0.8, 0.9, 1.0)
"""Spans are range^e largest^(1 - e): below 1, small channels use fewer of the 256 steps, and weigh less when rounded."""
MARGIN = 1.02
"""Ranges are this much wider than those met."""
DAMPING = 0.01
"""Of the mean of the Hessian's diagonal, added to it, so that it can be inverted."""


def calibration_pairs(scorer: WiredScorer, count: int = PAIRS) -> list[PreparedPair]:
    """Queries of our own training groups with passages of the same group, of others, and several joined.

    Joined ones reach the lengths of real passages: a contrast passage has 40 tokens, a chunk of a document 250.
    """
    allowed = set(json.loads((FOLDER / "train.json").read_text("utf-8")))
    groups = []
    for file in sorted(OWN_CONTRAST.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines()):
            if f"own-{file.stem}:{number}" in allowed:
                groups.append(json.loads(line))
    rng = random.Random(SEED)
    pairs: list[PreparedPair] = []
    for turn in range(count):
        group = rng.choice(groups)
        query = rng.choice(group["queries"])["q"]
        near = rng.sample(group["passages"], min(len(group["passages"]), 1 + turn % 4))
        passage = rng.choice(rng.choice(groups)["passages"]) if turn % 5 == 4 else " ".join(near)
        pairs += scorer.prepare(query, [passage])
    return pairs


@torch.inference_mode()
def inputs_of(
    model: WiredEncoder, pairs: Sequence[PreparedPair], tokens: int = TOKENS
) -> dict[tuple[int, str], Tensor]:
    """What each product reads, for a sample of tokens: (layer, name) -> (tokens, in). Padding is left out."""
    pairs = sorted(pairs, key=lambda pair: pair.tokens)
    batches = [pairs[i : i + BATCH] for i in range(0, len(pairs), BATCH)]
    share = min(1.0, tokens / sum(pair.tokens for pair in pairs))
    found: dict[tuple[int, str], list[Tensor]] = {}
    chosen = torch.zeros(0, dtype=torch.long)

    def note(layer: int, name: str):  # type: ignore[no-untyped-def]
        def hook(_: object, args: tuple[Tensor, ...]) -> None:
            rows = args[0].reshape(-1, args[0].shape[-1])[chosen]
            found.setdefault((layer, name), []).append(rows)

        return hook

    hooks = [
        getattr(layer, MODULES[name][0]).register_forward_pre_hook(note(number, name))
        for number, layer in enumerate(model.layers)
        for name in MODULES
    ]
    generator = torch.Generator().manual_seed(SEED)
    for batch in batches:
        tensors = PairTokenizer.collate(batch)
        rows = tensors["attention_mask"].reshape(-1).nonzero()[:, 0]
        keep = max(1, round(share * len(rows)))
        chosen = rows[torch.randperm(len(rows), generator=generator)[:keep]]
        model(**tensors)
    for hook in hooks:
        hook.remove()
    return {key: torch.cat(rows) for key, rows in found.items()}


def ranges(x: Tensor, exponent: float) -> tuple[Tensor, Tensor]:
    """low and span (in,): around the middle of what was met, widened towards the largest channel's range."""
    low, high = x.amin(dim=0), x.amax(dim=0)
    half = ((high - low) / 2).clamp(min=1e-4) * MARGIN
    half = half**exponent * half.max() ** (1 - exponent)
    return (low + high) / 2 - half, 2 * half


def rounded(weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Integers (out, in) and scale (out,) whose product with `u` (tokens, in) is nearest to weight's: GPTQ."""
    scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
    hessian = (u.T @ u).double() / len(u)
    hessian.diagonal().add_(DAMPING * hessian.diagonal().mean())
    order = hessian.diagonal().argsort(descending=True)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian[order][:, order]))
    factor = torch.linalg.cholesky(inverse, upper=True).float()
    left, out = weight[:, order].clone(), torch.zeros_like(weight)
    block = 128
    for start in range(0, left.shape[1], block):
        part = left[:, start : start + block]
        errors = torch.zeros_like(part)
        for i in range(part.shape[1]):
            j = start + i
            out[:, j] = (part[:, i] / scale).round().clamp(-127, 127)
            errors[:, i] = (part[:, i] - out[:, j] * scale) / factor[j, j]
            part[:, i + 1 :] -= errors[:, i, None] * factor[j, j + 1 : start + part.shape[1]]
        end = start + part.shape[1]
        left[:, end:] -= errors @ factor[start:end, end:]
    return out[:, order.argsort()], scale


def quantised(x: Tensor, weight: Tensor, bias: Tensor, exponent: float) -> tuple[Product, float]:
    """One product in integers, and its error: of the output's variance over the tokens, the part that is lost."""
    low, span = ranges(x, exponent)
    u = (255 * (x - low) / span).round().clamp(0, 255) / 255
    integers, scale = rounded(weight * span, u - u.mean(dim=0))
    exact = x @ weight.T + bias
    rough = u @ (integers * scale[:, None]).T
    shift = (exact - rough).mean(dim=0)
    lost = (rough + shift - exact).pow(2).mean() / exact.var(dim=0).mean()
    arrays = [part.numpy() for part in (low, span, integers.to(torch.int8), scale, shift)]
    return Product(*arrays), float(lost)


def quantise(
    model: WiredEncoder, pairs: Sequence[PreparedPair], names: Sequence[str] = PRODUCTS
) -> dict[tuple[int, str], Product]:
    """Every product of `names` in every layer, each with the exponent that loses least."""
    state: Mapping[str, NDArray[np.float32]] = {
        name: tensor.numpy() for name, tensor in model.state_dict().items()
    }
    out = {}
    for (layer, name), x in inputs_of(model, pairs).items():
        if name not in names:
            continue
        weight, bias = (torch.from_numpy(part) for part in weights(state, layer, name))
        tried = [(quantised(x, weight, bias, e), e) for e in EXPONENTS]
        (product, lost), exponent = min(tried, key=lambda item: item[0][1])
        print(f"layer {layer} {name:5s} exponent {exponent} loses {lost:.1e}", flush=True)
        out[layer, name] = product
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    scorer = WiredScorer.load(options.weights, base_folder())
    pairs = calibration_pairs(scorer)
    path = write_quantised(options.weights, quantise(scorer.model, pairs), scorer.model_hash)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, from {len(pairs)} pairs")


if __name__ == "__main__":
    main()
