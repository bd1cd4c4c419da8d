"""Choose on tune among a run's averages, and mixtures of them with the start; write the weights.

    python -m training.choose --version 2.0
    python -m training.choose --name twin       # the twin, by the same rule; its state stays under training/runs

Candidates: the last averages that the run left, and the last with 5 to 40 % of the starting weights mixed
in (which tends to keep general relevance). The choice is by the mean of three MRRs: held-out contrast
groups, held-out groups in the manner of web search, held-out breadth lists. Left out: anything about report.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rerank_core.pair_tokens import PairTokenizer
from training.export import (
    MAX_PASSAGE_TOKENS,
    MAX_QUERY_TOKENS,
    base_folder,
    start_model,
    write_weights,
)
from training.readers import add_data_option
from training.train import GATE_START, RUNS, Wired, materials, tune_figures
from training.twin import Twin, start_twin

SHARES_OF_START = (0.05, 0.10, 0.20, 0.30, 0.40)
WEIGHTS_OF = {"contrast": 0.5, "web": 0.25, "breadth": 0.25}
State = dict[str, Tensor]


def merit(row: Mapping[str, Mapping[str, float]]) -> float:
    """One number to choose by: .5 contrast MRR + .25 web MRR + .25 breadth MRR."""
    return sum(weight * row[part]["mrr"] for part, weight in WEIGHTS_OF.items())


def candidates_of(folder: Path, last: int, begin: State) -> dict[str, State]:
    """The run's last averages, by name, and the very last mixed with the start."""
    files = sorted(folder.glob("average-*.pt"), key=lambda f: int(f.stem[8:]))
    if not files:
        raise SystemExit(f"{folder} holds no average-*.pt: train first (python -m training.train).")
    found = {f.stem: torch.load(f, weights_only=True)["model"] for f in files[-last:]}
    end = found[files[-1].stem]
    for share in SHARES_OF_START:
        mixed = {name: tensor.lerp(begin[name], share) for name, tensor in end.items()}
        found[f"{files[-1].stem} + {share:.0%} start"] = mixed
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--name", default="wired", help="folder under training/runs")
    parser.add_argument("--version", default="local")
    parser.add_argument("--out", type=Path, default=Path("rerank_core/weights"))
    parser.add_argument("--last", type=int, default=3, help="how many of the last averages to try")
    options = parser.parse_args()
    options.seed = 0
    torch.set_num_threads(2)
    base, is_twin = base_folder(), options.name.startswith("twin")
    _, tune = materials(options)
    tokenizer = PairTokenizer(base / "tokenizer.json", MAX_QUERY_TOKENS, MAX_PASSAGE_TOKENS)
    model = start_twin() if is_twin else start_model(base, GATE_START)
    scorer: Any = Twin(model.eval(), tokenizer) if is_twin else Wired(model.eval(), tokenizer)  # type: ignore[arg-type]
    begin = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    states = candidates_of(RUNS / options.name, options.last, begin)
    rows: dict[str, dict[str, Any]] = {}
    for name, state in states.items():
        model.load_state_dict(state, strict=False)
        with torch.autocast("cpu", torch.bfloat16):
            rows[name] = {part: tune_figures(scorer, blocks) for part, blocks in tune.items()}
        print(name, json.dumps(rows[name]), f"merit {merit(rows[name]):.4f}", flush=True)
    best = max(rows, key=lambda name: merit(rows[name]))
    model.load_state_dict(states[best], strict=False)
    said = {"chosen": best, "rows": rows}
    (RUNS / options.name / "chosen.json").write_text(json.dumps(said, indent=1) + "\n")
    if is_twin:
        torch.save({"model": states[best]}, RUNS / options.name / "chosen.pt")
        print(f"{RUNS / options.name / 'chosen.pt'}: {best}")
        return
    config = write_weights(model, options.out, options.version, base)
    print(f"{options.out}: {best}, version {config['version']}, hash {config['model_hash']}")


if __name__ == "__main__":
    main()
