"""The lines of a file too large to hold, one after the other, each with its number and place: strict UTF-8.

Lines end with \\n, \\r\\n or \\r, also mixed; a byte order mark is left out, blank lines are skipped. Left out: what a
line must hold (corpus_file.py, beir.py, trec_run.py, lists_file.py). Small files that are read whole are
passages_file.py's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rerank_core.errors import FileError
from rerank_core.forms import shown
from rerank_core.limits import ID_CHARS, LINE_BYTES
from rerank_core.passage_rows import at

BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line's number from 1, the byte at which it begins, and its text without its end."""

    number: int
    start: int
    text: str


class FileLines:
    """A pass over a file's lines; after a whole pass `sha256` is the file's, in hexadecimal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        """Raises FileError where the file cannot be read, is not UTF-8, or a line is longer than LINE_BYTES."""
        number, start = 0, 0
        try:
            with self.path.open("rb") as file:
                while raw := file.readline(LINE_BYTES + 1):
                    if len(raw) > LINE_BYTES:
                        raise at(
                            self.path, number + 1, f"longer than {LINE_BYTES:,} bytes; "
                            "one object or row a line."
                        )  # fmt: skip
                    self._digest.update(raw)
                    if start == 0 and raw.startswith(BOM):
                        raw, start = raw[len(BOM) :], len(BOM)
                    parts = raw.removesuffix(b"\n").removesuffix(b"\r").split(b"\r")
                    place = start
                    for part in parts:
                        number += 1
                        if part.strip():
                            yield Line(number, place, self._text(number, part))
                        place += len(part) + 1
                    start += len(raw)
        except OSError as error:
            raise FileError(
                f"{self.path} cannot be read ({error.strerror or error}); check the path."
            ) from error

    def _text(self, number: int, part: bytes) -> str:
        try:
            return part.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"{part[error.start]:#04x}"
            raise at(
                self.path, number, f"byte {byte} is not UTF-8; save the file as UTF-8."
            ) from error


def line_at(path: Path, start: int) -> str:
    """The line that begins at byte `start`, as it was when a FileLines passed it. Raises FileError where it cannot."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            raw = file.readline(LINE_BYTES + 1)
    except OSError as error:
        raise FileError(
            f"{path} cannot be read ({error.strerror or error}); check the path."
        ) from error
    try:
        return raw.rstrip(b"\r\n").split(b"\r")[0].decode("utf-8")
    except UnicodeDecodeError as error:
        raise changed(path) from error


def changed(path: Path) -> FileError:
    return FileError(f"{path} changed while it was read; leave it as it is, and start again.")


def text_of(
    where: Path | str, line: int, row: dict[str, Any], key: str, default: str | None = None
) -> str:
    """A string of a row, valid Unicode; `default` where the key is absent or null, else that is a FileError."""
    value = row.get(key)
    if value is None and default is not None:
        return default
    if key not in row:
        raise at(where, line, f"`{key}` is missing; add it.")
    if not isinstance(value, str):
        raise at(where, line, f"`{key}` is {shown(value)}; it must be a string in quotes.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise at(where, line, f"`{key}` holds half a surrogate pair; remove it.") from error
    return value


def check_id(where: Path | str, line: int, what: str, value: str) -> str:
    """An id: 1 to ID_CHARS printable characters, no spaces around it. Raises FileError naming `what`."""
    if not value or len(value) > ID_CHARS:
        raise at(
            where, line, f"{what} {shown(value)} has {len(value):,} characters, not 1 to {ID_CHARS}; "
            "give it a shorter one." if value else f"{what} is empty; give it one."
        )  # fmt: skip
    if value != value.strip() or not value.isprintable():
        raise at(
            where, line, f"{what} {shown(value)} has spaces around it or characters that cannot be "
            "printed; remove them."
        )  # fmt: skip
    return value
