"""Hard negatives: the bi-encoder's and BM25's nearest texts, false ones dropped.

A mined text is dropped when it contains an answer string, or, where a source has no answer strings, when
the bi-encoder likes it about as well as the right passage (it may well be right). Left out: judging by a
cross-encoder, since none may look at the data before ours is trained.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from training.readers import has_answer

CLOSE_TO_RIGHT = 0.92  # without answer strings: dropped above this share of the right one's cosine


class BiEncoder:
    """all-MiniLM-L6-v2 as a cache of unit vectors; in bf16, since it only mines here."""

    def __init__(self, folder: Path, cache: Path | None = None):
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(folder), device="cpu")
        self.cache = cache
        self._known: dict[str, np.ndarray] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Texts -> float32 (n, 384), unit length; a text that was read before is not read again."""
        if not all(text in self._known for text in texts):
            self._known.update(zip(texts, self._read(texts), strict=True))
        return np.stack([self._known[text] for text in texts]).astype(np.float32)

    def _read(self, texts: Sequence[str]) -> np.ndarray:
        key = hashlib.sha256("\x00".join(texts).encode("utf-8", "replace")).hexdigest()[:24]
        file = self.cache / f"{key}.npy" if self.cache else None
        if file and file.exists():
            return np.load(file)
        self.model.max_seq_length = 128
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.model.encode(
                list(texts), batch_size=64, normalize_embeddings=True, convert_to_tensor=True
            )
        array = vectors.float().numpy().astype(np.float16)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, array)
        return array


class Bm25:
    """Okapi BM25 over one pool (k1 0.9, b 0.4): idf * tf (k1+1) / (tf + k1 (1 - b + b len/mean))."""

    def __init__(self, texts: Sequence[str], k1: float = 0.9, b: float = 0.4):
        self.counter = CountVectorizer(lowercase=True, token_pattern=r"(?u)\w+")
        counts = self.counter.fit_transform(texts).tocsr().astype(np.float32)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        found = np.asarray((counts > 0).sum(axis=0)).ravel()
        idf = np.log(1 + (len(texts) - found + 0.5) / (found + 0.5))
        rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
        counts.data = counts.data * (k1 + 1) / (counts.data + norm[rows])
        self.weights = (counts @ sparse.diags(idf)).T.tocsr()

    def scores(self, queries: Sequence[str]) -> np.ndarray:
        """Queries -> (q, n) float32."""
        present = (self.counter.transform(queries) > 0).astype(np.float32)
        return np.asarray((present @ self.weights).todense(), dtype=np.float32)


def nearest(scores: np.ndarray, k: int) -> np.ndarray:
    """(q, n) -> (q, k) indices, best first."""
    k = min(k, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.take_along_axis(scores, top, axis=1).argsort(axis=1)[:, ::-1]
    return np.take_along_axis(top, order, axis=1)


def keep_wrong(
    candidates: Sequence[int],
    texts: Sequence[str],
    cosines: np.ndarray,
    right: Sequence[str],
    right_cosine: float,
    answers: tuple[str, ...],
    limit: int,
) -> list[str]:
    """The first ``limit`` candidates that are not plausibly right themselves."""
    kept: list[str] = []
    for i in candidates:
        text = texts[i]
        if text in right or text in kept:
            continue
        if has_answer(text, answers) if answers else cosines[i] > CLOSE_TO_RIGHT * right_cosine:
            continue
        kept.append(text)
        if len(kept) == limit:
            break
    return kept
