"""Do scenario texts occur in training texts? Writes, or checks, scenarios/overlap.json.

    python -m training.overlap          # where the data is: compare everything, write the manifest
    python -m training.overlap --check  # anywhere (CI): every scenario text is in the manifest

Texts overlap when they share 13 words in a row, or, where one has fewer words, are equal once case and
punctuation are gone. The manifest lists the sha256 of every scenario text found clean and is bound to the
weights: a changed text or other weights need a new comparison. Left out: paraphrases.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.readers import BREADTH, add_data_option, contrast, data_folder

GRAM = 13
SCENARIOS, WEIGHTS = Path("scenarios"), Path("rerank_core/weights")
MANIFEST = SCENARIOS / "overlap.json"


def words(text: str) -> list[str]:
    """Lower-cased words and numbers.

    >>> words("Closed on Monday, 9 a.m.!")
    ['closed', 'on', 'monday', '9', 'a', 'm']
    """
    return re.findall(r"\w+", text.lower())


def grams(text: str) -> set[str]:
    """All runs of 13 words; a shorter text is one gram, itself."""
    found = words(text)
    if len(found) <= GRAM:
        return {" ".join(found)} if found else set()
    return {" ".join(found[i : i + GRAM]) for i in range(len(found) - GRAM + 1)}


def digest(text: str) -> str:
    return hashlib.sha256(" ".join(words(text)).encode()).hexdigest()


@dataclass
class Index:
    """Texts by their grams; ``hits`` tells which of them another text overlaps with."""

    by_gram: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def over(cls, texts: Iterable[str]) -> Index:
        index = cls()
        for text in texts:
            for gram in grams(text):
                index.by_gram[gram].add(text)
        return index

    def hits(self, other: str) -> set[str]:
        return {text for gram in grams(other) for text in self.by_gram.get(gram, ())}


def scenario_texts(folder: Path = SCENARIOS) -> dict[str, str]:
    """Text -> where it stands, over all scenarios: queries and passages, titles with them."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*/scenario.toml")):
        for query in tomllib.loads(file.read_text("utf-8")).get("queries", []):
            found.setdefault(query["text"], f"{file.parent.name}: query {query.get('id', '')}")
    for file in sorted(folder.glob("*/passages.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            if line.strip():
                row = json.loads(line)
                found.setdefault(row["text"], f"{file.parent.name}: passage {row['doc_id']}")
    return found


def training_texts(data: Path) -> Iterator[str]:
    """Every query and passage that any reader can hand to training, whether or not the mix took it."""
    for read in BREADTH.values():
        for example in read(data):
            yield example.query
            yield from example.passages
    with gzip.open(data / "squad_sentences/src-test.txt.gz", "rt", encoding="utf-8") as lines:
        yield from lines
    for group in contrast(data):
        yield from group.passages
        yield from (query for query, _ in group.queries)


def check(scenarios: dict[str, str], manifest: dict[str, Any], model_hash: str) -> list[str]:
    """What is wrong, one line each; nothing when every text was compared for these weights."""
    fix = "run make overlap where the training data is"
    if manifest.get("weights") != model_hash:
        return [f"{MANIFEST} is for weights {manifest.get('weights')}, not {model_hash}: {fix}."]
    known = set(manifest.get("texts", ()))
    return [f"{place} is not in {MANIFEST}: {fix}."
            for text, place in scenarios.items() if digest(text) not in known]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument(
        "--check", action="store_true", help="only read the manifest; needs no data"
    )
    options = parser.parse_args()
    scenarios = scenario_texts()
    model_hash = json.loads((WEIGHTS / "config.json").read_text("utf-8"))["model_hash"]
    if options.check:
        if not MANIFEST.exists():
            raise SystemExit(f"{MANIFEST} is missing: run make overlap where the training data is.")
        wrong = check(scenarios, json.loads(MANIFEST.read_text("utf-8")), model_hash)
        if wrong:
            raise SystemExit("\n".join(wrong))
        print(f"All {len(scenarios)} scenario texts were compared for these weights.")
        return
    index, compared = Index.over(scenarios), 0
    overlapping: dict[str, str] = {}
    for text in training_texts(data_folder(options.data)):
        compared += 1
        for scenario_text in index.hits(text):
            overlapping.setdefault(scenario_text, text)
    for text, other in overlapping.items():
        print(f"{scenarios[text]} overlaps with a training text:\n  {text}\n  {other.strip()}")
    clean = sorted(digest(text) for text in scenarios if text not in overlapping)
    manifest = {"weights": model_hash, "training_texts": compared, "texts": clean}
    MANIFEST.write_text(json.dumps(manifest, indent=0) + "\n", "utf-8")
    print(f"{len(clean)} scenario texts share nothing with {compared} training texts: {MANIFEST}")
    if overlapping:
        raise SystemExit(
            f"{len(overlapping)} scenario texts overlap: reword them, then run it again."
        )


if __name__ == "__main__":
    main()
