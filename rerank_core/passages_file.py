"""Passages that a person made, as a file or as pasted text: strict once, here at the border.

.txt    a passage a line; blank lines are skipped. Or, as "paragraphs", separated by blank lines
.jsonl  an object a line: `text`, optionally doc_id, title, date, source; blank lines are skipped
.csv    comma-separated, a header line with the column `text`, optionally the same others

Where doc_id is left out it is p0001, p0002, ... by position. Files are UTF-8, with or without a
byte order mark; lines end as on any system. Every mistake is a FileError that names file, line and
fix. How many and how long is bounded where the caller says so (own_passages.py, for visitors).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rerank_core.errors import FileError
from rerank_core.forms import shown, unknown_key
from rerank_core.records import Passage

KEYS = ("doc_id", "text", "title", "date", "source")
KIND_OF = {".txt": "lines", ".jsonl": "jsonl", ".csv": "csv"}
"""A file's ending -> how it is read; "paragraphs" is the fourth kind, which no ending tells."""
LINE_END = re.compile(rb"\r\n?|\n")


class Numbered(NamedTuple):
    """A passage and the line, from 1, on which it begins."""

    line: int
    passage: Passage


def read_passages(path: Path | str) -> list[Passage]:
    """Read a file by its ending. At least one passage, every text non-empty, every doc_id once.

    Raises FileError naming file, line and fix.
    """
    path = Path(path)
    if path.suffix.lower() not in KIND_OF:
        raise FileError(
            f"{path} ends in {path.suffix or 'nothing'!r}; passages are read from .txt (one a "
            "line), .jsonl or .csv."
        )
    text = read_text(path)
    return [row.passage for row in parse_passages(text, KIND_OF[path.suffix.lower()], str(path))]


def parse_passages(
    text: str, kind: str, where: str, *, column: str | None = None, most: int | None = None
) -> list[Numbered]:
    """Passages of a text: `kind` is "lines", "paragraphs", "csv" or "jsonl"; `where` names it in messages.

    `column` is the csv column that holds the texts; columns that mean nothing here are then left out instead of being
    a mistake. `most` is how many passages there may be. Raises FileError naming `where`, line and fix.
    """
    rows: list[Numbered] = []
    line_of: dict[str, int] = {}
    for line, row in _rows(text, kind, where, column):
        if most is not None and len(rows) == most:
            raise at(
                where, line, f"here begins passage {most + 1:,}, and {most:,} are allowed; "
                "leave some out."
            )  # fmt: skip
        passage = _passage(where, line, row, position=len(rows) + 1, column=column or "text")
        if passage.doc_id in line_of:
            raise at(
                where, line, f"doc_id {shown(passage.doc_id)} is already that of line "
                f"{line_of[passage.doc_id]}; every passage needs its own."
            )  # fmt: skip
        line_of[passage.doc_id] = line
        rows.append(Numbered(line, passage))
    if not rows:
        raise FileError(f"{where} holds no passage; put at least one text into it.")
    return rows


def csv_columns(text: str, where: str) -> list[str]:
    """The names in a csv text's header. Raises FileError as `parse_passages`."""
    for line, cells in _csv_lines(text, where):
        return _header(where, line, cells, None)
    raise FileError(f"{where} holds no passage; put at least one text into it.")


def read_text(path: Path) -> str:
    """The whole file as text, see `decode`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    return decode(data, str(path))


def decode(data: bytes, where: str) -> str:
    """Bytes as text, byte order mark removed. Raises FileError where they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(LINE_END.findall(data, 0, error.start)) + 1
        byte = f"{data[error.start]:#04x}"
        raise at(where, line, f"byte {byte} is not UTF-8; save the file as UTF-8.") from error


def at(where: Path | str, line: int, message: str) -> FileError:
    """A FileError that names file and line (from 1)."""
    return FileError(f"{where}, line {line}: {message}")


