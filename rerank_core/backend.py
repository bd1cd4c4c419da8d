"""What computes the embedded cross-encoder: OpenVINO in 8-bit integers where that is fast and safe, else torch.

    RERANK_BACKEND=auto    int8 where the processor has 8-bit dot products (AVX-512 VNNI or AMX), else torch
    RERANK_BACKEND=torch   float32, on any processor
    RERANK_BACKEND=int8    int8 without asking the processor

Where int8 is chosen but not there (no openvino, a broken file, a graph that does not compile), torch answers and one
line of the log says why. Which one answers stands on the model's card, and so in every trace and on the page.
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
AUTO, TORCH, INT8 = "auto", "torch", "int8"
DEFAULT = TORCH
"""Without a setting. Auto only where benchmarks/AGREEMENT.md says that all bounds hold."""
FAST_FLAGS = frozenset({"avx512_vnni", "amx_int8"})
"""Processor features whose int8 products were measured, or are those measured and more; the kernel's names."""
CPUINFO = Path("/proc/cpuinfo")


def backend_setting(env: Mapping[str, str] = os.environ) -> str:
    """The setting, or DEFAULT. Raises InputError for any other word."""
    value = env.get(SETTING, "").strip().lower() or DEFAULT
    if value not in (AUTO, TORCH, INT8):
        raise InputError(f"{SETTING} is one of {AUTO}, {TORCH}, {INT8}, not {value!r}.")
    return value


def has_fast_int8(cpuinfo: Path = CPUINFO, machine: str | None = None) -> bool:
    """Whether this is an x86 processor with 8-bit dot products; False where Linux' list of features is not there."""
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
    if wanted == INT8 or (wanted == AUTO and has_fast_int8()):
        try:
            return _int8(known, weights, base)
        except Exception as error:  # whatever OpenVINO raises: torch is always there
            log.warning("the int8 backend is not used (%s); torch answers", _sentence(error))
    return EmbeddedScorer(WiredScorer.load(weights, base), known.name)


def _int8(known: Known, weights: Path, base: Path) -> EmbeddedScorer:
    import torch

    from rerank_core.int8_scorer import Int8Scorer
    from rerank_core.quantised import read_quantised

    tensors, config = read_weights(weights, base)
    state = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    tokenizer = PairTokenizer(
        base / "tokenizer.json", config["max_query_tokens"], config["max_passage_tokens"]
    )
    scorer = Int8Scorer(
        state, tokenizer, config, read_quantised(weights, config["model_hash"]),
        load_torch=lambda: WiredScorer.load(weights, base),
        threads=torch.get_num_threads(),
    )  # fmt: skip
    made = EmbeddedScorer(scorer, known.name)
    made.card = replace(made.card, backend=scorer.backend)
    return made


def _sentence(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"
