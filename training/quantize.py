"""The embedded cross-encoder's products in 8-bit integers: ``python -m training.quantize``, a few minutes.

Ranges come from our own training texts (train split of ``training/contrast/``), never from a set that is measured
on, nor from the scenarios. For each product: a range per input channel, and a bias that takes in the mean of what
rounding changes on these texts (it is most of the error). How far channels with small ranges are widened is chosen per
product, by the error of its output. Writes ``int8-ranges.safetensors`` beside the weights. Left out: whether it is good
enough to be used (``benchmarks/agreement.py``). Rounding columns one after the other (GPTQ) was tried: a tenth less
error, not worth storing the integers for.
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

from rerank_core.pair_tokens import PreparedPair
from rerank_core.quantised import (
    MODULES,
    Name,
    Ranges,
    integers_of,
    product_of,
    write_quantised,
)
from rerank_core.wire import WiredEncoder, WiredScorer, collate
from training.export import base_folder
from training.readers import OWN_CONTRAST
from training.splits import FOLDER

WEIGHTS = Path("rerank_core/weights")
LOST_MAX = 4e-4
"""A product that loses more of its output's variance stays in floating point: such are those that read the heaviest of
GELU's tails. They cost a twentieth more time in all, and half of the error in a score came from them."""
PAIRS, BATCH, TOKENS, SEED = 480, 8, 4000, 0
EXPONENTS = (0.7, 0.8, 0.9, 1.0)
"""Spans are range^e largest^(1 - e): below 1, small channels use fewer of the 256 steps and weigh less in rounding."""
MARGIN = 1.02
"""Ranges are this much wider than those met."""


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
        tensors = collate(batch)
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


def ranges_of(x: Tensor, weight: Tensor, bias: Tensor, exponent: float) -> tuple[Ranges, float]:
    """One product's ranges, and its error: of the output's variance over the tokens, the part that is lost."""
    low, span = ranges(x, exponent)
    u = (255 * (x - low) / span).round().clamp(0, 255) / 255
    integers, scale = (torch.from_numpy(part) for part in integers_of((weight * span).numpy()))
    exact = x @ weight.T + bias
    rough = u @ (integers.float() * scale[:, None]).T
    shift = (exact - rough).mean(dim=0)
    lost = (rough + shift - exact).pow(2).mean() / exact.var(dim=0).mean()
    return Ranges(low.numpy(), span.numpy(), shift.numpy()), float(lost)


def quantise(
    model: WiredEncoder, pairs: Sequence[PreparedPair], most: float = LOST_MAX
) -> dict[Name, Ranges]:
    """Every product's ranges, each with the exponent that loses least; without those that lose more than `most`."""
    state: Mapping[str, NDArray[np.float32]] = {
        name: tensor.numpy() for name, tensor in model.state_dict().items()
    }
    out = {}
    for (layer, name), x in inputs_of(model, pairs).items():
        weight, bias = (torch.from_numpy(part) for part in product_of(state, layer, name))
        tried = [(*ranges_of(x, weight, bias, e), e) for e in EXPONENTS]
        found, lost, exponent = min(tried, key=lambda item: item[1])
        kept = "in 8 bits" if lost <= most else "stays in floating point"
        print(f"layer {layer} {name:5s} exponent {exponent} loses {lost:.1e}: {kept}", flush=True)
        if lost <= most:
            out[layer, name] = found
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
