"""A corpus: passages and their vectors, encoded once.

Left out: searching (retrieve.py), and what an index is (near_index.py). A corpus that is read from a file, with vectors
from the disk, is a StoredCorpus (stored_corpus.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rerank_core.errors import InputError
from rerank_core.inputs import as_passages
from rerank_core.limits import ENCODE_BATCH
from rerank_core.models import Encoder
from rerank_core.near_index import NearIndex, Rows, near_index
from rerank_core.records import Passage

Vectors = NDArray[np.float32]
OnProgress = Callable[[int, int], None]

__all__ = ["Corpus", "Rows", "as_passages"]


@dataclass(frozen=True, eq=False)
class Corpus:
    """`vectors` is (n, d) float32 with rows of unit length, row i for passage i; `model_hash` says whose they are.

    `encode_ms` is what encoding took, paid once (0 where the vectors came from elsewhere). Search is exact where `near`
    is None.
    """

    passages: Sequence[Passage]
    vectors: Rows
    model_hash: str
    encode_ms: float = 0.0
    near: NearIndex | None = None

    def __post_init__(self) -> None:
        if len(self.vectors.shape) != 2 or len(self.vectors) != len(self.passages):
            raise InputError(
                f"{len(self.passages)} passages need as many rows of vectors, not an array of shape "
                f"{self.vectors.shape}; encode them with Corpus.encode."
            )

    @classmethod
    def encode(
        cls,
        passages: Iterable[str | Passage],
        encoder: Encoder,
        progress: OnProgress | None = None,
    ) -> Corpus:
        """Encode every distinct text once, in length-sorted batches of ENCODE_BATCH.

        Equal texts get equal vectors. No passages give a corpus without rows, and the encoder is not asked.
        `progress(done, total)` is called after each batch, in distinct texts. Raises InputError as `as_passages`.
        """
        kept = tuple(as_passages(passages))
        start = perf_counter()
        texts = sorted({p.text for p in kept}, key=lambda t: (len(t), t))
        batches = []
        for at in range(0, len(texts), ENCODE_BATCH):
            batch = texts[at : at + ENCODE_BATCH]
            batches.append(np.asarray(encoder.encode_passages(batch), dtype=np.float32))
            if progress:
                progress(at + len(batch), len(texts))
        distinct = np.concatenate(batches) if batches else np.zeros((0, 0), dtype=np.float32)
        ms = (perf_counter() - start) * 1e3
        return cls.of_distinct(kept, texts, distinct, encoder.card.model_hash, ms)

    @classmethod
    def of_distinct(
        cls,
        passages: Sequence[Passage],
        texts: Sequence[str],
        vectors: Vectors,
        model_hash: str,
        encode_ms: float = 0.0,
    ) -> Corpus:
        """Passages with a row of `vectors` (m, d) for each of the m distinct `texts`, in any order."""
        row = {text: i for i, text in enumerate(texts)}
        all_rows = vectors[[row[p.text] for p in passages]] if passages else vectors
        all_rows.flags.writeable = False
        return cls(passages, all_rows, model_hash, encode_ms)

    def __len__(self) -> int:
        return len(self.passages)

    def indexed(self, progress: OnProgress | None = None) -> Self:
        """The same corpus, with an index where it has more than limits.EXACT_MAX distinct texts; see near_index.py.

        `progress(done, total)` counts the texts that are in it.
        """
        return replace(self, near=near_index(self.vectors, self.text_of, progress))

    @cached_property
    def first_row(self) -> NDArray[np.intp]:
        """(n,) for each passage the first row with an equal text: where its score is read, so that ties are exact."""
        first: dict[str, int] = {}
        rows = [first.setdefault(p.text, i) for i, p in enumerate(self.passages)]
        return np.asarray(rows, dtype=np.intp)

    @property
    def text_of(self) -> NDArray[np.intp]:
        """(n,) which distinct text each passage has, numbered from 0."""
        return np.unique(self.first_row, return_inverse=True)[1]
