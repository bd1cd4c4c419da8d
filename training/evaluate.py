"""Measure one model on one set: ``python -m training.evaluate --set dl20 --model NAME``.

NAME is ``first`` (the order that the set comes in: BM25's on dl20), ``cosine``, ``ours``, ``ours-cut``
(its wire shut), ``ours-swapped`` (rerank(d, q), for the lesson), ``twin`` (a state under training/runs),
or any sentence-transformers cross-encoder by path or hub name. Writes one JSON a set and model into
``training/results/``, and notes every look at a set that is for measuring only. Left out: the table
(``results.py``).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from rerank_core.pair_tokens import PairTokenizer, PreparedPair
from rerank_core.wire import WiredScorer
from training.export import MAX_PASSAGE_TOKENS, MAX_QUERY_TOKENS, base_folder
from training.readers import add_data_option, data_folder
from training.sets import MEASURE_ONLY, Pool, figures, load_set, order_by

RESULTS = Path("training/results")
TWIN_STATE = Path("training/runs/twin/chosen.pt")
WEIGHTS = Path("rerank_core/weights")
SETS = ("tune", *MEASURE_ONLY)
Score = Callable[[str, Sequence[str]], np.ndarray]


def in_batches(
    prepared: Sequence[PreparedPair],
    score: Callable[[list[PreparedPair]], np.ndarray],
    size: int = 16,
) -> np.ndarray:
    """Length-sorted batches, the order restored."""
    order = sorted(range(len(prepared)), key=lambda i: prepared[i].tokens)
    scores = np.zeros(len(prepared), dtype=np.float32)
    for start in range(0, len(order), size):
        part = order[start : start + size]
        scores[part] = score([prepared[i] for i in part])
    return scores


def ours(
    weights: Path, wire: float = 1.0, swapped: bool = False, half: bool = False
) -> tuple[Score, str]:
    """The shipped model; ``half`` does its arithmetic in bf16, twice as fast here, for the largest sets."""
    scorer = WiredScorer.load(weights, base_folder())

    def score(query: str, texts: Sequence[str]) -> np.ndarray:
        prepared = scorer.prepare(query, texts)
        if swapped:
            prepared = [PreparedPair(pair.passage, pair.query) for pair in prepared]
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            return in_batches(prepared, lambda part: scorer.score(part, wire))

    return score, scorer.model_hash


def by_cosine(encode: Callable[[Sequence[str]], np.ndarray]) -> Score:
    """Every text is encoded once, however many queries it is a candidate for."""
    known: dict[str, np.ndarray] = {}

    def score(query: str, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys((query, *texts)) if text not in known]
        known.update(zip(new, encode(new), strict=True) if new else ())
        return np.stack([known[text] for text in texts]) @ known[query]

    return score


def twin(state: Path) -> tuple[Score, str]:
    """Cosines of the fine-tuned bi-encoder, in fp32, texts bounded as ours are."""
    from training.twin import Twin, start_twin

    model = start_twin()
    model.load_state_dict(torch.load(state, weights_only=True)["model"], strict=False)
    tokenizer = PairTokenizer(
        base_folder() / "tokenizer.json", MAX_QUERY_TOKENS, MAX_PASSAGE_TOKENS
    )
    encoder = Twin(model.eval(), tokenizer)

    @torch.inference_mode()
    def encode(texts: Sequence[str]) -> np.ndarray:
        return encoder.encode(tokenizer.encode_passages(texts)).numpy()

    return by_cosine(encode), "not shipped"


def cosine() -> tuple[Score, str]:
    """The base as its package ships it, in fp32."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(base_folder()), device="cpu")

    def encode(texts: Sequence[str]) -> np.ndarray:
        return model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)

    return by_cosine(encode), "all-MiniLM-L6-v2"


def public(name: str) -> tuple[Score, str]:
    """Raw logits of any cross-encoder that sentence-transformers can load."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(name, activation_fn=torch.nn.Identity(), max_length=512)
    return lambda query, texts: model.predict([(query, text) for text in texts], batch_size=8), name


def load_model(name: str, weights: Path, half: bool = False) -> tuple[Score, str]:
    if name == "first":
        return lambda _, texts: -np.arange(len(texts), dtype=np.float32), "first stage"
    if name == "cosine":
        return cosine()
    if name == "twin":
        return twin(TWIN_STATE)
    if name.startswith("ours"):
        return ours(weights, float(name != "ours-cut"), name == "ours-swapped", half)
    return public(name)


def measure(pools: Sequence[Pool], score: Score, set_name: str) -> list[dict[str, object]]:
    """One row a query: its figures, its slice, the scores' order by id."""
    rows: list[dict[str, object]] = []
    for pool in pools:
        ranked = order_by(score(pool.query, pool.texts), pool.doc_ids)
        values = {name: figure(ranked, pool.grades) for name, figure in figures(set_name).items()}
        rows.append({"query_id": pool.query_id, "slice": pool.slice, **values})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--set", choices=SETS, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--queries", type=int, default=0, help="only the first so many; not recorded"
    )
    parser.add_argument("--half", action="store_true", help="ours in bf16 arithmetic")
    options = parser.parse_args()
    torch.set_num_threads(2)
    pools = load_set(options.set, data_folder(options.data))[: options.queries or None]
    score, model_hash = load_model(options.model, options.weights, options.half)
    started = time.monotonic()
    rows = measure(pools, score, options.set)
    means = {name: float(np.mean([row[name] for row in rows])) for name in figures(options.set)}
    print(options.set, options.model, f"n={len(rows)}", {k: round(v, 4) for k, v in means.items()})
    if options.queries:
        return
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    label = options.model.replace("/", "_")
    result = {"set": options.set, "model": options.model, "model_hash": model_hash, "when": now,
              "arithmetic": "bf16" if options.half else "fp32",
              "seconds": round(time.monotonic() - started, 1), "means": means, "rows": rows}  # fmt: skip
    (RESULTS / f"{options.set}.{label}.json").write_text(json.dumps(result) + "\n", "utf-8")
    if options.set in MEASURE_ONLY:
        with (RESULTS / "looks.jsonl").open("a", encoding="utf-8") as file:
            look = {"when": now, "set": options.set, "model": options.model, "hash": model_hash}
            file.write(json.dumps(look) + "\n")


if __name__ == "__main__":
    main()
