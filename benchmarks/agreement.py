"""Does a backend on OpenVINO rank as torch in float32 does? Both on the same pairs, query by query.

    python -m benchmarks.agreement                    # bf16: writes AGREEMENT.md and agreement.json; some minutes
    python -m benchmarks.agreement --backend int8     # AGREEMENT-int8.md and agreement-int8.json; f32 likewise

On the sets that the cross-encoder was measured on (they lie beside the repository; what is absent is said), and on the
library: the bi-encoder's first 50 for every written query, and whether each scenario's expectations hold. A backend
is safe where all bounds hold on every set; otherwise torch stays the default. `--keep FOLDER` keeps torch's scores, so
that another backend of the same weights is compared in less time. Left out: speed (rerank.py).
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy.stats import kendalltau

from rerank_core import TwoStage, load_library
from rerank_core.backend import BF16, F32, INT8, TORCH, embedded_scorer
from rerank_core.embedded_scorer import EmbeddedScorer
from rerank_core.holds import holds
from rerank_core.limits import RETRIEVE_K_DEFAULT
from rerank_core.metrics import ndcg_at_k
from rerank_core.models import EMBEDDED_CROSS_ENCODER, KNOWN
from rerank_core.trace import this_environment
from training.evaluate import in_batches
from training.readers import data_folder
from training.sets import Pool, load_set, order_by

HERE = Path(__file__).parent
SCENARIOS = HERE.parent / "scenarios"
SETS = ("dl20", "wikiqa", "tune", "report")
DEPTH = 10
NDCG_MOST, TOP1_LEAST, OVERLAP_LEAST, TAU_LEAST = 0.003, 0.98, 0.95, 0.90


@dataclass(frozen=True)
class Agreement:
    """One set. `ndcg` holds torch's mean, the other's, and the ends of the difference's 95 % interval.

    `overlap` is over the `deep` queries with more than ten candidates; None where there is none.
    """

    name: str
    queries: int
    pairs: int
    ndcg: tuple[float, float, float, float]
    top1: float
    deep: int
    overlap: float | None
    tau: float
    largest: float
    rms: float

    @property
    def holds(self) -> bool:
        return (
            abs(self.ndcg[1] - self.ndcg[0]) <= NDCG_MOST
            and self.top1 >= TOP1_LEAST
            and (self.overlap is None or self.overlap >= OVERLAP_LEAST)
            and self.tau >= TAU_LEAST
        )


def agreement(
    name: str, pools: Sequence[Pool], exact: Sequence[np.ndarray], rounded: Sequence[np.ndarray]
) -> Agreement:
    """Both backends' logits, one array a pool. nDCG@10, first places, top tens, Kendall's tau-b, logits."""
    orders = [
        (order_by(a, pool.doc_ids), order_by(b, pool.doc_ids))
        for pool, a, b in zip(pools, exact, rounded, strict=True)
    ]
    judged = [
        (ndcg_at_k(a, pool.grades, DEPTH), ndcg_at_k(b, pool.grades, DEPTH))
        for pool, (a, b) in zip(pools, orders, strict=True)
        if any(grade > 0 for grade in pool.grades.values())
    ]
    pairs = np.array([(a or 0.0, b or 0.0) for a, b in judged])
    change = pairs[:, 1] - pairs[:, 0]
    draws = np.random.default_rng(0).integers(0, len(change), (2000, len(change)))
    low, high = np.quantile(change[draws].mean(axis=1), (0.025, 0.975))
    deep = [(a[:DEPTH], b[:DEPTH]) for a, b in orders if len(a) > DEPTH]
    off = np.concatenate([b - a for a, b in zip(exact, rounded, strict=True)])
    return Agreement(
        name, len(pools), len(off),
        (float(pairs[:, 0].mean()), float(pairs[:, 1].mean()), float(low), float(high)),
        fmean(a[0] == b[0] for a, b in orders),
        len(deep),
        fmean(len(set(a) & set(b)) / DEPTH for a, b in deep) if deep else None,
        fmean(float(kendalltau(a, b).statistic) for a, b in zip(exact, rounded, strict=True) if len(a) > 1),
        float(np.abs(off).max()), float(np.sqrt((off**2).mean())),
    )  # fmt: skip


def scores(scorer: EmbeddedScorer, pools: Sequence[Pool]) -> list[np.ndarray]:
    """Logits of every pool, all pairs of the set together in length-sorted batches."""
    prepared = [pair for pool in pools for pair in scorer.prepare(pool.query, pool.texts)]
    logits = in_batches(prepared, lambda part: scorer.score(part), size=8)
    ends = np.cumsum([len(pool.texts) for pool in pools])
    return np.split(logits, ends[:-1])


def kept(path: Path | None, make: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
    """What `make` gives, or what it gave before under the same name."""
    if path is None:
        return make()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, *make())
    with np.load(path) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


def library_pools(engine: TwoStage) -> list[Pool]:
    """The bi-encoder's first 50 of the library for each written query."""
    library = load_library(SCENARIOS)
    corpus = engine.corpus(library.passages)
    pools = []
    for query in library.queries:
        found = engine.retrieve(query.text, corpus, RETRIEVE_K_DEFAULT).ranking
        texts = tuple(p.text for p in found.passages)
        pools.append(Pool(query.id, query.text, found.doc_ids, texts, dict(query.relevance)))
    return pools


