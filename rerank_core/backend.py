"""What computes the embedded models: OpenVINO on x86 processors, in bfloat16 where they multiply that; else torch.

    RERANK_BACKEND=auto    bf16 where the processor multiplies bfloat16 (AVX-512 BF16 or AMX), f32 on any other x86,
                           else torch
    RERANK_BACKEND=torch   float32, on any processor
    RERANK_BACKEND=f32     OpenVINO in float32: torch's scores to the fifth digit, in less time
    RERANK_BACKEND=bf16    OpenVINO in bfloat16 without asking the processor
    RERANK_BACKEND=int8    OpenVINO, most products of the cross-encoder in 8-bit integers, which moves first places

bfloat16 ranks as float32 does, 8-bit integers not quite: benchmarks/AGREEMENT.md and AGREEMENT-int8.md. The bi-encoder
stays in float32 on all of them, so that its vectors are the same everywhere. Where OpenVINO is chosen but not there
(not installed, a broken file, a graph that does not compile), torch answers and one line of the log says why; where it
is, torch is never imported, which saves a second at the start and 180 MB. Which one answers stands on each model's
card, and so in every trace; the page says which computed the cross-encoder's scores.
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
AUTO, TORCH, F32, BF16, INT8 = SETTINGS = "auto", "torch", "f32", "bf16", "int8"
DEFAULT = AUTO
"""Without a setting. What auto chooses must hold all bounds: benchmarks/AGREEMENT.md and AGREEMENT-f32.md."""
FAST_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Processor features whose bfloat16 products were measured, or are those measured and more; the kernel's names."""
CPUINFO = Path("/proc/cpuinfo")


def backend_setting(env: Mapping[str, str] = os.environ) -> str:
    """The setting, or DEFAULT. Raises InputError for any other word."""
    value = env.get(SETTING, "").strip().lower() or DEFAULT
    if value not in SETTINGS:
        raise InputError(f"{SETTING} is one of {', '.join(SETTINGS)}, not {value!r}.")
    return value


def is_x86(machine: str | None = None) -> bool:
    """Whether this is a processor on which OpenVINO was measured; Arm's were not."""
    return (machine or platform.machine()).lower() in ("x86_64", "amd64")


def has_fast_bf16(cpuinfo: Path = CPUINFO, machine: str | None = None) -> bool:
    """Whether this is an x86 processor that multiplies bfloat16; False where Linux' list of features is not there.

    OpenVINO's own answer is no help: it says yes also where it would imitate bfloat16, slowly.
    """
    if not is_x86(machine):
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
    reader = _first_of(
        wanted, known,
        lambda: _openvino_pairs(weights, base, wanted),
        lambda: _torch_pairs(weights, base),
    )  # fmt: skip
    return EmbeddedScorer(reader, known.name)


def _wanted(setting: str | None) -> str:
    """The setting, with what auto comes to on this processor."""
    wanted = backend_setting() if setting is None else backend_setting({SETTING: setting})
    if wanted != AUTO:
        return wanted
    return BF16 if has_fast_bf16() else F32 if is_x86() else TORCH


def _first_of(wanted: str, known: Known, openvino: Callable[[], T], torch: Callable[[], T]) -> T:
    """What `openvino` makes where that is wanted and can be made, else what `torch` does."""
    if wanted != TORCH:
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


def _openvino_pairs(weights: Path, base: Path, wanted: str) -> PairReader:
    import numpy as np

    from rerank_core.openvino_run import threads
    from rerank_core.openvino_scorer import OpenVinoScorer
    from rerank_core.quantised import read_quantised

    tensors, config = read_weights(weights, base)
    state = {name: np.asarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}
    tokenizer = PairTokenizer(
        base / "tokenizer.json", config["max_query_tokens"], config["max_passage_tokens"]
    )
    ranges = read_quantised(weights, config["model_hash"]) if wanted == INT8 else None
    return OpenVinoScorer(
        state, tokenizer, config, ranges, halved=wanted == BF16 or (wanted == INT8 and has_fast_bf16()),
        load_torch=lambda: _torch_pairs(weights, base), threads=threads(),
    )  # fmt: skip


def _torch_pairs(weights: Path, base: Path) -> PairReader:
    from rerank_core.wire import WiredScorer

    return WiredScorer.load(weights, base)


def _sentence(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"
