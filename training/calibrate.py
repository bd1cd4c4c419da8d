"""Temperature, offset and the "not confident" threshold, from dense top-50 pools of the tune split.

A pool is a tune query with the bi-encoder's first 50 of all tune groups' passages (so mostly wrong
passages, as on the page). sigmoid(logit / temperature + offset) is fitted by maximum likelihood; grade 2
is relevant. Partly right ones (grade 1) are left out of the fit. The threshold is the rank-1 probability
below which at most two of three first answers are right. What it gives is estimated, for pools like these.
Unlisted passages of other groups count as wrong: nobody judged them. Left out: any fit on report, which
is only looked at here for the error that is left.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from training.evaluate import RESULTS, WEIGHTS, Score, ours
from training.export import base_folder
from training.negatives import BiEncoder, nearest
from training.readers import add_data_option, data_folder
from training.sets import Pool, contrast_pools
from training.train import RUNS

DEPTH, BINS, SHARE_RIGHT = 50, 10, 2 / 3
NOTE = "estimated, for pools like these: dense top 50 of the tune split's passages"


def dense_pools(pools: Sequence[Pool], encoder: BiEncoder, depth: int = DEPTH) -> list[Pool]:
    """Every query over the bi-encoder's first ``depth`` of all the pools' passages."""
    texts: dict[str, str] = {}
    for pool in pools:
        texts.update(zip(pool.doc_ids, pool.texts, strict=True))
    ids = list(texts)
    vectors = encoder.encode([texts[i] for i in ids])
    queries = encoder.encode([pool.query for pool in pools])
    return [
        Pool(pool.query_id, pool.query, tuple(ids[i] for i in row),
             tuple(texts[ids[i]] for i in row), pool.grades, pool.slice)
        for pool, row in zip(pools, nearest(queries @ vectors.T, depth), strict=True)
    ]  # fmt: skip


def scored(pools: Sequence[Pool], score: Score) -> tuple[np.ndarray, np.ndarray]:
    """(q, n) logits and grades."""
    logits = np.stack([score(pool.query, pool.texts) for pool in pools])
    grades = np.array([[pool.grades.get(i, 0) for i in pool.doc_ids] for pool in pools])
    return logits, grades


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))


def fit(logits: np.ndarray, relevant: np.ndarray) -> tuple[float, float]:
    """Temperature and offset by maximum likelihood.

    >>> x = np.array([-4.0, -2, 0, 2, 4]); t, o = fit(np.tile(x, 400), np.random.default_rng(0).random(2000)
    ...     < np.tile(sigmoid(x / 2 - 1), 400)); bool(abs(t - 2) < 0.3 and abs(o + 1) < 0.3)
    True
    """

    def cost(p: np.ndarray) -> float:
        z = logits / np.exp(p[0]) + p[1]
        return float(np.mean(np.logaddexp(0, z) - relevant * z))

    found = minimize(cost, np.zeros(2), method="Nelder-Mead", options={"maxiter": 4000})
    return float(np.exp(found.x[0])), float(found.x[1])


def expected_calibration_error(p: np.ndarray, relevant: np.ndarray, bins: int = BINS) -> float:
    """Mean over equal-width bins, by share, of |mean probability - share that is relevant|.

    >>> float(expected_calibration_error(np.array([.25, .25, .95, .95]), np.array([0, 1, 1, 1])))
    0.15
    """
    which = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[which == b].mean() - relevant[which == b].mean()) * (which == b).mean()
            for b in range(bins) if (which == b).any()]  # fmt: skip
    return round(float(sum(gaps)), 10)


def threshold(p: np.ndarray, right: np.ndarray, share_right: float = SHARE_RIGHT) -> float:
    """The largest rank-1 probability below which no more than ``share_right`` of the answers are right."""
    order = np.argsort(p)
    share = np.cumsum(right[order]) / np.arange(1, len(p) + 1)
    low = np.flatnonzero(share <= share_right)
    if not len(low):
        return 0.0
    return float(np.append(p[order], 1.0)[low[-1] + 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--report", action="store_true", help="only measure the error on report")
    parser.add_argument("--half", action="store_true", help="score in bf16 arithmetic")
    options = parser.parse_args()
    data, encoder = data_folder(options.data), BiEncoder(base_folder(), None)
    score, model_hash = ours(options.weights, half=options.half)
    pools = dense_pools(contrast_pools(data, "report" if options.report else "tune"), encoder)
    logits, grades = scored(pools, score)
    kept = RUNS / f"pools-{'report' if options.report else 'tune'}-{model_hash[:12]}.npz"
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(kept, logits=logits, grades=grades)
    known, relevant = grades != 1, grades == 2
    file = options.weights / "config.json"
    config = json.loads(file.read_text("utf-8"))
    if not options.report:
        temperature, offset = fit(logits[known], relevant[known])
        first = logits.argmax(axis=1)
        rows = np.arange(len(pools))
        p1 = sigmoid(logits[rows, first] / temperature + offset)
        config["calibration"] = {
            "temperature": round(temperature, 4),
            "offset": round(offset, 4),
            "not_confident_below": round(threshold(p1, relevant[rows, first]), 3),
            "note": NOTE,
        }
        file.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    stored = config["calibration"]
    p = sigmoid(logits / stored["temperature"] + stored["offset"])
    first = logits.argmax(axis=1)
    rows = np.arange(len(pools))
    top, right = p[rows, first], relevant[rows, first]
    marked = top < stored["not_confident_below"]
    result = {
        "set": "calibration-report" if options.report else "calibration-tune",
        "model": "ours", "model_hash": model_hash, "queries": len(pools), "pairs": int(known.sum()),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "arithmetic": "bf16" if options.half else "fp32",
        "ece_before": expected_calibration_error(sigmoid(logits)[known], relevant[known]),
        "ece_after": expected_calibration_error(p[known], relevant[known]),
        "ece_rank1_before": expected_calibration_error(sigmoid(logits)[rows, first], right),
        "ece_rank1_after": expected_calibration_error(top, right),
        "p1_in_pools": float(right.mean()), "marked_not_confident": int(marked.sum()),
        "right_where_marked": float(right[marked].mean()) if marked.any() else None,
        "right_elsewhere": float(right[~marked].mean()), **stored,
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{result['set']}.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
