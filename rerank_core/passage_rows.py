"""A text as numbered rows, by kind: lines, paragraphs, csv, JSON lines. What a row must hold is passages_file.py's.

Every mistake of form is a FileError that names text, line and fix.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rerank_core.errors import FileError
from rerank_core.forms import printable, shown

KEYS = ("doc_id", "text", "title", "date", "source")
LINE_END = re.compile(rb"\r\n?|\n")
Row = tuple[int, dict[str, Any]]
"""The line, from 1, on which a row begins, and its values by key."""


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


def rows_of(text: str, kind: str, where: str, column: str | None) -> Iterator[Row]:
    """Rows of "lines", "paragraphs", "csv" or "jsonl"; `column` is the csv column that becomes `text`."""
    if kind == "csv":
        return _csv(where, text, column)
    readers = {"lines": _lines, "paragraphs": _paragraphs, "jsonl": _jsonl}
    if kind not in readers:
        raise FileError(f"{where} is {shown(kind)}; it can be {', '.join([*readers, 'csv'])}.")
    return readers[kind](where, text)


def _numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(io.StringIO(text, newline=None), 1)  # None: \r\n and \r end a line, too


def _lines(where: str, text: str) -> Iterator[Row]:
    for line, content in _numbered_lines(text):
        if content.strip():
            yield line, {"text": content.strip()}


def _paragraphs(where: str, text: str) -> Iterator[Row]:
    start, kept = 0, list[str]()
    for line, content in _numbered_lines(text):
        if content.strip():
            start = start if kept else line
            kept.append(content)
        elif kept:
            yield start, {"text": "".join(kept).strip()}
            kept = []
    if kept:
        yield start, {"text": "".join(kept).strip()}


def _jsonl(where: str, text: str) -> Iterator[Row]:
    for line, content in _numbered_lines(text):
        if content.strip():
            yield line, json_object(where, line, content, '{"text": "..."}')


def json_object(where: Path | str, line: int, content: str, like: str) -> dict[str, Any]:
    """One line of JSON lines. Raises FileError where it is no object, such as the example `like`, or a key is twice."""
    try:
        row = json.loads(content, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise at(
            where, line, f"not JSON ({error.msg}, column {error.colno}); one object a line."
        ) from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise at(where, line, f"not a plain JSON object ({error}); mend it.") from error
    if not isinstance(row, dict):
        raise at(where, line, f"found {shown(row)}, not an object such as {like}.")
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key appears twice")
    return row


def csv_lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
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


def _csv(where: str, text: str, column: str | None) -> Iterator[Row]:
    header: list[str] | None = None
    for line, cells in csv_lines(text, where):
        if header is None:
            header = header_of(where, line, cells, column or "text")
        elif len(cells) != len(header):
            raise at(
                where, line, f"{len(cells)} cells, but the header has {len(header)} columns; "
                "put quotes around a text with a comma in it."
            )  # fmt: skip
        else:
            row = dict(zip(header, cells, strict=True))
            full = {k: v for k, v in row.items() if v.strip() and k not in ("text", column)}
            if column is not None:
                full = {k: v for k, v in full.items() if k in KEYS}
            yield line, {**full, "text": row[column or "text"]}


def header_of(where: str, line: int, cells: list[str], needed: str | None) -> list[str]:
    """A csv header's names, each once, `needed` among them; without it, commas must at least be likely."""
    header = [cell.strip() for cell in cells]
    if needed is not None and needed not in header:
        raise at(
            where, line, f"no column {named(needed)} in the header {shown(header)}"
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


def named(column: str) -> str:
    """A column's or key's name as a message repeats it: on one line, and not whole where it is long."""
    name = printable(column)
    return f"`{name}`" if len(name) <= 40 else f"`{name[:40]}...`"
