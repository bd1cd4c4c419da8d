"""The embedded bi-encoder on torch, on OpenVINO in float32 as it runs, and on OpenVINO in bfloat16, which it does not.

    python -m benchmarks.encode            # writes a section of benchmarks/RESULTS.md; about a minute

All in turn, on the library's queries one by one and its passages in batches as a corpus is encoded. How far vectors
move is said by what follows from them: cosines, and which passages each query then finds. Left out: the cross-encoder
(rerank.py), search (search.py, index.py).
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # as app.py: numpy's threads would turn beside the models'

import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import openvino as ov
from safetensors.numpy import load_file

from benchmarks.report import write_section
from rerank_core import load_library
from rerank_core.backend import BF16, TORCH, embedded_encoder
from rerank_core.embedded import package_folder
from rerank_core.embedded_encoder import EmbeddedEncoder
from rerank_core.limits import ENCODE_BATCH
from rerank_core.models import EMBEDDED_BI_ENCODER, KNOWN
from rerank_core.openvino_encoder import OpenVinoEncoder
from rerank_core.openvino_run import threads

SCENARIOS = Path(__file__).parents[1] / "scenarios"
DEPTH, TOP = 50, 10
PLAIN, OURS, HALF = "torch", "OpenVINO, float32", "OpenVINO, bfloat16"
Encode = Callable[[Sequence[str]], np.ndarray]


def ways() -> dict[str, Encode]:
    known = KNOWN[EMBEDDED_BI_ENCODER]
    tensors = load_file(package_folder() / "model.safetensors")
    half = OpenVinoEncoder(tensors, threads(), ov.Type.bf16)
    encoders = {
        PLAIN: embedded_encoder(known, setting=TORCH),
        OURS: embedded_encoder(known, setting=BF16),
        HALF: EmbeddedEncoder.over(half, known, package_folder()),
    }
    return {name: encoder.encode_passages for name, encoder in encoders.items()}


def timed(
    encoders: dict[str, Encode], batches: Sequence[Sequence[str]]
) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    """Every batch on every encoder in turn: rows, and milliseconds a text."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in encoders}
    ms: dict[str, list[float]] = {name: [] for name in encoders}
    for encode in encoders.values():
        encode(batches[0])
    for batch in batches:
        for name, encode in encoders.items():
            start = perf_counter()
            rows[name].append(encode(batch))
            ms[name].append((perf_counter() - start) * 1e3 / len(batch))
    return {name: np.concatenate(parts) for name, parts in rows.items()}, ms


def found(queries: np.ndarray, passages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosines (Q, P), and for each query the DEPTH nearest passages in order."""
    cosines = queries @ passages.T
    return cosines, np.argsort(-cosines, axis=1, kind="stable")[:, :DEPTH]


def main() -> None:
    library = load_library(SCENARIOS)
    encoders = ways()
    queries, query_ms = timed(encoders, [[query.text] for query in library.queries])
    texts = sorted((p.text for p in library.passages), key=len)
    parts = [texts[i : i + ENCODE_BATCH] for i in range(0, len(texts), ENCODE_BATCH)]
    passages, passage_ms = timed(encoders, parts)
    exact, nearest = found(queries[PLAIN], passages[PLAIN])
    lines = [
        f"The library's {len(library.queries)} queries one by one, its {len(texts)} passages in batches of "
        f"{ENCODE_BATCH}; medians, every batch on all three in turn.",
        "",
        f"| | ms a query | ms a passage | cosines off, at most | same first | of {DEPTH} found, the same "
        f"| first {TOP} in the same order |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in encoders:
        cosines, order = found(queries[name], passages[name])
        off = np.abs(cosines - exact).max()
        first = (order[:, 0] == nearest[:, 0]).mean()
        same = np.mean([len(set(a) & set(b)) / DEPTH for a, b in zip(order, nearest, strict=True)])
        ordered = (order[:, :TOP] == nearest[:, :TOP]).all(axis=1).mean()
        lines.append(
            f"| {name} | {median(query_ms[name]):.1f} | {median(passage_ms[name]):.1f} | {off:.1g} | {first:.3f} "
            f"| {same:.3f} | {ordered:.3f} |"
        )
    lines += [
        "",
        "bfloat16 is not used: a query's list would then depend on the processor.",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, openvino {ov.__version__.split('-')[0]}, "
        f"Python {platform.python_version()}.",
    ]
    print("\n".join(lines))
    write_section("Encoding", lines)


if __name__ == "__main__":
    main()
