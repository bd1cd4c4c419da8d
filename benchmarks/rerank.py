"""Reranking 50 pairs: this library against sentence-transformers' CrossEncoder.predict, interleaved in one run.

    python -m benchmarks.rerank            # writes benchmarks/RESULTS.md, keeping the page's section

The peer is a BERT of the very same size (6 layers, width 384) with random weights: speed does not depend on what the
weights say, and none needs to be fetched. Both read the same pairs, ours with the two special tokens more that its
input has. What is counted for ours: the whole of `TwoStage.rerank` without cache, tokenising included. Left out:
other backends, other N. Run it when nothing else runs; it takes about two minutes.
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import platform
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import torch
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from benchmarks.report import write_section
from rerank_core import TwoStage, load_library
from rerank_core.adapters import package_folder

ROUNDS = 15
PAIRS = 50
SCENARIOS = Path(__file__).parents[1] / "scenarios"


def peer(folder: Path) -> CrossEncoder:
    """A cross-encoder of the same size, with random weights, as sentence-transformers loads it."""
    tokenizer = BertTokenizerFast.from_pretrained(str(package_folder()))
    config = BertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return CrossEncoder(str(folder), device="cpu", max_length=256)


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def main() -> None:
    library = load_library(SCENARIOS)
    query = "how often should I feed a young ball python"
    engine = TwoStage().load().warm()
    candidates = engine.retrieve(query, engine.corpus(library.passages), PAIRS).ranking
    texts = [row.passage.text for row in candidates]
    with tempfile.TemporaryDirectory() as folder:
        cross = peer(Path(folder))
        pairs = [(query, text) for text in texts]
        ours, default = [], []
        for turn in range(ROUNDS + 2):
            a = seconds(lambda: engine.rerank(query, candidates, 5, use_cache=False))
            b = seconds(lambda: cross.predict(pairs, show_progress_bar=False))
            if turn >= 2:  # the first two warm caches of the processor and of the allocator
                ours.append(a)
                default.append(b)
    ratios = sorted(b / a for a, b in zip(ours, default, strict=True))
    lines = [
        f"{PAIRS} pairs of the library for one query, {ROUNDS} interleaved rounds after 2 to warm up.",
        "",
        "| | median |",
        "|---|---|",
        f"| `TwoStage.rerank`, no cache | {statistics.median(ours) * 1000:.0f} ms |",
        f"| `CrossEncoder.predict` by default, same size | {statistics.median(default) * 1000:.0f} ms |",
        f"| ratio, median of the rounds' ratios | {statistics.median(ratios):.2f} |",
        f"| ratio, lowest and highest round | {ratios[0]:.2f} to {ratios[-1]:.2f} |",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__} with "
        f"{torch.get_num_threads()} threads, Python {platform.python_version()}.",
    ]
    write_section("Reranking", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
