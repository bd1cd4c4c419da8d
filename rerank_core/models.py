"""Models as the rest of the package sees them: two small protocols, a registry, and loading by name.

Importing this module imports no torch; loading a model may (backend.py, adapters.py). The embedded models are the
default and never touch the network. Public checkpoints come from the Hugging Face hub on first use, from an
allow-list, at a pinned revision where one is known; safetensors only, and code from a model's repository never runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rerank_core.errors import InputError
from rerank_core.records import ModelCard

BI_ENCODER, CROSS_ENCODER = "bi-encoder", "cross-encoder"
EMBEDDED_BI_ENCODER = "embedded/all-MiniLM-L6-v2"
EMBEDDED_CROSS_ENCODER = "embedded/wired-MiniLM-L6"


class Encoder(Protocol):
    """A bi-encoder: each text alone becomes a vector."""

    @property
    def card(self) -> ModelCard: ...

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n texts -> (n, d) float32, rows of unit length, the model's prompt for queries put in front."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n texts -> (n, d) float32, rows of unit length, the model's prompt for passages put in front."""


class Prepared(Protocol):
    """A pair, tokenised; what else it holds is the scorer's business."""

    @property
    def tokens(self) -> int:
        """Tokens that will be read: query, passage and special ones."""

    @property
    def cut(self) -> int:
        """Tokens of both texts that did not fit."""


class PairScorer(Protocol):
    """A cross-encoder: query and passage are read together.

    Any object with these; hashable and weakly referable, as instances of plain classes are, and as an Encoder too.
    """

    @property
    def card(self) -> ModelCard: ...

    def prepare(self, query: str, passages: Sequence[str]) -> Sequence[Prepared]:
        """One Prepared a passage, in order."""

    def score(self, prepared: Sequence[Prepared]) -> NDArray[np.float32]:
        """n pairs -> (n,) float32 raw logits, in ONE forward pass."""


@dataclass(frozen=True, slots=True)
class Known:
    """One registered model. `revision` is a commit on the hub, or None where no commit is pinned (then `main`)."""

    name: str
    kind: str
    licence: str
    revision: str | None = None
    query_prompt: str = ""
    passage_prompt: str = ""
    embedded: bool = False
    note: str = ""


_BGE = "Represent this sentence for searching relevant passages: "
_C, _B = CROSS_ENCODER, BI_ENCODER

KNOWN: dict[str, Known] = {
    known.name: known
    for known in (
        Known(EMBEDDED_BI_ENCODER, _B, "Apache-2.0", embedded=True),
        Known(EMBEDDED_CROSS_ENCODER, _C, "Apache-2.0", embedded=True),
        Known("cross-encoder/ms-marco-MiniLM-L6-v2", _C, "Apache-2.0",
              "c5ee24cb16019beea0893ab7796b1df96625c6b8"),
        Known("cross-encoder/ms-marco-MiniLM-L12-v2", _C, "Apache-2.0",
              "7b0235231ca2674cb8ca8f022859a6eba2b1c968"),
        Known("cross-encoder/ms-marco-TinyBERT-L2-v2", _C, "Apache-2.0",
              "81d1926f67cb8eee2c2be17ca9f793c7c3bd20cc"),
        Known("BAAI/bge-reranker-base", _C, "MIT", "2cfc18c9415c912f9d8155881c133215df768a70"),
        Known("sentence-transformers/all-MiniLM-L6-v2", _B, "Apache-2.0",
              "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"),
        Known("sentence-transformers/multi-qa-MiniLM-L6-cos-v1", _B, "not declared by its card",
              "b207367332321f8e44f96e224ef15bc607f4dbf0"),
        Known("sentence-transformers/all-mpnet-base-v2", _B, "Apache-2.0",
              "e8c3b32edf5434bc2275fc9bab85f82640a19130"),
        Known("BAAI/bge-small-en-v1.5", _B, "MIT", "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a",
              query_prompt=_BGE),
        Known("intfloat/e5-small-v2", _B, "MIT", "ffb93f3bd4047442299a41ebb6fa998a38507c52",
              query_prompt="query: ", passage_prompt="passage: "),
    )
}  # fmt: skip
"""The allow-list, embedded models first. Prompts are those of the models' own cards."""


def known_names(kind: str) -> tuple[str, ...]:
    """The registered names of a kind ("bi-encoder" or "cross-encoder"), the embedded one first."""
    return tuple(known.name for known in KNOWN.values() if known.kind == kind)


def find_known(name: str, kind: str, *, allow_any: bool = False) -> Known:
    """The registry's entry, or with `allow_any` a plain one for any other name or local folder.

    Raises InputError for a name that is not on the list, or that is of the other kind.
    """
    known = KNOWN.get(name)
    if known is None and allow_any and name:
        return Known(name, kind, "unknown")
    if known is None:
        raise InputError(
            f"{name!r} is not on the list of models; choose one of {', '.join(known_names(kind))}."
        )
    if known.kind != kind:
        raise InputError(
            f"{name} is a {known.kind}, not a {kind}; choose one of {', '.join(known_names(kind))}."
        )
    return known


def load_encoder(name: str = EMBEDDED_BI_ENCODER, *, allow_any: bool = False) -> Encoder:
    """Load a bi-encoder by name, on the CPU.

    `allow_any` admits names off the list, and folders that hold a sentence-transformers model. Raises InputError
    (name), WeightsError (files missing, truncated or not those promised), RerankError (the hub cannot be reached).
    """
    known = find_known(name, BI_ENCODER, allow_any=allow_any)
    if known.embedded:
        from rerank_core.backend import embedded_encoder

        return embedded_encoder(known)
    from rerank_core import adapters

    return adapters.public_encoder(known)


def load_scorer(name: str = EMBEDDED_CROSS_ENCODER, *, allow_any: bool = False) -> PairScorer:
    """Load a cross-encoder by name, on the CPU; options and errors as `load_encoder`."""
    known = find_known(name, CROSS_ENCODER, allow_any=allow_any)
    if known.embedded:
        from rerank_core.backend import embedded_scorer

        return embedded_scorer(known)
    from rerank_core import adapters

    return adapters.public_scorer(known)