def _rows(
    text: str, kind: str, where: str, column: str | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    if kind == "csv":
        return _csv(where, text, column)
    readers = {"lines": _lines, "paragraphs": _paragraphs, "jsonl": _jsonl}
    if kind not in readers:
        raise FileError(f"{where} is {shown(kind)}; it can be {', '.join([*readers, 'csv'])}.")
    return readers[kind](where, text)


def _numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(io.StringIO(text, newline=None), 1)  # None: \r\n and \r end a line, too


def _lines(where: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in _numbered_lines(text):
        if content.strip():
            yield line, {"text": content.strip()}


def _paragraphs(where: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    start, kept = 0, ""
    for line, content in _numbered_lines(text):
        if content.strip():
            start, kept = (start if kept else line), kept + content
        elif kept:
            yield start, {"text": kept.strip()}
            kept = ""
    if kept:
        yield start, {"text": kept.strip()}


def _jsonl(where: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in _numbered_lines(text):
        if not content.strip():
            continue
        try:
            row = json.loads(content, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            raise at(
                where, line, f"not JSON ({error.msg}, column {error.colno}); one object a line."
            ) from error  # fmt: skip
        except (ValueError, RecursionError) as error:
            raise at(where, line, f"not a plain JSON object ({error}); mend it.") from error
        if not isinstance(row, dict):
            raise at(where, line, f'found {shown(row)}, not an object such as {{"text": "..."}}.')
        yield line, row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key appears twice")
    return row


def _csv_lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if any(cell.strip() for cell in cells):
                yield line, cells
    except csv.Error as error:
        raise at(where, reader.line_num, f"not CSV ({error}); check the quotes.") from error


def _csv(where: str, text: str, column: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    header: list[str] | None = None
    for line, cells in _csv_lines(text, where):
        if header is None:
            header = _header(where, line, cells, column or "text")
        elif len(cells) != len(header):
            raise at(
                where, line, f"{len(cells)} cells, but the header has {len(header)} columns; "
                "put quotes around a text with a comma in it."
            )  # fmt: skip
        else:
            named = {
                k: v
                for k, v in zip(header, cells, strict=True)
                if v.strip() or k in ("text", column)
            }
            if column is not None:
                others = {k: v for k, v in named.items() if k in KEYS and k not in ("text", column)}
                named = {**others, "text": named[column]}
            yield line, named


def _header(where: str, line: int, cells: list[str], needed: str | None) -> list[str]:
    header = [cell.strip() for cell in cells]
    if needed is not None and needed not in header:
        raise at(
            where, line, f"no column {_name(needed)} in the header {shown(header)}"
            f"{_not_commas(cells)}; name one so."
        )  # fmt: skip
    if needed is None and _not_commas(cells):
        raise at(where, line, f"one column, {shown(header[0])}{_not_commas(cells)}.")
    if len(set(header)) < len(header):
        raise at(where, line, f"a column appears twice in the header {shown(header)}; rename one.")
    return header


def _not_commas(cells: list[str]) -> str:
    other = len(cells) == 1 and (";" in cells[0] or "\t" in cells[0])
    return "; separate columns with commas" if other else ""


def _name(column: str) -> str:
    return f"`{column}`" if len(column) <= 40 else f"`{column[:40]}...`"


def _passage(where: str, line: int, row: dict[str, Any], position: int, column: str) -> Passage:
    for key, value in row.items():
        if key not in KEYS:
            raise at(where, line, unknown_key(key, KEYS))
        if value is None and key not in ("text", "doc_id"):
            continue
        named = column if key == "text" else key
        if not isinstance(value, str):
            raise at(
                where, line, f"{_name(named)} is {shown(value)}; it must be a string in quotes."
            )
        if "\0" in value:
            raise at(
                where, line, f"{_name(named)} holds a NUL character; save the file as plain text."
            )
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise at(
                where, line, f"{_name(named)} holds half a surrogate pair; remove it."
            ) from error
    if "text" not in row:
        raise at(where, line, "`text` is missing; add it.")
    if not row["text"].strip():
        raise at(where, line, f"{_name(column)} is empty; write a text or remove the line.")
    doc_id = row.get("doc_id", f"p{position:04d}").strip()
    if not doc_id or any(c.isspace() for c in doc_id):
        raise at(where, line, f"doc_id {shown(doc_id)} must be a word without spaces.")
    rest = {key: row.get(key) for key in ("title", "date", "source")}
    return Passage(doc_id=doc_id, text=row["text"].strip(), **rest)
