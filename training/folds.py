"""Slices by 5-fold cross-validation over groups, and the spread of seeds: short runs of the same recipe.

    python -m training.folds --steps 300          # goes on where it was stopped

The given groups of the train split are dealt into five folds, stratified by slice. Fold i is held out while a
model learns from the rest (our own groups included) with seed 100 + i; it is then measured on its fold, which
no choice was ever made on, and on tune, where the five differ by seed and by a fifth of the data: their spread
bounds what a seed does. Shorter than the shipped run, and said so wherever it is shown. Left out: report,
which is not looked at here.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from rerank_core.pair_tokens import PairTokenizer
from training.blocks import MAX_PASSAGE, MAX_QUERY, Steps
from training.evaluate import RESULTS, cosine, measure, ours
from training.export import base_folder, start_model, write_weights
from training.mix import read_mix
from training.readers import Group, contrast, data_folder
from training.sets import pools_of
from training.splits import read_split
from training.train import GATE_START, RUNS, Wired, arguments, train

FOLDS, FIRST_SEED = 5, 100


def deal(groups: Sequence[Group], folds: int = FOLDS) -> list[list[Group]]:
    """Groups, sorted by id within their slice, dealt out in turn: every fold has its share of every slice."""
    by_slice: dict[str, list[Group]] = defaultdict(list)
    for group in sorted(groups, key=lambda g: g.group_id):
        by_slice[group.slice].append(group)
    dealt: list[list[Group]] = [[] for _ in range(folds)]
    turn = 0
    for _, members in sorted(by_slice.items()):
        for group in members:
            dealt[turn % folds].append(group)
            turn += 1
    return dealt


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in ("P@1", "MRR")}


def run_fold(
    number: int, held: list[Group], split: dict[str, list[Group]], options: argparse.Namespace
) -> dict[str, Any]:
    """Train without the fold, write the weights beside the run, measure on fold and tune."""
    base, folder = base_folder(), RUNS / options.name
    lists, _, outsiders = read_mix()
    held_ids = {group.group_id for group in held}
    groups = [group for group in split["train"] if group.group_id not in held_ids]
    model = start_model(base, GATE_START).to(options.device).train()
    tokenizer = PairTokenizer(base / "tokenizer.json", MAX_QUERY, MAX_PASSAGE)
    train(Wired(model, tokenizer), Steps(groups, lists, outsiders, options.seed), {}, options)
    last = torch.load(folder / f"average-{options.looks}.pt", weights_only=True)["model"]
    model.load_state_dict(last, strict=False)
    write_weights(model.eval(), folder / "weights", f"fold {number}", base)
    score, model_hash = ours(folder / "weights")
    rows = measure(pools_of(held), score, "report")
    tune = measure(pools_of([g for g in split["tune"] if not g.own]), score, "report")
    return {
        "set": f"fold-{number}", "model": "short", "model_hash": model_hash, "steps": options.steps,
        "seed": options.seed, "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "means": summary(rows), "tune": summary(tune), "rows": rows,
    }  # fmt: skip


def main() -> None:
    options = arguments("fold")
    options.steps, options.looks = options.steps or 300, 1
    split = read_split(contrast(data_folder(options.data)))
    given = [group for group in split["train"] if not group.own]
    for number, held in enumerate(deal(given)):
        file = RESULTS / f"fold-{number}.json"
        if file.exists() and json.loads(file.read_text("utf-8"))["steps"] == options.steps:
            print(f"{file} is there already: delete it to run the fold again.", flush=True)
            continue
        options.name, options.seed = f"fold-{number}", FIRST_SEED + number
        options.resume = (RUNS / options.name / "last.pt").exists()
        torch.manual_seed(options.seed)
        result = run_fold(number, held, split, options)
        file.write_text(json.dumps(result) + "\n", "utf-8")
        print(file, result["means"], "tune", result["tune"], flush=True)
    score, model_hash = cosine()
    rows = measure(pools_of(given), score, "report")
    result = {"set": "folds", "model": "cosine", "model_hash": model_hash, "means": summary(rows),
              "when": datetime.now(UTC).isoformat(timespec="seconds"), "rows": rows}  # fmt: skip
    (RESULTS / "folds.cosine.json").write_text(json.dumps(result) + "\n", "utf-8")


if __name__ == "__main__":
    main()
