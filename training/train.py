"""Train the wired encoder: contrast groups and breadth lists, the gate learned from half open.

    python -m training.train --minutes 65          # or --steps N, to repeat a run exactly in length
    python -m training.train --resume

Every step reads two contrast groups (all their queries against all their passages and an outsider) and a
few breadth lists. Loss: listwise softmax over graded targets, plus binary cross-entropy so that the logit
has a meaning of its own, plus, inside a group, a softmax over the queries of each right passage. The
choice among checkpoints is made on tune only. Left out: calibration, and anything about report.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rerank_core.pair_tokens import PairTokenizer, PreparedPair
from rerank_core.wire import WiredEncoder, collate
from training.blocks import (
    MAX_PASSAGE,
    MAX_QUERY,
    Block,
    Steps,
    chunks,
    group_block,
    loss_of,
)
from training.export import base_folder, start_model
from training.mix import read_mix
from training.readers import add_data_option, contrast, data_folder
from training.splits import read_split

RUNS = Path("training/runs")
LEARNING_RATE, LAYER_DECAY, WARM_UP, EMA = 8e-5, 0.9, 0.04, 0.996
# exp(-2): each token of the other text begins with about a seventh of a token's weight, and every head learns its
# own. Forced open to 0 early, the wire cost what the checkpoint knows of general relevance (results/notes.md).
GATE_START, GATE_SCALE = -2.0, 40.0


class Wired:
    """Scores blocks with the wired encoder; pairs of all blocks together, in chunks of like length."""

    name = "wired"

    def __init__(self, model: WiredEncoder, tokenizer: PairTokenizer):
        self.model, self.tokenizer = model, tokenizer

    def __call__(self, blocks: Sequence[Block]) -> list[Tensor]:
        pairs: list[PreparedPair] = []
        for block in blocks:
            passages = self.tokenizer.encode_passages(block.passages)
            for query in block.queries:
                encoded = self.tokenizer.encode_query(query)
                pairs += [PreparedPair(encoded, passage) for passage in passages]
        order = sorted(range(len(pairs)), key=lambda i: pairs[i].tokens)
        parts, device = [], self.model.w.device
        for chunk in chunks(order, lambda i: pairs[i].tokens):
            batch = collate([pairs[i] for i in chunk])
            parts.append(self.model(**{k: t.to(device) for k, t in batch.items()}))
        logits = torch.cat(parts)[torch.argsort(torch.tensor(order)).to(device)]
        sizes = [len(block.queries) * len(block.passages) for block in blocks]
        return [part.view(len(block.queries), len(block.passages))
                for part, block in zip(logits.split(sizes), blocks, strict=True)]  # fmt: skip


def parameter_groups(model: nn.Module) -> list[dict[str, Any]]:
    """Lower layers learn slower; the head, which starts at zero, ten times faster; no word embeddings."""
    groups = []
    for name, parameter in model.named_parameters():
        if name == "word.weight":
            parameter.requires_grad_(False)
            continue
        if name.startswith("layers."):
            scale = LAYER_DECAY ** (5 - int(name.split(".")[1]))
        elif name.startswith(("position", "side", "norm")):
            scale = LAYER_DECAY**6
        else:
            scale = 10.0 if name in ("w", "w2", "head_out.weight") else 5.0
        scale = {"a": 100.0, "b": 100.0, "gate": GATE_SCALE}.get(name, scale)
        decay = 0.01 if parameter.ndim > 1 and name != "gate" else 0.0
        groups.append({"params": [parameter], "lr": 0.0, "scale": scale, "weight_decay": decay})
    return groups


@torch.no_grad()
def tune_figures(scorer: Any, blocks: Sequence[Block]) -> dict[str, float]:
    """Mean P@1 and reciprocal rank of the first right (gain 1) passage, over queries that have one."""
    first: list[int] = []
    for start in range(0, len(blocks), 8):
        for block, logits in zip(
            blocks[start : start + 8], scorer(blocks[start : start + 8]), strict=True
        ):
            order = logits.float().cpu().numpy().argsort(axis=1)[:, ::-1]
            gains = np.take_along_axis(block.targets, order, axis=1) >= 1
            first += [int(row.argmax()) + 1 for row in gains if row.any()]
    ranks = np.array(first, dtype=float)
    return {"p1": float((ranks == 1).mean()), "mrr": float((1 / ranks).mean()), "n": len(ranks)}


def learning_rate(progress: float) -> float:
    return LEARNING_RATE * min(progress / WARM_UP, max(0.05, (1 - progress) / (1 - WARM_UP)))


def train(
    scorer: Any, steps: Steps, tune: dict[str, list[Block]], options: argparse.Namespace
) -> None:
    folder = RUNS / options.name
    folder.mkdir(parents=True, exist_ok=True)
    model: nn.Module = scorer.model
    optimizer = torch.optim.AdamW(parameter_groups(model), betas=(0.9, 0.98))
    average = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    step, spent = 0, 0.0
    if options.resume:
        saved = torch.load(folder / "last.pt", weights_only=True)
        model.load_state_dict(saved["live"], strict=False)
        optimizer.load_state_dict(saved["optimizer"])
        average, step, spent = saved["average"], saved["step"], saved["spent"]
    started, log = time.monotonic() - spent, (folder / "log.jsonl").open("a")
    running: list[float] = []
    evaluated = -1

    def look(progress: float) -> None:
        live = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
        row: dict[str, Any] = {"step": step, "minutes": round((time.monotonic() - started) / 60, 1)}
        row |= {"progress": round(progress, 3), "loss": round(float(np.mean(running or [0])), 4)}
        if isinstance(gate := average.get("gate"), Tensor):
            row["gate"] = [round(float(g), 2) for g in gate.mean(dim=1)]
        model.load_state_dict(average, strict=False)
        with torch.autocast(options.device, torch.bfloat16):
            row |= {name: tune_figures(scorer, blocks) for name, blocks in tune.items()}
        state = copy.deepcopy({n: p for n, p in model.state_dict().items() if n != "word.weight"})
        torch.save({"model": state, "row": json.dumps(row)}, folder / f"average-{evaluated}.pt")
        model.load_state_dict(live, strict=False)
        torch.save({"live": live, "average": average, "optimizer": optimizer.state_dict(),
                    "step": step, "spent": time.monotonic() - started}, folder / "last.tmp")  # fmt: skip
        (folder / "last.tmp").replace(folder / "last.pt")
        print(json.dumps(row), flush=True)
        log.write(json.dumps(row) + "\n")
        log.flush()

    while True:
        clock = (time.monotonic() - started) / 60 / options.minutes if options.minutes else 0.0
        progress = min(1.0, step / options.steps if options.steps else clock)
        if int(progress * options.looks) > evaluated:
            evaluated = int(progress * options.looks)
            look(progress)
            running = []
        if progress >= 1:
            break
        blocks = steps.blocks(step)
        with torch.autocast(options.device, torch.bfloat16):
            logits = scorer(blocks)
        queries = sum(len(block.queries) for block in blocks)
        losses = [loss_of(b, z.float()) for b, z in zip(blocks, logits, strict=True)]
        loss = torch.stack(losses).sum() / queries
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress) * group["scale"]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        running.append(float(loss.detach()))
        keep = min(EMA, step / (step + 10))
        for name, parameter in model.named_parameters():
            if name in average:
                average[name].lerp_(parameter.detach(), 1 - keep)
        if step % 50 == 0:
            pairs = sum(len(b.queries) * len(b.passages) for b in blocks)
            print(f"step {step} progress {progress:.3f} loss {np.mean(running[-50:]):.4f} "
                  f"last step's pairs {pairs}", flush=True)  # fmt: skip


def arguments(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_data_option(parser)
    parser.add_argument("--name", default=name, help="folder under training/runs")
    parser.add_argument("--minutes", type=float, default=65, help="budget; the schedule follows it")
    parser.add_argument("--steps", type=int, default=0, help="instead of --minutes")
    parser.add_argument("--looks", type=int, default=8, help="evaluations on tune")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    options.device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    return options


def materials(options: argparse.Namespace) -> tuple[Steps, dict[str, list[Block]]]:
    """What both ways train on, in one order, and the blocks that checkpoints are chosen on."""
    split, rng = read_split(contrast(data_folder(options.data))), random.Random(0)
    lists, breadth_tune, outsiders = read_mix()
    whole = [(group, group_block(group, (), rng, plain=True)) for group in split["tune"]]
    tune = {
        "contrast": [block for group, block in whole if not group.own],
        "web": [block for group, block in whole if group.own],
        "breadth": [
            Block(i.source, (i.query,), i.passages, np.array([i.targets])) for i in breadth_tune
        ],
    }
    tune = {name: blocks for name, blocks in tune.items() if blocks}
    return Steps(split["train"], lists, outsiders, options.seed), tune


def main() -> None:
    options = arguments("wired")
    base = base_folder()
    model = start_model(base, GATE_START).to(options.device).train()
    tokenizer = PairTokenizer(base / "tokenizer.json", MAX_QUERY, MAX_PASSAGE)
    train(Wired(model, tokenizer), *materials(options), options)


if __name__ == "__main__":
    main()
