"""Choose on tune among a run's averages, and mixtures of them with the start; write the weights.

    python -m training.choose --version 1.0

Candidates: each average that the run left, and the last with 5 to 40 % of the starting weights mixed
in (which tends to keep general relevance). The choice is by the mean of three MRRs: held-out contrast
groups, held-out groups in the manner of web search, held-out breadth lists. Left out: anything about report.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from rerank_core.wire import PairTokenizer
from training.export import (
    MAX_PASSAGE_TOKENS,
    MAX_QUERY_TOKENS,
    base_folder,
    start_model,
    write_weights,
)
from training.readers import add_data_option
from training.train import GATE_START, RUNS, Wired, materials, tune_figures

SHARES_OF_START = (0.05, 0.10, 0.20, 0.30, 0.40)
WEIGHTS_OF = {"contrast": 0.5, "web": 0.25, "breadth": 0.25}


def merit(row: dict[str, dict[str, float]]) -> float:
    """One number to choose by: .5 contrast MRR + .25 web MRR + .25 breadth MRR."""
    return sum(weight * row[part]["mrr"] for part, weight in WEIGHTS_OF.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--name", default="wired")
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=Path, default=Path("rerank_core/weights"))
    parser.add_argument("--last", type=int, default=2, help="how many of the last averages to try")
    options = parser.parse_args()
    options.seed = 0
    torch.set_num_threads(2)
    base = base_folder()
    _, tune = materials(options)
    model = start_model(base, GATE_START)
    tokenizer = PairTokenizer(base / "tokenizer.json", MAX_QUERY_TOKENS, MAX_PASSAGE_TOKENS)
    begin = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    files = sorted((RUNS / options.name).glob("average-*.pt"), key=lambda f: int(f.stem[8:]))
    candidates = {f.stem: torch.load(f, weights_only=True)["model"] for f in files[-options.last :]}
    last = candidates[files[-1].stem]
    for share in SHARES_OF_START:
        candidates[f"{files[-1].stem} + {share:.0%} start"] = {
            name: tensor.lerp(begin[name], share) for name, tensor in last.items()
        }
    rows = {}
    for name, state in candidates.items():
        model.load_state_dict(state, strict=False)
        with torch.autocast("cpu", torch.bfloat16):
            rows[name] = {
                part: tune_figures(Wired(model, tokenizer), b) for part, b in tune.items()
            }
        print(name, json.dumps(rows[name]), f"merit {merit(rows[name]):.4f}", flush=True)
    best = max(rows, key=lambda name: merit(rows[name]))
    model.load_state_dict(candidates[best], strict=False)
    config = write_weights(model, options.out, options.version, base)
    (RUNS / options.name / "chosen.json").write_text(json.dumps({"chosen": best, "rows": rows}))
    print(f"{options.out}: {best}, version {config['version']}, hash {config['model_hash']}")


if __name__ == "__main__":
    main()
