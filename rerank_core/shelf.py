"""Loaded models, a few of each kind: what lets every visitor choose without filling the memory.

Left out: loading itself (models.py), and who uses which model.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from rerank_core.errors import InputError
from rerank_core.limits import MODELS_IN_MEMORY
from rerank_core.models import (
    EMBEDDED_BI_ENCODER,
    EMBEDDED_CROSS_ENCODER,
    KNOWN,
    Encoder,
    PairScorer,
    load_encoder,
    load_scorer,
)

M = TypeVar("M")


class _Row(Generic[M]):
    """Models of one kind, least recently used first."""

    def __init__(self, load: Callable[[str], M], size: int) -> None:
        self._load, self._size = load, size
        self._kept: OrderedDict[str, M] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def get(self, name: str) -> M:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            loading = self._loading.setdefault(name, threading.Lock())
        with loading:  # one load for all who ask; other models stay within reach meanwhile
            with self._lock:
                if name in self._kept:
                    return self._kept[name]
                self._make_room(
                    1
                )  # before the load: while it lasts, too, there are no more in memory
            model = self._load(name)
            with self._lock:
                self._kept[name] = model
                self._make_room(0)  # of two loads at once, each had made room for itself alone
                self._loading.pop(name, None)
        return model

    def holds(self, name: str) -> bool:
        with self._lock:
            return name in self._kept

    def _make_room(self, places: int) -> None:
        """Take models off until `places` are free, the embedded one and the newest last. Holds the lock."""
        while len(self._kept) > max(0, self._size - places):
            others = [n for n in self._kept if n not in KNOWN or not KNOWN[n].embedded]
            newest = next(reversed(self._kept))
            last = next(iter(self._kept))
            del self._kept[next((n for n in others if places or n != newest), last)]

    def names(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._kept)


class ModelShelf:
    """At most `size` models of each kind in memory, the least recently used goes first, the embedded ones last.

    A model that a visitor still holds lives on until they let go: taking one off the shelf changes nobody's choice.
    """

    def __init__(
        self,
        size: int = MODELS_IN_MEMORY,
        *,
        allow_any: bool = False,
        load_encoder: Callable[..., Encoder] = load_encoder,
        load_scorer: Callable[..., PairScorer] = load_scorer,
    ) -> None:
        if size < 1:
            raise InputError(f"A shelf holds at least 1 model of each kind, not {size}.")
        self._encoders = _Row(lambda name: load_encoder(name, allow_any=allow_any), size)
        self._scorers = _Row(lambda name: load_scorer(name, allow_any=allow_any), size)

    def encoder(self, name: str = EMBEDDED_BI_ENCODER) -> Encoder:
        """The bi-encoder of that name, loaded where it is not on the shelf; errors as `load_encoder`."""
        return self._encoders.get(name)

    def scorer(self, name: str = EMBEDDED_CROSS_ENCODER) -> PairScorer:
        """The cross-encoder of that name, loaded where it is not on the shelf; errors as `load_scorer`."""
        return self._scorers.get(name)

    def holds(self, name: str) -> bool:
        """Whether the model of that name is on the shelf; asking loads nothing."""
        return self._encoders.holds(name) or self._scorers.holds(name)

    def names(self) -> tuple[str, ...]:
        """What is on the shelf now, bi-encoders first, least recently used first."""
        return self._encoders.names() + self._scorers.names()
