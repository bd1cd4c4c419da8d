"""What a training step reads, and its loss: blocks of queries against passages with graded targets.

A step holds two contrast groups (all their queries against all their passages and an outsider) and a few
breadth lists. The order follows from the seed alone. Left out: models and optimisation (``train.py``).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.augment import vary
from training.mix import TrainingList
from training.readers import Group

MAX_QUERY, MAX_PASSAGE, CHUNK_TOKENS = 40, 112, 3000
GAIN = {2: 1.0, 1: 0.4, 0: 0.0}
LAGGING = {"aspect": 1.3, "freshness": 1.3, "direction": 1.3, "negation": 1.2, "entity_role": 1.2}
GROUPS_PER_STEP, BREADTH_PER_STEP, OUTSIDERS = 2, 5, 1
BCE_WEIGHT, QUERY_SIDE_WEIGHT = 0.5, 0.3


@dataclass(frozen=True)
class Block:
    """Queries x passages with targets (q, p); one query for a breadth list."""

    source: str
    queries: tuple[str, ...]
    passages: tuple[str, ...]
    targets: np.ndarray


def group_block(group: Group, outsiders: Sequence[str], rng: random.Random, plain: bool) -> Block:
    extra = [] if plain else rng.sample(list(outsiders), min(OUTSIDERS, len(set(outsiders))))
    targets = np.zeros((len(group.queries), len(group.passages) + len(extra)), dtype=np.float32)
    for i, (_, relevant) in enumerate(group.queries):
        for j, grade in relevant.items():
            targets[i, j] = GAIN[grade]
    queries = tuple(q if plain else vary(q, rng) for q, _ in group.queries)
    return Block(group.slice, queries, (*group.passages, *extra), targets)


def list_block(item: TrainingList, rng: random.Random) -> Block:
    # Of a list to distill too: the teacher read the query as it was written, so that a typo should change nothing.
    targets = np.array([item.targets], dtype=np.float32)
    return Block(item.source, (vary(item.query, rng),), item.passages, targets)


class Steps:
    """Step number -> blocks. The order follows from the seed alone, so that a run can be resumed."""

    def __init__(
        self,
        groups: list[Group],
        lists: list[TrainingList],
        outsiders: dict[str, list[str]],
        seed: int,
    ):
        self.groups, self.lists, self.outsiders, self.seed = groups, lists, outsiders, seed
        self._epochs: dict[tuple[str, int], list[int]] = {}

    def _nth(self, kind: str, n: int) -> int:
        """The n-th draw of a kind: shuffled epochs, lagging slices' groups repeated by their weight."""
        if kind == "lists":
            weights = [1.0] * len(self.lists)
        else:
            weights = [LAGGING.get(group.slice, 1.0) for group in self.groups]
        size = round(sum(weights))
        key = (kind, n // size)
        if key not in self._epochs:
            rng = random.Random(f"{self.seed} {key}")
            order = list(range(len(weights)))
            while len(order) < size:
                order += rng.choices(range(len(weights)), [w - 1 for w in weights], k=1)
            rng.shuffle(order)
            self._epochs = {k: v for k, v in self._epochs.items() if k[0] != kind}
            self._epochs[key] = order[:size]
        return self._epochs[key][n % size]

    def blocks(self, step: int) -> list[Block]:
        rng = random.Random(f"{self.seed} step {step}")
        chosen = []
        for i in range(GROUPS_PER_STEP):
            group = self.groups[self._nth("groups", step * GROUPS_PER_STEP + i)]
            others = self.outsiders.get(group.group_id, ())
            chosen.append(group_block(group, others, rng, plain=False))
        for i in range(BREADTH_PER_STEP):
            item = self.lists[self._nth("lists", step * BREADTH_PER_STEP + i)]
            chosen.append(list_block(item, rng))
        return chosen


def loss_of(block: Block, logits: Tensor) -> Tensor:
    """logits (q, p) -> a scalar, the sum over the block's queries."""
    targets = torch.from_numpy(block.targets).to(logits.device)
    if block.source == "distill":
        return F.cross_entropy(logits, (16 * targets).softmax(dim=1), reduction="sum")
    loss = BCE_WEIGHT * F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / 4
    right = targets.sum(dim=1) > 0
    if right.any():
        wanted = targets[right] / targets[right].sum(dim=1, keepdim=True)
        loss = loss + F.cross_entropy(logits[right], wanted, reduction="sum")
    asked = targets.sum(dim=0) > 0
    if len(block.queries) > 1 and asked.any():
        wanted = (targets[:, asked] / targets[:, asked].sum(dim=0)).T
        side = F.cross_entropy(logits[:, asked].T, wanted, reduction="sum")
        loss = loss + QUERY_SIDE_WEIGHT * side
    return loss


def chunks(order: Sequence[int], tokens: Callable[[int], int]) -> Iterator[list[int]]:
    """Neighbours (sorted by length, rising) while their padded size stays within the budget."""
    part: list[int] = []
    for i in order:
        if part and (len(part) + 1) * tokens(i) > CHUNK_TOKENS:
            yield part
            part = []
        part.append(i)
    if part:
        yield part
