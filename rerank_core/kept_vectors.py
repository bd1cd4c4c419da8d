"""A corpus in memory whose vectors are kept on the disk by what the texts say: a second start encodes nothing.

For the passages that a program always has, such as the page's library. Left out: a corpus read from a file, which may
be larger than memory (stored_corpus.py), and private texts, of which nothing goes to a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from rerank_core.cache_folder import make_room
from rerank_core.corpus import Corpus, OnProgress, as_passages
from rerank_core.corpus_file import text_key
from rerank_core.errors import FileError, InputError
from rerank_core.models import Encoder
from rerank_core.records import Passage
from rerank_core.vectors_cache import RECORD, VectorsCache

FLOAT_BYTES = 4


def kept_corpus(
    passages: Iterable[str | Passage],
    encoder: Encoder,
    folder: Path,
    most_bytes: int,
    say: Callable[[str], None],
    progress: OnProgress | None = None,
) -> Corpus:
    """As Corpus.encode, but only texts without a vector under `folder` are encoded, and kept there afterwards.

    `encode_ms` is what encoding all of them took, 0 where any was kept from before. `folder` may hold `most_bytes`;
    `say` is given a sentence where vectors could not be kept or a damaged file was deleted: it costs time at the next
    start and nothing else. Raises InputError as `as_passages`.
    """
    given = tuple(as_passages(passages))
    texts = list(dict.fromkeys(p.text for p in given))
    slots = {text_key(text): slot for slot, text in enumerate(texts)}
    cache = VectorsCache(folder, encoder.card.model_hash, say)
    parts = cache.find(slots)
    missing = np.ones(len(texts), dtype=bool)
    for part in parts:
        missing[np.asarray(part.slots)] = False
    new = Corpus.encode([texts[i] for i in np.flatnonzero(missing)], encoder, progress)
    if not parts:
        _keep(cache, new, folder, most_bytes, say)
        return Corpus.of_distinct(
            given, texts, np.asarray(new.vectors), new.model_hash, new.encode_ms
        )
    distinct = np.empty((len(texts), parts[0].vectors.shape[1]), dtype=np.float32)
    for part in parts:
        distinct[np.asarray(part.slots)] = part.vectors[part.rows]
    if len(new):
        distinct[missing] = np.asarray(new.vectors)
        _keep(cache, new, folder, most_bytes, say)
    return Corpus.of_distinct(given, texts, distinct, encoder.card.model_hash)


def _keep(
    cache: VectorsCache, new: Corpus, folder: Path, most_bytes: int, say: Callable[[str], None]
) -> None:
    """Write the vectors of distinct texts."""
    if not len(new):
        return
    try:
        row = RECORD.size + FLOAT_BYTES * new.vectors.shape[1]
        make_room(folder, most_bytes, len(new) * row)
        with cache.writer() as writer:
            writer.append([text_key(p.text) for p in new.passages], np.asarray(new.vectors))
    except (FileError, InputError) as error:
        say(f"The vectors are not kept for the next start: {error}")
