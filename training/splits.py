"""Contrast groups into train, tune and report (80/10/10): by group, stratified by slice, near-duplicates kept together.

Groups whose passages (cosine of the bi-encoder above .90) or queries (above .93) nearly repeat one
another travel as one. The files under ``splits/`` hold group ids, are committed and are what training
reads. Our own added groups go to train, those of ``web-tune.jsonl`` to tune. One of ours that nearly repeats a
given tune or report group is not used at all, nor one of web-tune that nearly repeats a train group. Left out:
the breadth sets, which are only trained on.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.export import base_folder
from training.negatives import BiEncoder
from training.readers import Group, add_data_option, contrast, data_folder

FOLDER = Path(__file__).parent / "splits"
NAMES = ("train", "tune", "report")
PASSAGE_COSINE, QUERY_COSINE, SEED = 0.90, 0.93, 20
WEB_TUNE = "own-web-tune:"


def near_pairs(groups: Sequence[Group], encoder: BiEncoder) -> set[tuple[int, int]]:
    """Pairs of different groups that share a near-duplicate passage or query."""
    pairs: set[tuple[int, int]] = set()
    for texts, bound in (
        ([(t, i) for i, g in enumerate(groups) for t in g.passages], PASSAGE_COSINE),
        ([(q, i) for i, g in enumerate(groups) for q, _ in g.queries], QUERY_COSINE),
    ):
        vectors = encoder.encode([text for text, _ in texts])
        owner = np.array([i for _, i in texts])
        for start in range(0, len(texts), 1000):
            rows, columns = np.nonzero(vectors[start : start + 1000] @ vectors.T > bound)
            a, b = owner[rows + start], owner[columns]
            pairs |= {(int(x), int(y)) for x, y in zip(a, b, strict=True) if x < y}
    return pairs


def clusters(count: int, pairs: set[tuple[int, int]]) -> list[list[int]]:
    """Connected parts, by union-find.

    >>> clusters(4, {(0, 2)})
    [[0, 2], [1], [3]]
    """
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in sorted(pairs):
        parent[max(root(a), root(b))] = min(root(a), root(b))
    parts: dict[int, list[int]] = defaultdict(list)
    for i in range(count):
        parts[root(i)].append(i)
    return list(parts.values())


def assign(
    groups: Sequence[Group], parts: list[list[int]], seed: int = SEED
) -> dict[str, list[str]]:
    """Per slice, shuffled clusters fill tune and report up to 10 % each; the rest trains.

    Clusters that reach over slices, or hold more than two groups, train.
    """
    rng = random.Random(seed)
    split: dict[str, list[str]] = {name: [] for name in NAMES}
    by_slice: dict[str, list[list[int]]] = defaultdict(list)
    for part in parts:
        slices = {groups[i].slice for i in part}
        if len(slices) == 1 and len(part) <= 2:
            by_slice[slices.pop()].append(part)
        else:
            split["train"] += [groups[i].group_id for i in part]
    sizes: dict[str, int] = defaultdict(int)
    for group in groups:
        sizes[group.slice] += 1
    for name, slice_parts in sorted(by_slice.items()):
        rng.shuffle(slice_parts)
        quota = max(1, round(sizes[name] / 10))
        filled = {"tune": 0, "report": 0}
        for part in slice_parts:
            place = next((n for n in filled if filled[n] + len(part) <= quota), "train")
            if place != "train":
                filled[place] += len(part)
            split[place] += [groups[i].group_id for i in part]
    return {name: sorted(ids) for name, ids in split.items()}


def read_split(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """Groups by split, from the committed files; a group in no file is left out."""
    by_id = {group.group_id: group for group in groups}
    return {
        name: [by_id[i] for i in json.loads((FOLDER / f"{name}.json").read_text()) if i in by_id]
        for name in NAMES
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write splits/*.json")
    add_data_option(parser)
    groups = contrast(data_folder(parser.parse_args().data))
    encoder = BiEncoder(base_folder(), Path("training/runs/cache"))
    pairs = near_pairs(groups, encoder)
    own = {i for i, group in enumerate(groups) if group.group_id.startswith("own-")}
    given = [group for i, group in enumerate(groups) if i not in own]
    split = assign(given, clusters(len(given), {p for p in pairs if not own & set(p)}))
    held = {i for i, g in enumerate(groups) if g.group_id in {*split["tune"], *split["report"]}}
    web = {i for i in own if groups[i].group_id.startswith(WEB_TUNE)}

    def near(these: set[int], those: set[int]) -> set[int]:
        return {i for a, b in pairs for i, j in ((a, b), (b, a)) if i in these and j in those}

    unused = near(own, held)
    train = set(range(len(groups))) - held - web - unused
    unused |= near(web, train)
    split["train"] += sorted(groups[i].group_id for i in own & train)
    split["tune"] += sorted(groups[i].group_id for i in web - unused)
    FOLDER.mkdir(exist_ok=True)
    for name, ids in split.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(ids, indent=0) + "\n")
        print(f"{name}: {len(ids)} groups")
    print(f"near-duplicate pairs of groups: {len(pairs)}; own groups not used: {len(unused)}")


if __name__ == "__main__":
    main()
