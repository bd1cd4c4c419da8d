"""Passages as tokens, kept: with a corpus that stays, each is tokenised once, however many queries it meets.

A ScoreCache has one of its own, so that private texts go with the cache that they were given. Left out: queries, which
are tokenised once a run, and scorers that read both texts together (public checkpoints): those prepare every pair.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from rerank_core.limits import CACHE_PASSAGES
from rerank_core.models import PairScorer, Prepared


@runtime_checkable
class ReadsApart(Protocol):
    """A PairScorer whose passages are tokenised without the query."""

    def encode_passages(self, texts: Sequence[str]) -> Sequence[Any]:
        """One tokenised passage a text."""

    def pair(self, query: str, passages: Sequence[Any]) -> Sequence[Prepared]:
        """What `prepare` gives, of passages that `encode_passages` gave."""


class TokenCache:
    """A bounded LRU of tokenised passages, by scorer's model and text. Thread-safe."""

    def __init__(self, most: int = CACHE_PASSAGES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)

    def prepare(self, scorer: PairScorer, query: str, texts: Sequence[str]) -> Sequence[Prepared]:
        """What `scorer.prepare` gives; only passages that are not kept are tokenised."""
        if not isinstance(scorer, ReadsApart):
            return scorer.prepare(query, texts)
        keys = [(scorer.card.model_hash, text) for text in texts]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        new = list(dict.fromkeys(key for key in keys if key not in found))
        encoded = scorer.encode_passages([text for _, text in new])
        found.update(zip(new, encoded, strict=True))
        with self._lock:
            self._kept.update((key, found[key]) for key in new)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return scorer.pair(query, [found[key] for key in keys])
