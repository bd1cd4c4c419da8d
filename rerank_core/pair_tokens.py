"""Texts and pairs as word pieces for the embedded cross-encoder; no torch.

Left out: what computes a score of them (wire.py, openvino_scorer.py), and keeping them (token_cache.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer


@dataclass(frozen=True)
class Encoded:
    """One text as word pieces: ids with [CLS] and [SEP], and how many pieces were cut off."""

    ids: Sequence[int]
    cut: int


@dataclass(frozen=True)
class PreparedPair:
    """A query and a passage, tokenised; everything that a forward pass needs."""

    query: Encoded
    passage: Encoded

    @property
    def tokens(self) -> int:
        """Word pieces that the model reads, the four special ones included."""
        return len(self.query.ids) + len(self.passage.ids)

    @property
    def cut(self) -> int:
        """Word pieces, of both texts, that did not fit."""
        return self.query.cut + self.passage.cut


class PairTokenizer:
    """Texts to word pieces, and pairs to padded tensors.

    Query and passage are bounded apart, so that a long query never eats the passage; 256 is the
    bi-encoder's own bound for a text, 128 holds any query that a person types.
    """

    def __init__(self, tokenizer_file: Path, max_query_tokens: int, max_passage_tokens: int):
        self.max_query_tokens = max_query_tokens
        self.max_passage_tokens = max_passage_tokens
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode_query(self, text: str) -> Encoded:
        return self._encode([text], self.max_query_tokens)[0]

    def encode_passage(self, text: str) -> Encoded:
        return self._encode([text], self.max_passage_tokens)[0]

    def encode_passages(self, texts: Sequence[str], compact: bool = False) -> list[Encoded]:
        """`compact`: ids in two bytes each, for keeping many."""
        encoded = self._encode(texts, self.max_passage_tokens)
        return [Encoded(array("H", e.ids), e.cut) for e in encoded] if compact else encoded

    def pair(self, query: str, passages: Sequence[Encoded]) -> list[PreparedPair]:
        """The query, tokenised once, with each of the passages."""
        encoded = self.encode_query(query)
        return [PreparedPair(encoded, passage) for passage in passages]

    def _encode(self, texts: Sequence[str], bound: int) -> list[Encoded]:
        # A lone surrogate is a legal Python string and an illegal Unicode text: it becomes "?".
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encoded = []
        for pieces in self._tokenizer.encode_batch(clean):
            ids = pieces.ids
            cut = max(0, len(ids) - bound)
            encoded.append(Encoded(tuple(ids[: bound - 1] + ids[-1:]) if cut else tuple(ids), cut))
        return encoded
