"""Passages from a file that a person made: .txt, .jsonl or .csv, strict once, here at the border.

.txt    a passage a line; blank lines are skipped
.jsonl  an object a line: `text`, optionally doc_id, title, date, source; blank lines are skipped
.csv    comma-separated, a header line with the column `text`, optionally the same others

Where doc_id is left out it is p0001, p0002, ... by position. Files are UTF-8, with or without a
byte order mark. Every mistake is a FileError that names file, line and fix. No bound on how many:
whoever offers this to strangers bounds it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rerank_core.errors import FileError
from rerank_core.forms import shown, unknown_key
from rerank_core.records import Passage

KEYS = ("doc_id", "text", "title", "date", "source")


def read_passages(path: Path | str) -> list[Passage]:
    """Read a file by its ending. At least one passage, every text non-empty, every doc_id once.

    Raises FileError naming file, line and fix.
    """
    path = Path(path)
    readers = {".txt": _txt, ".jsonl": _jsonl, ".csv": _csv}
    if path.suffix.lower() not in readers:
        raise FileError(
            f"{path} ends in {path.suffix or 'nothing'!r}; passages are read from .txt (one a "
            "line), .jsonl or .csv."
        )
    passages: list[Passage] = []
    line_of: dict[str, int] = {}
    for line, row in readers[path.suffix.lower()](path, read_text(path)):
        passage = _passage(path, line, row, position=len(passages) + 1)
        if passage.doc_id in line_of:
            raise at(
                path, line, f"doc_id {passage.doc_id!r} is already that of line "
                f"{line_of[passage.doc_id]}; every passage needs its own."
            )  # fmt: skip
        line_of[passage.doc_id] = line
        passages.append(passage)
    if not passages:
        raise FileError(f"{path} holds no passage; put at least one text into it.")
    return passages


def read_text(path: Path) -> str:
    """The whole file as text, byte order mark removed. Raises FileError where it is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"{data[error.start]:#04x}"
        raise at(path, line, f"byte {byte} is not UTF-8; save the file as UTF-8.") from error


def at(path: Path, line: int, message: str) -> FileError:
    """A FileError that names file and line (from 1)."""
    return FileError(f"{path}, line {line}: {message}")


def _txt(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(io.StringIO(text), 1):
        if content.strip():
            yield line, {"text": content.strip()}


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(io.StringIO(text), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            raise at(
                path, line, f"not JSON ({error.msg}, column {error.colno}); one object a line."
            ) from error  # fmt: skip
        except (ValueError, RecursionError) as error:
            raise at(path, line, f"not a plain JSON object ({error}); mend it.") from error
        if not isinstance(row, dict):
            raise at(path, line, f'found {shown(row)}, not an object such as {{"text": "..."}}.')
        yield line, row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key appears twice")
    return row


def _csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(path, line, cells)
            elif len(cells) != len(header):
                raise at(
                    path, line, f"{len(cells)} cells, but the header has {len(header)} columns; "
                    "put quotes around a text with a comma in it."
                )  # fmt: skip
            else:
                named = zip(header, cells, strict=True)
                yield line, {k: v for k, v in named if v.strip() or k == "text"}
    except csv.Error as error:
        raise at(path, reader.line_num, f"not CSV ({error}); check the quotes.") from error


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if "text" not in header:
        split = "; separate columns with commas" if ";" in cells[0] or "\t" in cells[0] else ""
        raise at(path, line, f"no column `text` in the header {shown(header)}{split}; name one so.")
    if len(set(header)) < len(header):
        raise at(path, line, f"a column appears twice in the header {shown(header)}; rename one.")
    return header


def _passage(path: Path, line: int, row: dict[str, Any], position: int) -> Passage:
    for key, value in row.items():
        if key not in KEYS:
            raise at(path, line, unknown_key(key, KEYS))
        if value is None and key not in ("text", "doc_id"):
            continue
        if not isinstance(value, str):
            raise at(path, line, f"`{key}` is {shown(value)}; it must be a string in quotes.")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise at(path, line, f"`{key}` holds half a surrogate pair; remove it.") from error
    if "text" not in row:
        raise at(path, line, "`text` is missing; add it.")
    if not row["text"].strip():
        raise at(path, line, "`text` is empty; write a text or remove the line.")
    doc_id = row.get("doc_id", f"p{position:04d}").strip()
    if not doc_id or any(c.isspace() for c in doc_id):
        raise at(path, line, f"doc_id {doc_id!r} must be a word without spaces.")
    rest = {key: row.get(key) for key in ("title", "date", "source")}
    return Passage(doc_id=doc_id, text=row["text"].strip(), **rest)
