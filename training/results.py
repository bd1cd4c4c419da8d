"""training/RESULTS.md from the JSON files in training/results/: nobody types a figure.

Every difference carries a 95 % interval by paired bootstrap (contrast: over groups, since the queries of a
group share passages; else over queries), and wins, ties, losses. Left out: measuring (``evaluate.py``).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluate import RESULTS
from training.sets import MEASURE_ONLY, figures

OUT = Path("training/RESULTS.md")
TITLES = {"tune": "contrast, tune split", "report": "contrast, report split (held out)",
          "dl20": "TREC DL 2020 passages, BM25's 100", "dl20-typos": "the same, queries with typos",
          "wikiqa": "WikiQA test", "cranfield": "Cranfield, the cosine's 100"}  # fmt: skip
TARGETS = {("report", "P@1"): "0.90", ("report", "MRR"): "0.94", ("dl20", "nDCG@10"): "0.66",
           ("dl20-typos", "nDCG@10"): "cosine + 0.05", ("wikiqa", "MRR"): "cosine + 0.05",
           ("wikiqa", "MAP"): "cosine + 0.05",
           ("cranfield", "nDCG@10"): "not below the cosine"}  # fmt: skip
COLUMNS = ("first", "cosine", "twin", "ours")
PUBLISHED = (
    "ms-marco-MiniLM-L6-v2: not measured here. Its model card gives nDCG@10 74.30 on TREC DL 2019 "
    "(reranking, https://huggingface.co/cross-encoder/ms-marco-MiniLM-L6-v2); it gives none for DL 2020."
)


@dataclass(frozen=True)
class Interval:
    mean: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int

    def __str__(self) -> str:
        return (f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}], "
                f"{self.wins}/{self.ties}/{self.losses}")  # fmt: skip


def resampled_means(values: np.ndarray, clusters: Sequence[Any], draws: int = 5000) -> np.ndarray:
    """Bootstrap means of ``values``, whole clusters drawn with replacement; seed fixed."""
    sums: dict[Any, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster].append(float(value))
    totals = np.array([[sum(v), len(v)] for v in sums.values()])
    picks = np.random.default_rng(0).integers(0, len(totals), (draws, len(totals)))
    drawn = totals[picks].sum(axis=1)
    return drawn[:, 0] / drawn[:, 1]


def paired_interval(
    a: np.ndarray, b: np.ndarray, clusters: Sequence[Any] | None = None
) -> Interval:
    """Mean of a - b over queries, its 95 % bootstrap interval, and how often a wins, ties, loses."""
    difference = np.round(a - b, 12)
    means = resampled_means(difference, clusters or range(len(a)))
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(round(float(difference.mean()), 12), float(low), float(high),
                    int((difference > 0).sum()), int((difference == 0).sum()),
                    int((difference < 0).sum()))  # fmt: skip


def load_results(folder: Path = RESULTS) -> dict[str, dict[str, dict[str, Any]]]:
    """set -> model -> result."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for file in sorted(folder.glob("*.json")):
        result = json.loads(file.read_text("utf-8"))
        found[result["set"]][result["model"]] = result
    return found


def values_of(result: dict[str, Any], figure: str) -> np.ndarray:
    return np.array([row[figure] for row in result["rows"]], dtype=float)


def clusters_of(result: dict[str, Any]) -> list[str]:
    """A contrast query's group ("a:17#2" -> "a:17"); elsewhere the query itself."""
    return [row["query_id"].split("#")[0] for row in result["rows"]]


def cell(result: dict[str, Any] | None, figure: str) -> str:
    return f"{result['means'][figure]:.3f}" if result else "–"


