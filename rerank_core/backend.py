"""What computes the embedded cross-encoder: OpenVINO in bfloat16 where that is fast, else torch.

    RERANK_BACKEND=auto    bfloat16 where the processor multiplies it (AVX-512 BF16 or AMX), else torch
    RERANK_BACKEND=torch   float32, on any processor
    RERANK_BACKEND=bf16    OpenVINO without asking the processor: float32 where it cannot multiply bfloat16
    RERANK_BACKEND=int8    OpenVINO, most products in 8-bit integers, which moves first places

bfloat16 ranks as float32 does, 8-bit integers not quite: benchmarks/AGREEMENT.md and AGREEMENT-int8.md. Where OpenVINO
is chosen but not there (not installed, a broken file, a graph that does not compile), torch answers and one line of
the log says why. Which one answers stands on the model's card, and so in every trace and on the page.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rerank_core.adapters import WEIGHTS_FOLDER, EmbeddedScorer, check_package, package_folder
from rerank_core.errors import InputError
from rerank_core.models import Known
from rerank_core.wire import PairTokenizer, WiredScorer, read_weights

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


def embedded_scorer(
    known: Known,
    weights: Path | None = None,
    base: Path | None = None,
    setting: str | None = None,
) -> EmbeddedScorer:
    """The embedded cross-encoder on what `setting` (else the environment) says. Raises WeightsError, InputError."""
    base = package_folder() if base is None else base
    weights = WEIGHTS_FOLDER if weights is None else weights
    wanted = backend_setting() if setting is None else backend_setting({SETTING: setting})
    check_package(base)
    if wanted in (BF16, INT8) or (wanted == AUTO and has_fast_bf16()):
        try:
            return _openvino(known, weights, base, integers=wanted == INT8)
        except Exception as error:  # whatever OpenVINO raises: torch is always there
            log.warning("OpenVINO is not used (%s); torch answers", _sentence(error))
    return EmbeddedScorer(WiredScorer.load(weights, base), known.name)


def _openvino(known: Known, weights: Path, base: Path, *, integers: bool) -> EmbeddedScorer:
    import torch

    from rerank_core.openvino_scorer import OpenVinoScorer
    from rerank_core.quantised import read_quantised

    tensors, config = read_weights(weights, base)
    state = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    tokenizer = PairTokenizer(
        base / "tokenizer.json", config["max_query_tokens"], config["max_passage_tokens"]
    )
    scorer = OpenVinoScorer(
        state, tokenizer, config,
        read_quantised(weights, config["model_hash"]) if integers else None,
        load_torch=lambda: WiredScorer.load(weights, base),
        threads=torch.get_num_threads(),
    )  # fmt: skip
    made = EmbeddedScorer(scorer, known.name)
    made.card = replace(made.card, backend=scorer.backend)
    return made


def _sentence(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"
