"""A corpus that is larger than one wants in memory: texts stay in their file, vectors are mapped from the cache.

It is searched in steps of SEARCH_ROWS rows, or by an index. What stays in memory for 100,000 passages is about 40 MB of
ids and places; the 150 MB of vectors at 384 dimensions are the system's to keep or to read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rerank_core.cache_folder import make_room
from rerank_core.corpus import Corpus, OnProgress, Vectors
from rerank_core.corpus_file import CorpusFile
from rerank_core.errors import RerankError
from rerank_core.limits import ENCODE_BATCH, ENCODE_WINDOW, SEARCH_ROWS
from rerank_core.models import Encoder
from rerank_core.vectors_cache import RECORD, Part, VectorsCache

FLOAT_BYTES = 4


class StoredRows:
    """Rows (n, d) over several files: `slot_of` (n,) says for each row which distinct text it is."""

    def __init__(self, parts: Sequence[Part], slot_of: NDArray[np.intp]) -> None:
        self._parts, self.slot_of = parts, slot_of
        self._distinct = sum(len(part.rows) for part in parts)
        self.shape = len(slot_of), parts[0].vectors.shape[1]

    def __len__(self) -> int:
        return len(self.slot_of)

    def __matmul__(self, vector: Vectors, /) -> Vectors:
        """(n, d) @ (d,) -> (n,): equal texts get the same number, since it is computed once."""
        scores = np.empty(self._distinct, dtype=np.float32)
        for part in self._parts:
            for at in range(0, len(part.rows), SEARCH_ROWS):
                rows = part.rows[at : at + SEARCH_ROWS]
                first, last = int(rows[0]), int(rows[-1])
                whole = last - first + 1 == len(rows)  # then no copy is needed
                block = part.vectors[first : last + 1] if whole else part.vectors[rows]
                scores[part.slots[at : at + SEARCH_ROWS]] = block @ vector
        found: Vectors = scores[self.slot_of]
        return found

    def __getitem__(self, rows: NDArray[np.intp], /) -> Vectors:
        """(m,) row numbers -> (m, d)."""
        part_of, row_of = self._places
        slots = self.slot_of[rows]
        found = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        for number in np.unique(part_of[slots]).tolist():
            mine = part_of[slots] == number
            found[mine] = self._parts[number].vectors[row_of[slots[mine]]]
        return found

    @cached_property
    def _places(self) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """(distinct,) the part that has each slot, and the row in it."""
        part_of = np.empty(self._distinct, dtype=np.int32)
        row_of = np.empty(self._distinct, dtype=np.intp)
        for number, part in enumerate(self._parts):
            part_of[part.slots], row_of[part.slots] = number, part.rows
        return part_of, row_of


class StoredCorpus(Corpus):
    """A Corpus over a CorpusFile and StoredRows."""

    vectors: StoredRows

    @cached_property
    def first_row(self) -> NDArray[np.intp]:
        """(n,): every row is its own, for StoredRows give equal texts equal scores already."""
        return np.arange(len(self), dtype=np.intp)

    @property
    def text_of(self) -> NDArray[np.intp]:
        return self.vectors.slot_of


@dataclass(frozen=True, slots=True)
class IndexCost:
    """What it took to have the vectors, paid once: distinct texts encoded now, those kept from before, milliseconds."""

    encoded: int
    kept: int
    ms: float


def stored_corpus(
    file: CorpusFile,
    encoder: Encoder,
    folder: Path,
    most_bytes: int,
    say: Callable[[str], None],
    progress: OnProgress | None = None,
) -> tuple[StoredCorpus, IndexCost]:
    """The corpus of a file, its missing vectors encoded and kept under `folder`, which may hold `most_bytes`.

    `progress(done, total)` counts the distinct texts that are encoded now; `say` is given a sentence where a damaged
    file of the cache was deleted. A run that is cut goes on where it was. Raises InputError where the vectors do not
    fit, FileError where the folder cannot be written or the file changed, RerankError where the encoder fails.
    """
    start = perf_counter()
    slots, slot_of = _distinct(file)
    cache = VectorsCache(folder, encoder.card.model_hash, say)
    kept = cache.find(slots)
    missing = np.ones(len(slots), dtype=bool)
    for part in kept:
        missing[part.slots] = False
    encoded = int(missing.sum())
    if encoded:
        in_use = [path for part in kept for path in part.paths]
        _encode(file, encoder, cache, slot_of, missing, (folder, most_bytes, in_use), progress)
        kept = cache.find(slots)
        if sum(len(part.rows) for part in kept) != len(slots):
            raise RerankError(
                f"Vectors that were just written to {folder} are not there; is something else deleting them?"
            )
    rows = StoredRows(kept, slot_of)
    corpus = StoredCorpus(file, rows, encoder.card.model_hash)
    cost = IndexCost(encoded, len(slots) - encoded, (perf_counter() - start) * 1e3)
    return corpus, cost


def _distinct(file: CorpusFile) -> tuple[dict[bytes, int], NDArray[np.intp]]:
    """Each distinct text's key -> slot, and (n,) the slot of each passage."""
    slots: dict[bytes, int] = {}
    slot_of = np.fromiter(
        (slots.setdefault(file.key(row), len(slots)) for row in range(len(file))), dtype=np.intp
    )
    return slots, slot_of


def _encode(
    file: CorpusFile,
    encoder: Encoder,
    cache: VectorsCache,
    slot_of: NDArray[np.intp],
    missing: NDArray[np.bool_],
    room: tuple[Path, int, Sequence[Path]],
    progress: OnProgress | None,
) -> None:
    done, total = 0, int(missing.sum())
    texts = _missing_texts(file, slot_of, missing)
    with cache.writer() as writer:
        while window := list(islice(texts, ENCODE_WINDOW)):
            window.sort(key=lambda item: (len(item[1]), item[1]))
            for at in range(0, len(window), ENCODE_BATCH):
                batch = window[at : at + ENCODE_BATCH]
                vectors = np.asarray(
                    encoder.encode_passages([text for _, text in batch]), dtype=np.float32
                )
                if not done and vectors.ndim == 2:
                    folder, most, in_use = room
                    row = RECORD.size + FLOAT_BYTES * vectors.shape[1]
                    make_room(folder, most, total * row, [*in_use, *writer.paths])
                writer.append([key for key, _ in batch], vectors)
                done += len(batch)
                if progress:
                    progress(done, total)


def _missing_texts(
    file: CorpusFile, slot_of: NDArray[np.intp], missing: NDArray[np.bool_]
) -> Iterator[tuple[bytes, str]]:
    """Key and text of each distinct text without a vector, in the order of the file."""
    left = missing.copy()
    for row, passage in enumerate(file):
        slot = slot_of[row]
        if left[slot]:
            left[slot] = False
            yield file.key(row), passage.text
