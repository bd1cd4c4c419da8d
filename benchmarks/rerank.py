"""Reranking, against a cross-encoder of the same size as others run it, all interleaved in one run.

    python -m benchmarks.rerank            # writes a section of benchmarks/RESULTS.md; some 10 minutes
    python -m benchmarks.rerank --seconds 5 --sizes 5    # a look; writes nothing

What is counted for ours is all of `TwoStage.rerank` without kept scores, with the batch size that the engine measured;
the passages' tokens are kept, as a corpus' are. "Floor" is the bare forward passes on the same batches, inputs made
before the clock starts; "products alone" is what the processor can do (limit.py). A ratio is of two runs of one round;
its interval is the bootstrap's, 95 %, of the median over rounds. Left out: the page (page.py), search (search.py),
whether the faster backends rank as torch does (agreement.py).
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import argparse
import platform
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import numpy as np
import torch

from benchmarks.limit import products
from benchmarks.peers import default_peer, onnx_peer, save_peer, tuned_peer
from benchmarks.report import write_section
from rerank_core import TwoStage, load_library
from rerank_core.backend import BF16, F32, INT8, TORCH, embedded_scorer
from rerank_core.embedded_scorer import EmbeddedScorer
from rerank_core.models import EMBEDDED_CROSS_ENCODER, KNOWN
from rerank_core.records import Passage, Ranking
from rerank_core.wire import collate

SCENARIOS = Path(__file__).parents[1] / "scenarios"
QUERY = "how often should I feed a young ball python"
SIZES = (5, 20, 50, 100)
JOINED = 4
"""A long text is so many passages of the library, one after the other."""
WARM, LEAST, MOST = 1, 5, 21
PAUSE_S = 0.1
"""Before each: the threads of the one before, waiting for more to do, turn in circles on the cores for a while."""
BUDGET_S = 480.0
"""For the rounds of all cases together, shared by their pairs; loading and choosing take two more minutes."""
DEFAULT, TUNED, ONNX = "CrossEncoder.predict", "CrossEncoder tuned", "ONNX Runtime int8"
OURS, ROUNDED, SINGLE, PLAIN = "ours, bf16", "ours, int8", "ours, f32", "ours, torch"
FLOOR, FLOOR_TORCH = "floor, bf16", "floor, torch"
LIMIT, LIMIT_INT8 = "products alone, bf16", "products alone, int8"
FASTER = (
    (DEFAULT, OURS), (DEFAULT, ROUNDED), (DEFAULT, SINGLE), (DEFAULT, PLAIN), (TUNED, OURS), (ONNX, OURS),
)  # fmt: skip
NEARER = ((OURS, FLOOR), (PLAIN, FLOOR_TORCH), (OURS, LIMIT), (ROUNDED, LIMIT_INT8))
"""What is divided by what."""
Work = Callable[[], object]


def texts_of(count: int, long: bool) -> list[str]:
    """The library's first so many passages for the query; long: each with its neighbours."""
    engine = TwoStage()
    library = load_library(SCENARIOS)
    found = engine.retrieve(QUERY, engine.corpus(library.passages), 100).ranking
    texts = [p.text for p in found.passages][:count]
    if not long:
        return texts
    return [" ".join((texts * 2)[i : i + JOINED]) for i in range(count)]


def engine_of(setting: str) -> tuple[TwoStage, EmbeddedScorer]:
    scorer = embedded_scorer(KNOWN[EMBEDDED_CROSS_ENCODER], setting=setting)
    return TwoStage(None, scorer).warm().size_batches(), scorer


def floor(engine: TwoStage, scorer: EmbeddedScorer, texts: Sequence[str]) -> Work:
    """The forward passes alone, on the batches that the engine would make."""
    most = engine.scheduler.pace(scorer).batch_tokens
    pairs = sorted(scorer.prepare(QUERY, texts), key=lambda pair: pair.tokens)
    batches: list[list[object]] = [[]]
    for pair in pairs:
        if batches[-1] and (len(batches[-1]) + 1) * pair.tokens > most:
            batches.append([])
        batches[-1].append(pair)
    if scorer.card.backend == "torch":
        inputs = [collate(batch) for batch in batches]

        def torch_passes() -> None:
            with torch.inference_mode():
                for tensors in inputs:
                    scorer.wired.model(**tensors)

        return torch_passes
    passes = [scorer.wired.forward_of(batch) for batch in batches]
    return lambda: [forward() for forward in passes]


def reranked(engine: TwoStage, texts: Sequence[str]) -> Work:
    passages = [Passage(f"p{i:03d}", text) for i, text in enumerate(texts)]
    before = Ranking.from_scores(passages, [-float(i) for i in range(len(passages))])
    return lambda: engine.rerank(QUERY, before, 5, use_cache=False)


