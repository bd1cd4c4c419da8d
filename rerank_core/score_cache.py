"""Logits kept by (hash of model and backend, query, passage text), and one computation for all who ask at once.

A claim sorts the wanted pairs into three: kept (an Entry), under way for somebody else (a Pending that one waits for
too), and ours to compute (a Pending that others may join). Whoever leaves releases the claim: a Pending that nobody
waits for any longer is dropped when its turn comes, one that others wait for is computed all the same.

Left out: the computing. Thread-safe; one lock, never held during a forward pass.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

from rerank_core.errors import InputError
from rerank_core.limits import CACHE_PAIRS
from rerank_core.token_cache import TokenCache


class Key(NamedTuple):
    """What determines a logit: ModelCard.scores_hash and both texts."""

    scores_hash: str
    query: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One pair's logit; `ms` is its share of what its batch took when it was computed."""

    logit: float
    tokens: int
    cut: int
    ms: float


@dataclass(eq=False, slots=True)
class Pending:
    """A pair to be computed. Every field but `key` and `prepared` is read and written under the cache's lock."""

    key: Key
    prepared: Any = None
    prepare_ms: float = 0.0
    waiters: int = 1
    started: bool = False
    done_at: float | None = None
    entry: Entry | None = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Claim:
    """The pairs of one run: `kept` at once, `mine` to compute, `joined` under way for somebody else."""

    kept: dict[Key, Entry] = field(default_factory=dict)
    mine: list[Pending] = field(default_factory=list)
    joined: list[Pending] = field(default_factory=list)

    @property
    def pending(self) -> list[Pending]:
        return self.mine + self.joined


class Watch(NamedTuple):
    """How far a claim is: pairs done of those pending, whether any was started, and the first error."""

    done: int
    started: bool
    error: BaseException | None


class ScoreCache:
    """A bounded LRU of logits, and of tokenised passages.

    Give private texts a ScoreCache of their own and drop it with them.
    """

    def __init__(self, max_pairs: int = CACHE_PAIRS) -> None:
        if max_pairs < 1:
            raise InputError(f"A score cache holds at least 1 pair, not {max_pairs}.")
        self.max_pairs = max_pairs
        self.tokens = TokenCache()
        self._changed = threading.Condition()
        self._kept: OrderedDict[Key, Entry] = OrderedDict()
        self._under_way: dict[Key, Pending] = {}

    def __len__(self) -> int:
        with self._changed:
            return len(self._kept)

    def clear(self) -> None:
        """Forget every kept score; what is under way goes on."""
        with self._changed:
            self._kept.clear()

    def claim(
        self, keys: Iterable[Key], admit: Callable[[int], None], *, live: bool = False
    ) -> Claim:
        """Sort distinct `keys` into a Claim, registering those to compute for others to join.

        `admit` is told how many must be computed, if any, and raises to refuse: then nothing was claimed. With
        `live` nothing is read and nothing joined: all are computed now (their scores are kept afterwards).
        """
        claim = Claim()
        with self._changed:
            todo: list[Key] = []
            for key in keys:
                if not live and key in self._kept:
                    self._kept.move_to_end(key)
                    claim.kept[key] = self._kept[key]
                elif not live and key in self._under_way:
                    claim.joined.append(self._under_way[key])
                else:
                    todo.append(key)
            if todo:
                admit(len(todo))
            for pending in claim.joined:
                pending.waiters += 1
            for key in todo:
                pending = Pending(key)
                claim.mine.append(pending)
                if not live:
                    self._under_way[key] = pending
        return claim

    def release(self, claim: Claim) -> None:
        """Wait no longer. Every claim is released once, also after an error."""
        with self._changed:
            for pending in claim.pending:
                pending.waiters -= 1

    def take(self, queue: deque[Pending], most_tokens: int) -> list[Pending]:
        """Pendings off the front of `queue`, now started; unwanted ones are dropped on the way.

        The queue is sorted by tokens, rising: as many as make `most_tokens` with padding up to the last, at least one.
        """
        batch: list[Pending] = []
        with self._changed:
            while queue:
                pending = queue[0]
                if pending.waiters <= 0:
                    self._forget(queue.popleft())
                    continue
                if batch and (len(batch) + 1) * pending.prepared.tokens > most_tokens:
                    break
                pending.started = True
                batch.append(queue.popleft())
            if batch:
                self._changed.notify_all()
        return batch

    def finish(self, batch: Sequence[Pending], entries: Sequence[Entry]) -> None:
        """Keep the scores of a batch and wake all who wait for them."""
        now = perf_counter()
        with self._changed:
            for pending, entry in zip(batch, entries, strict=True):
                pending.entry, pending.done_at = entry, now
                self._forget(pending)
                self._kept[pending.key] = entry
                self._kept.move_to_end(pending.key)
            while len(self._kept) > self.max_pairs:
                self._kept.popitem(last=False)
            self._changed.notify_all()

    def fail(self, pendings: Iterable[Pending], error: BaseException) -> None:
        """These will not be computed: everyone who waits for one of them gets `error`."""
        now = perf_counter()
        with self._changed:
            for pending in pendings:
                if pending.done_at is None:
                    pending.error, pending.done_at = error, now
                    self._forget(pending)
            self._changed.notify_all()

    def wait(self, claim: Claim, seen: Watch | None, timeout_s: float) -> Watch:
        """How far `claim` is, as soon as that differs from `seen`, at the latest after `timeout_s` seconds."""
        pending = claim.pending
        with self._changed:
            self._changed.wait_for(lambda: self._watch(pending) != seen, timeout=timeout_s)
            return self._watch(pending)

    def wanted(self, queue: Iterable[Pending]) -> int:
        """How many of these somebody still waits for."""
        with self._changed:
            return sum(pending.waiters > 0 for pending in queue)

    @staticmethod
    def _watch(pending: Sequence[Pending]) -> Watch:
        return Watch(
            sum(p.done_at is not None for p in pending),
            any(p.started for p in pending),
            next((p.error for p in pending if p.error is not None), None),
        )

    def _forget(self, pending: Pending) -> None:
        if self._under_way.get(pending.key) is pending:
            del self._under_way[pending.key]
