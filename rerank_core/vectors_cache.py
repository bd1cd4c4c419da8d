"""Vectors of texts on the disk, by model and by what the text says: encoded once, whatever file they come from.

Each run that encodes anything adds a pair of files and never changes another's, so that runs beside each other need no
lock, and one that is cut loses a batch at most:

    <name>.keys    one line of JSON (format, model, dims), then 20 bytes a row: the text's key and a checksum
    <name>.f32     rows of dims float32, little-endian, memory-mapped when read

float32, not half: the same cosines as without the cache, to the last digit. A row counts once both its parts are
whole. A file that is not what it promises is deleted, with a sentence to whoever asked, and its texts are encoded anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from rerank_core.cache_folder import touch, writing
from rerank_core.corpus_file import KEY_BYTES
from rerank_core.errors import InputError, RerankError

Vectors = NDArray[np.float32]
FORMAT = 1
RECORD = struct.Struct(f"<{KEY_BYTES}sI")
HEADER_BYTES = 1024
"""More than a header has; what has no line end by then is none."""
DIMS_MAX = 65_536


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one file, and which of the wanted texts (by slot) they are; `rows` ascend."""

    path: Path
    vectors: Vectors
    rows: NDArray[np.intp]
    slots: NDArray[np.intp]

    @property
    def paths(self) -> tuple[Path, Path]:
        return _pair(self.path)


class _Damaged(Exception):
    """A cache file is not what it promises; the message says how."""


class VectorsCache:
    """One model's vectors under a cache folder. `say` is given a sentence where a file had to be deleted."""

    def __init__(self, folder: Path, model_hash: str, say: Callable[[str], None]) -> None:
        name = hashlib.sha256(model_hash.encode()).hexdigest()[:32]
        self.folder, self.model_hash = folder / "vectors" / name, model_hash
        self._say = say

    def find(self, wanted: Mapping[bytes, int]) -> list[Part]:
        """The wanted texts (key -> slot) that have a vector, each once."""
        left, parts = dict(wanted), []
        for path in sorted(self.folder.glob("*.keys")):
            try:
                part = self._part(path, left)
            except _Damaged as error:
                self._say(
                    f"{path} is damaged ({error}); it is deleted, and its texts are encoded anew."
                )
                for each in _pair(path):
                    each.unlink(missing_ok=True)
                continue
            except FileNotFoundError:  # nothing in it, or another run made room just now
                continue
            if len(part.rows):
                for each in _pair(path):
                    touch(each)
                parts.append(part)
        return parts

    def writer(self) -> VectorsWriter:
        """A new pair of files to append to."""
        return VectorsWriter(self.folder / f"{uuid.uuid4().hex}.keys", self.model_hash)

    def _part(self, path: Path, left: dict[bytes, int]) -> Part:
        """What of `left` is in this file; it is taken out of `left`."""
        data = path.read_bytes()
        if not data:  # a run that has written nothing yet, or was cut before it did
            raise FileNotFoundError(path)
        dims, start = self._header(data)
        values = _pair(path)[1]
        whole = min((len(data) - start) // RECORD.size, values.stat().st_size // (4 * dims))
        empty = np.empty((0, dims), dtype="<f4")
        vectors = np.memmap(values, "<f4", "r", shape=(whole, dims)) if whole else empty
        found: dict[bytes, int] = {}
        for row, (key, checksum) in enumerate(_records(data, start, whole)):
            if key not in left or key in found:
                continue
            if zlib.crc32(vectors[row]) != checksum:
                raise _Damaged(f"row {row + 1} does not have its checksum")
            found[key] = row
        rows = np.fromiter(found.values(), dtype=np.intp, count=len(found))
        slots = np.fromiter((left.pop(key) for key in found), dtype=np.intp, count=len(found))
        return Part(path, vectors, rows, slots)

    def _header(self, data: bytes) -> tuple[int, int]:
        """Dims, and where the records begin."""
        end = data.find(b"\n", 0, HEADER_BYTES)
        try:
            head = json.loads(data[:end]) if end >= 0 else None
        except ValueError:
            head = None
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise _Damaged(f"no header of format {FORMAT}")
        if head.get("model_hash") != self.model_hash:
            raise _Damaged("it is of another model")
        dims = head.get("dims")
        if type(dims) is not int or not 1 <= dims <= DIMS_MAX:
            raise _Damaged("its header has no dims")
        return dims, end + 1


def _pair(path: Path) -> tuple[Path, Path]:
    """The two files of one run."""
    return path, path.with_suffix(".f32")


def _records(data: bytes, start: int, whole: int) -> Iterator[tuple[bytes, int]]:
    yield from RECORD.iter_unpack(data[start : start + whole * RECORD.size])


class VectorsWriter:
    """Appends rows; each batch is on the disk before its keys are, so that a cut run leaves whole rows only."""

    def __init__(self, path: Path, model_hash: str) -> None:
        self.path, self.dims = path, 0
        self._model_hash = model_hash

    def __enter__(self) -> VectorsWriter:
        with writing(self.path.parent):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._keys = self.path.open("xb")
            self._values = self.paths[1].open("xb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in (self._values, self._keys):
            with contextlib.suppress(OSError):  # a full disk was said when it was written to
                file.close()
        if not self.dims:  # nothing was encoded
            for path in self.paths:
                path.unlink(missing_ok=True)

    @property
    def paths(self) -> tuple[Path, Path]:
        return _pair(self.path)

    def append(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Rows (n, d) of n texts. Raises RerankError for what is not vectors, FileError where the disk is full."""
        rows = np.ascontiguousarray(vectors, dtype="<f4")
        if rows.ndim != 2 or len(rows) != len(keys) or not np.isfinite(rows).all():
            raise RerankError(
                f"The bi-encoder gave vectors of shape {rows.shape} for {len(keys)} texts, or numbers that are not "
                "finite; choose another."
            )
        if self.dims and rows.shape[1] != self.dims:
            raise InputError(f"Vectors have {rows.shape[1]} numbers, not {self.dims} as before.")
        with writing(self.path.parent):
            if not self.dims:
                self.dims = rows.shape[1]
                head = {"format": FORMAT, "model_hash": self._model_hash, "dims": self.dims}
                self._keys.write(json.dumps(head).encode("ascii") + b"\n")
            self._values.write(rows.tobytes())
            self._values.flush()
            self._keys.write(
                b"".join(
                    RECORD.pack(key, zlib.crc32(row)) for key, row in zip(keys, rows, strict=True)
                )
            )
            self._keys.flush()