def rounds(works: dict[str, Work], seconds: float) -> dict[str, list[float]]:
    """Every work once a round, in turn; milliseconds by name. At least LEAST rounds, at most MOST, else `seconds`."""
    found: dict[str, list[float]] = {name: [] for name in works}
    begun = perf_counter()
    for turn in range(WARM + MOST):
        if turn >= WARM + LEAST and perf_counter() - begun > seconds:
            break
        for name, work in works.items():
            sleep(PAUSE_S)
            start = perf_counter()
            work()
            if turn >= WARM:
                found[name].append((perf_counter() - start) * 1e3)
    return found


def ratio(over: Sequence[float], under: Sequence[float]) -> tuple[float, float, float]:
    """Median of the rounds' ratios, and the ends of its 95 % interval."""
    values = np.array(over) / np.array(under)
    draws = np.random.default_rng(0).integers(0, len(values), (4000, len(values)))
    low, high = np.quantile(np.median(values[draws], axis=1), (0.025, 0.975))
    return float(np.median(values)), float(low), float(high)


def said(of: tuple[float, float, float]) -> str:
    return f"{of[0]:.2f} ({of[1]:.2f} to {of[2]:.2f})"


def where(notes: Sequence[str]) -> str:
    """Processor, threads, versions."""
    lines = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [x.partition(":")[2].strip() for x in lines.splitlines() if x.startswith("model name")]
    packages = ("torch", "openvino", "onnxruntime", "sentence-transformers", "transformers")
    versions = ", ".join(f"{p} {metadata.version(p)}" for p in packages)
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads each"
    return (
        f"{models[0] if models else platform.machine()}, {cores}; {versions}, Python {platform.python_version()}. "
        + " ".join(notes)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=BUDGET_S)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    ours, scorer = engine_of(BF16)
    rounded, rounded_scorer = engine_of(INT8)
    single, single_scorer = engine_of(F32)
    plain, plain_scorer = engine_of(TORCH)
    times: list[str] = []
    ratios: list[str] = []
    limits: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_peer(folder)
        usual = default_peer(folder)
        tuned, how = tuned_peer(folder, QUERY, texts_of(20, False))
        onnx = onnx_peer(folder, torch.get_num_threads())
        cases = [(n, long) for long in (False, True) for n in options.sizes]
        for n, long in cases:
            texts = texts_of(n, long)
            tokens = sum(p.tokens for p in plain_scorer.prepare(QUERY, texts)) / n
            works: dict[str, Work] = {
                DEFAULT: lambda texts=texts: usual(QUERY, texts),
                OURS: reranked(ours, texts),
                ROUNDED: reranked(rounded, texts),
                TUNED: lambda texts=texts: tuned(QUERY, texts),
                SINGLE: reranked(single, texts),
                PLAIN: reranked(plain, texts),
                ONNX: lambda texts=texts: onnx(QUERY, texts),
                FLOOR: floor(ours, scorer, texts),
                FLOOR_TORCH: floor(plain, plain_scorer, texts),
                LIMIT: products(round(tokens * n), torch.bfloat16),
                LIMIT_INT8: products(round(tokens * n), torch.int8),
            }
            share = n * (JOINED if long else 1) / sum(m * (JOINED if x else 1) for m, x in cases)
            ms = rounds(works, options.seconds * share)
            case = f"{n} | {tokens:.0f}"
            medians = " | ".join(f"{median(ms[work]):.0f}" for work in works)
            times.append(f"| {case} | {medians} | {len(ms[OURS])} |")
            for rows, compared in ((ratios, FASTER), (limits, NEARER)):
                found = " | ".join(said(ratio(ms[over], ms[under])) for over, under in compared)
                rows.append(f"| {case} | {found} |")
            print(times[-1], ratios[-1], limits[-1], sep="\n", flush=True)
    engines = (ours, scorer), (rounded, rounded_scorer), (single, single_scorer), (plain, plain_scorer)  # fmt: skip
    sizes = [f"{e.scheduler.pace(s).batch_tokens} for {s.card.backend}" for e, s in engines]
    notes = [
        f"Tuned: {how}, sorted by length.",
        f"Tokens a batch, as measured at the start: {', '.join(sizes)}.",
    ]
    lines = [
        "One query, N passages; tokens of a pair, mean. Milliseconds, medians over rounds in which all ran in turn.",
        "",
        f"| N | tokens | {' | '.join(works)} | rounds |",
        "|---" * (len(works) + 3) + "|",
        *times,
        "",
        "How many times faster, median and 95 % interval:",
        "",
        "| N | tokens | bf16 over default | int8 over default | f32 over default | torch over default "
        "| bf16 over tuned | bf16 over ONNX Runtime |",
        "|---|---|---|---|---|---|---|---|",
        *ratios,
        "",
        "How many times what the bare forward passes take, and what the products alone do:",
        "",
        "| N | tokens | bf16, passes | torch, passes | bf16, products | int8, products |",
        "|---|---|---|---|---|---|",
        *limits,
        "",
        where(notes),
    ]
    print("\n".join(lines))
    if options.sizes == list(SIZES) and options.seconds == BUDGET_S:
        write_section("Reranking", lines)


if __name__ == "__main__":
    main()