def overall(results: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    lines = [
        "| set | figure | n | first stage | cosine | twin | ours | to reach | ours - cosine | ours - twin |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in TITLES:
        models = results.get(name, {})
        if "ours" not in models:
            continue
        mine = models["ours"]
        for figure in figures(name):
            against = []
            for other in ("cosine", "twin"):
                if other in models:
                    a, b = values_of(mine, figure), values_of(models[other], figure)
                    against.append(str(paired_interval(a, b, clusters_of(mine))))
                else:
                    against.append("not measured")
            cells = [cell(models.get(model), figure) for model in COLUMNS]
            lines.append(f"| {TITLES[name]} | {figure} | {len(mine['rows'])} | " + " | ".join(
                [*cells, TARGETS.get((name, figure), ""), *against]) + " |")  # fmt: skip
    return [*lines, "", PUBLISHED, ""]


def by_slice(results: dict[str, dict[str, dict[str, Any]]], name: str) -> list[str]:
    models = results.get(name, {})
    if "ours" not in models:
        return []
    mine = models["ours"]
    lines = [f"## By slice: {TITLES[name]}, P@1", "",
             "| slice | queries | groups | cosine | twin | ours | 95 % interval of ours |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    clusters = clusters_of(mine)
    for part in sorted({row["slice"] for row in mine["rows"]}):
        keep = [i for i, row in enumerate(mine["rows"]) if row["slice"] == part]
        values = values_of(mine, "P@1")[keep]
        groups = [clusters[i] for i in keep]
        low, high = np.percentile(resampled_means(values, groups), [2.5, 97.5])
        others = [f"{values_of(models[m], 'P@1')[keep].mean():.3f}" if m in models else "–"
                  for m in ("cosine", "twin")]  # fmt: skip
        lines.append(f"| {part} | {len(keep)} | {len(set(groups))} | " + " | ".join(others)
                     + f" | {values.mean():.3f} | {low:.3f} to {high:.3f} |")  # fmt: skip
    return [*lines, ""]


def by_fold(results: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Slices over all folds, and how far five seeds lie apart."""
    folds = [
        models["short"] for name, models in sorted(results.items()) if name.startswith("fold-")
    ]
    if not folds:
        return []
    rows = [row for fold in folds for row in fold["rows"]]
    pooled = {"rows": rows}
    clusters, values = clusters_of(pooled), values_of(pooled, "P@1")
    base = {row["query_id"]: row["P@1"] for row in results["folds"]["cosine"]["rows"]}
    cosine = np.array([base[row["query_id"]] for row in rows])
    whole = paired_interval(values, cosine, clusters)
    lines = [f"## By slice: {len(folds)}-fold cross-validation over the groups of the train split, P@1", "",
             f"Short runs of the same recipe ({folds[0]['steps']} steps each, not the shipped weights): every "
             f"query is answered by a model that never read its group. Over all: {values.mean():.3f}, cosine "
             f"{cosine.mean():.3f}, difference {whole}.", "",
             "| slice | queries | groups | cosine | short runs | 95 % interval | short runs - cosine |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for part in sorted({row["slice"] for row in rows}):
        keep = [i for i, row in enumerate(rows) if row["slice"] == part]
        groups = [clusters[i] for i in keep]
        low, high = np.percentile(resampled_means(values[keep], groups), [2.5, 97.5])
        lines.append(f"| {part} | {len(keep)} | {len(set(groups))} | {cosine[keep].mean():.3f} | "
                     f"{values[keep].mean():.3f} | {low:.3f} to {high:.3f} | "
                     f"{paired_interval(values[keep], cosine[keep], groups)} |")  # fmt: skip
    tune = {name: [fold["tune"][name] for fold in folds] for name in ("P@1", "MRR")}
    spread = "; ".join(f"{name} {np.mean(v):.3f}, standard deviation {np.std(v, ddof=1):.3f}, "
                       f"{min(v):.3f} to {max(v):.3f}" for name, v in tune.items())  # fmt: skip
    return [*lines, "", f"Spread: on tune the {len(folds)} runs (each its own seed and four fifths of the "
            f"groups) give {spread}.", ""]  # fmt: skip


def lesson(results: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """The same weights read otherwise: wire cut, texts swapped."""
    lines = ["## The same weights, read otherwise", "", "| set | figure | ours | wire cut | rerank(d, q) |",
             "|---|---|---|---|---|"]  # fmt: skip
    for name, models in results.items():
        if "ours" in models and {"ours-cut", "ours-swapped"} & set(models):
            for figure in figures(name):
                cells = [cell(models.get(m), figure) for m in ("ours", "ours-cut", "ours-swapped")]
                lines.append(f"| {TITLES[name]} | {figure} | " + " | ".join(cells) + " |")
    return [*lines, ""] if len(lines) > 4 else []


def calibration(results: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    lines = ["## Calibration", "",
             "| pools | queries | ECE of all pairs, before -> after | ECE of rank 1, before -> after | "
             "P@1 | marked not confident | right where marked / elsewhere |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name in ("calibration-tune", "calibration-report"):
        for row in results.get(name, {}).values():
            marked = row["right_where_marked"]
            lines.append(
                f"| {name.split('-')[1]} | {row['queries']} | {row['ece_before']:.3f} -> "
                f"{row['ece_after']:.3f} | {row['ece_rank1_before']:.3f} -> {row['ece_rank1_after']:.3f}"
                f" | {row['p1_in_pools']:.3f} | {row['marked_not_confident']} | "
                f"{'–' if marked is None else f'{marked:.2f}'} / {row['right_elsewhere']:.2f} |"
            )
            note = f"Temperature {row['temperature']}, offset {row['offset']}; {row['note']}."
    return [*lines, "", note, ""] if len(lines) > 4 else []


def looks(folder: Path = RESULTS) -> list[str]:
    file = folder / "looks.jsonl"
    if not file.exists():
        return []
    counts: Counter[tuple[str, str]] = Counter()
    for line in file.read_text("utf-8").splitlines():
        look = json.loads(line)
        counts[look["set"], look["model"]] += 1
    lines = [
        "## How often the held-out sets were looked at",
        "",
        "| set | model: looks |",
        "|---|---|",
    ]
    for name in MEASURE_ONLY:
        each = ", ".join(
            f"{model}: {n}" for (part, model), n in sorted(counts.items()) if part == name
        )
        lines.append(f"| {TITLES[name]} | {each or 'none'} |")
    return [*lines, ""]


def main() -> None:
    results = load_results()
    mine = next((m["ours"] for m in results.values() if "ours" in m), None)
    head = ["# Results", "",
            "Written by `python -m training.results` from `results/` (its notes.md is the end); do not edit.",
            "",
            f"Weights: model hash `{mine['model_hash'] if mine else 'none'}`. Differences: mean, 95 % "
            "interval by paired bootstrap, wins/ties/losses. Grades' gains are 2^grade - 1.", ""]  # fmt: skip
    text = "\n".join([*head, *overall(results), *by_slice(results, "report"), *by_fold(results),
                      *calibration(results),
                      *lesson(results), *looks()])  # fmt: skip
    extra = RESULTS / "notes.md"
    OUT.write_text(text + "\n" + (extra.read_text("utf-8") if extra.exists() else ""), "utf-8")
    print(OUT)


if __name__ == "__main__":
    main()
