"""Models that need no weights: deterministic, and they count what they are asked."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rerank_core.records import ModelCard, Passage

SIZE = 32


def noise(*texts: str) -> float:
    """A number in [0, 1) that depends on the texts alone."""
    digest = hashlib.sha256("\x00".join(texts).encode("utf-8")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


class FakeEncoder:
    """Bags of hashed words, so that texts with common words are near each other.

    `calls` holds the texts of every call, `texts` how many were encoded in all.
    """

    def __init__(self, name: str = "fake-bi", error: Exception | None = None) -> None:
        self.card = ModelCard(name, "bi-encoder", f"hash-of-{name}", max_tokens=256)
        self.calls: list[list[str]] = []
        self.error = error

    @property
    def texts(self) -> int:
        return sum(len(call) for call in self.calls)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(list(texts))
        if self.error:
            raise self.error
        rows = np.zeros((len(texts), SIZE), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.1  # an empty text has a direction, too
            for word in words(text):
                row[1 + int(noise(word) * (SIZE - 1))] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True)
class FakePair:
    query: str
    passage: str
    tokens: int
    cut: int


class FakeScorer:
    """Logits from common words and noise. `forwards` holds the passages of every forward pass.

    `gate`, where given, holds every forward pass until it is set; `entered` is set when one begins. `sleep_s` makes
    passes slow; `error` makes every pass raise.
    """

    def __init__(
        self,
        name: str = "fake-cross",
        *,
        gate: threading.Event | None = None,
        sleep_s: float = 0.0,
        error: Exception | None = None,
        max_tokens: int = 64,
        temperature: float | None = None,
        not_confident_below: float | None = None,
    ) -> None:
        self.card = ModelCard(
            name,
            "cross-encoder",
            f"hash-of-{name}",
            max_tokens=max_tokens,
            temperature=temperature,
            offset=None if temperature is None else 0.0,
            not_confident_below=not_confident_below,
        )
        self.gate, self.entered, self.sleep_s, self.error = gate, threading.Event(), sleep_s, error
        self.forwards: list[list[str]] = []
        self.queries: list[str] = []
        self.prepared = 0
        self._busy = threading.Lock()

    @property
    def pairs(self) -> int:
        return sum(len(forward) for forward in self.forwards)

    def prepare(self, query: str, passages: Sequence[str]) -> list[FakePair]:
        self.prepared += len(passages)
        most = self.card.max_tokens
        sizes = [len(words(query)) + len(words(p)) + 4 for p in passages]
        return [
            FakePair(query, p, min(size, most), max(0, size - most))
            for p, size in zip(passages, sizes, strict=True)
        ]

    def score(self, prepared: Sequence[FakePair]) -> np.ndarray:
        assert self._busy.acquire(blocking=False), "two forward passes at once"
        try:
            self.entered.set()
            self.forwards.append([pair.passage for pair in prepared])
            self.queries.append(prepared[0].query)
            if self.gate:
                assert self.gate.wait(10), "the test never opened the gate"
            time.sleep(self.sleep_s)
            if self.error:
                raise self.error
            return np.array([logit(p.query, p.passage) for p in prepared], dtype=np.float32)
        finally:
            self._busy.release()


def logit(query: str, passage: str) -> float:
    """What FakeScorer says of a pair."""
    common = len(set(words(query)) & set(words(passage)))
    return float(np.float32(common + 4 * noise(query, passage) - 3))


def some_passages(n: int, topic: str = "thing") -> list[Passage]:
    """n passages of different lengths, ids t-000 up."""
    return [
        Passage(f"{topic[0]}-{i:03d}", f"{topic} number {i} " + "and more " * (i * 7 % 11))
        for i in range(n)
    ]


class Clock:
    """Says what time a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