def unmet(engine: TwoStage) -> list[str]:
    """The written queries whose expectations do not all hold, at the page's N."""
    library = load_library(SCENARIOS)
    corpus = engine.corpus(library.passages)
    wrong = []
    for query in library.queries:
        if query.expect is not None:
            run = engine.compare(query.text, corpus, RETRIEVE_K_DEFAULT)
            wrong += [f"{query.id}: {hold.wanted}" for hold in holds(query, run) if not hold.holds]
    return wrong


def table(
    found: Sequence[Agreement],
    missed: Sequence[str],
    failed: dict[str, list[str]],
    setting: str,
    backend: str,
) -> list[str]:
    """AGREEMENT.md, or AGREEMENT-int8.md."""
    safe = all(one.holds for one in found) and not any(failed.values()) and not missed
    lines = [
        f"# Does the {setting} backend rank as torch does?",
        "",
        f"Written by `python -m benchmarks.agreement --backend {setting}`. Backend `{backend}` against torch in "
        "float32, the same pairs, query by query. The sets are those that the cross-encoder was measured on; they were "
        "run here to compare two computations of one model. What is chosen by them is whether the backend may be the "
        "default, nothing about the weights.",
        "",
        f"| set | queries | pairs | nDCG@10 torch | {setting} | difference, 95 % | same top 1 | top-10 overlap "
        "| Kendall tau | logits apart: rms, most |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        overlap = "none over 10" if one.overlap is None else f"{one.overlap:.3f} ({one.deep})"
        torch, other, low, high = one.ndcg
        lines.append(
            f"| {one.name} | {one.queries} | {one.pairs:,} | {torch:.4f} | {other:.4f} | {other - torch:+.4f} "
            f"({low:+.4f} to {high:+.4f}) | {one.top1:.3f} | {overlap} | {one.tau:.3f} "
            f"| {one.rms:.3f}, {one.largest:.2f} |"
        )
    total = sum(one.queries for one in found)
    lines += [
        "",
        f"Same first place over all {total} queries: {sum(o.top1 * o.queries for o in found) / total:.4f}.",
        "",
        f"Bounds, on every set: nDCG@10 within {NDCG_MOST}, the same top 1 on at least {TOP1_LEAST:.0%} of queries, "
        f"mean top-10 overlap (pools of more than ten) at least {OVERLAP_LEAST}, mean tau at least {TAU_LEAST:.2f}, "
        "every scenario's expectations on both backends.",
        "",
    ]
    for name, wrong in failed.items():
        lines.append(f"Expectations of the scenarios on {name}: {'; '.join(wrong) or 'all hold'}.")
    if missed:
        lines += ["", f"Not run, since not asked for or the data absent: {', '.join(missed)}."]
    if safe:
        return [*lines, "", f"All bounds hold: {setting} is safe as the default."]
    broken = [one.name for one in found if not one.holds]
    where = ", ".join([*broken, *(f"expectations on {n}" for n, w in failed.items() if w), *missed])
    tried = " What was tried to bring it nearer: FEWER_BITS.md." if setting == INT8 else ""
    return [*lines, "", f"Not all bounds hold ({where}): {setting} is not for the default.{tried}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the data sets")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--backend", choices=(BF16, F32, INT8), default=BF16)
    parser.add_argument("--keep", type=Path, help="folder for torch's scores")
    parser.add_argument("--sets", default=",".join(SETS), help="which of the sets")
    options = parser.parse_args()
    known = KNOWN[EMBEDDED_CROSS_ENCODER]
    torch = embedded_scorer(known, options.weights, setting=TORCH)
    other = embedded_scorer(known, options.weights, setting=options.backend)
    if not other.card.backend.startswith(f"openvino-{options.backend}"):
        raise SystemExit(
            f"It came to {other.card.backend}, not {options.backend}: OpenVINO is not there (the line above says why) "
            "or this processor has no such products."
        )
    engines = {"torch": TwoStage(None, torch), options.backend: TwoStage(None, other)}
    wanted = [name for name in options.sets.split(",") if name]
    found, missed = [], [name for name in SETS if name not in wanted]
    for name in (*wanted, "library"):
        try:
            library = name == "library"
            pools = (
                library_pools(engines["torch"])
                if library
                else load_set(name, data_folder(options.data))
            )
        except (SystemExit, OSError):
            missed.append(name)
            print(f"{name}: its data is absent", file=sys.stderr)
            continue
        keep = options.keep and options.keep / f"{torch.card.model_hash[:16]}-{name}-{len(pools)}.npz"  # fmt: skip
        exact = kept(keep, lambda pools=pools: scores(torch, pools))  # type: ignore[misc]
        found.append(agreement(name, pools, exact, scores(other, pools)))
        print(found[-1], file=sys.stderr, flush=True)
    failed = {name: unmet(engine) for name, engine in engines.items()}
    text = "\n".join(table(found, missed, failed, options.backend, other.card.backend)) + "\n"
    suffix = "" if options.backend == BF16 else f"-{options.backend}"
    (HERE / f"AGREEMENT{suffix}.md").write_text(text, encoding="utf-8")
    said_all = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "model_hash": other.card.model_hash,
        "backend": other.card.backend,
        "environment": this_environment().model_dump(),
        "sets": [asdict(one) for one in found],
        "absent": missed,
        "expectations_not_met": failed,
    }
    said = json.dumps(said_all, indent=1) + "\n"
    (HERE / f"agreement{suffix}.json").write_text(said, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
