"""What computes the embedded models: OpenVINO where it is fast, the cross-encoder then in bfloat16; else torch.

    RERANK_BACKEND=auto    OpenVINO where the processor multiplies bfloat16 (AVX-512 BF16 or AMX), else torch
    RERANK_BACKEND=torch   float32, on any processor
    RERANK_BACKEND=bf16    OpenVINO without asking the processor: float32 where it cannot multiply bfloat16
    RERANK_BACKEND=int8    OpenVINO, most products of the cross-encoder in 8-bit integers, which moves first places

bfloat16 ranks as float32 does, 8-bit integers not quite: benchmarks/AGREEMENT.md and AGREEMENT-int8.md. The bi-encoder
stays in float32 on both, so that its vectors are the same everywhere. Where OpenVINO is chosen but not there (not
installed, a broken file, a graph that does not compile), torch answers and one line of the log says why; where it is,
torch is never imported, which saves a second at the start and 180 MB. Which one answers stands on each model's card,
and so in every trace and on the page.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from rerank_core.embedded import WEIGHTS_FOLDER, check_package, package_folder
from rerank_core.embedded_encoder import EmbeddedEncoder, Vectors
from rerank_core.embedded_scorer import EmbeddedScorer
from rerank_core.errors import InputError
from rerank_core.models import Known
from rerank_core.pair_tokens import PairTokenizer
from rerank_core.wired_model import PairReader, read_weights

T = TypeVar("T")
log = logging.getLogger(__name__)
SETTING = "RERANK_BACKEND"
AUTO, TORCH, BF16, INT8 = "auto", "torch", "bf16", "int8"
DEFAULT = AUTO
"""Without a setting. What auto chooses must hold all bounds of benchmarks/AGREEMENT.md."""
FAST_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Processor features whose bfloat16 products were measured, or are those measured and more; the kernel's names."""
CPUINFO = Path("/proc/cpuinfo")


def backend_setting(env: Mapping[str, str] = os.environ) -> str:
    """The setting, or DEFAULT. Raises InputError for any other word."""
    value = env.get(SETTING, "").strip().lower() or DEFAULT
    if value not in (AUTO, TORCH, BF16, INT8):
        raise InputError(f"{SETTING} is one of {AUTO}, {TORCH}, {BF16}, {INT8}, not {value!r}.")
    return value


def has_fast_bf16(cpuinfo: Path = CPUINFO, machine: str | None = None) -> bool:
    """Whether this is an x86 processor that multiplies bfloat16; False where Linux' list of features is not there."""
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return False
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not FAST_FLAGS.isdisjoint(flags)


def embedded_encoder(
    known: Known, folder: Path | None = None, setting: str | None = None
) -> EmbeddedEncoder:
    """The embedded bi-encoder on what `setting` (else the environment) says. Raises WeightsError, InputError."""
    folder = package_folder() if folder is None else folder
    file = folder / "model.safetensors"
    wanted = _wanted(setting)
    check_package(folder)
    model = _first_of(wanted, known, lambda: _openvino_vectors(file), lambda: _torch_vectors(file))
    return EmbeddedEncoder.over(model, known, folder)


def embedded_scorer(
    known: Known,
    weights: Path | None = None,
    base: Path | None = None,
    setting: str | None = None,
) -> EmbeddedScorer:
    """The embedded cross-encoder, likewise."""
    base = package_folder() if base is None else base
    weights = WEIGHTS_FOLDER if weights is None else weights
    wanted = _wanted(setting)
    check_package(base)
    integers = wanted == INT8
    reader = _first_of(
        wanted, known,
        lambda: _openvino_pairs(weights, base, integers=integers),
        lambda: _torch_pairs(weights, base),
    )  # fmt: skip
    return EmbeddedScorer(reader, known.name)


def _wanted(setting: str | None) -> str:
    return backend_setting() if setting is None else backend_setting({SETTING: setting})


def _first_of(wanted: str, known: Known, openvino: Callable[[], T], torch: Callable[[], T]) -> T:
    """What `openvino` makes where that is wanted and can be made, else what `torch` does."""
    if wanted in (BF16, INT8) or (wanted == AUTO and has_fast_bf16()):
        try:
            return openvino()
        except Exception as error:  # whatever OpenVINO raises: torch is always there
            why = _sentence(error)
            log.warning("OpenVINO is not used for the %s (%s); torch answers", known.kind, why)
    return torch()


def _openvino_vectors(file: Path) -> Vectors:
    from rerank_core.openvino_encoder import OpenVinoEncoder
    from rerank_core.openvino_run import threads

    return OpenVinoEncoder.load(file, threads())


def _torch_vectors(file: Path) -> Vectors:
    from rerank_core.mean_bert import MeanBert

    return MeanBert.load(file)


def _openvino_pairs(weights: Path, base: Path, *, integers: bool) -> PairReader:
    import numpy as np

    from rerank_core.openvino_run import threads
    from rerank_core.openvino_scorer import OpenVinoScorer
    from rerank_core.quantised import read_quantised

    tensors, config = read_weights(weights, base)
    state = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    tokenizer = PairTokenizer(
        base / "tokenizer.json", config["max_query_tokens"], config["max_passage_tokens"]
    )
    ranges = read_quantised(weights, config["model_hash"]) if integers else None
    return OpenVinoScorer(
        state, tokenizer, config, ranges,
        load_torch=lambda: _torch_pairs(weights, base), threads=threads(),
    )  # fmt: skip


def _torch_pairs(weights: Path, base: Path) -> PairReader:
    from rerank_core.wire import WiredScorer

    return WiredScorer.load(weights, base)


def _sentence(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"
