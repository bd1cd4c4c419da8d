"""Passages that a person made, as a file or as pasted text: strict once, here at the border.

.txt    a passage a line; blank lines are skipped. Or, as "paragraphs", separated by blank lines
.jsonl  an object a line: `text`, optionally doc_id, title, date, source; blank lines are skipped
.csv    comma-separated, a header line with the column `text`, optionally the same others

Where doc_id is left out it is p0001, p0002, ... by position. Files are UTF-8, with or without a
byte order mark; lines end as on any system. Every mistake is a FileError that names file, line and
fix. How many and how long is bounded where the caller says so (own_passages.py, for visitors).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from rerank_core.errors import FileError
from rerank_core.forms import shown, unknown_key
from rerank_core.passage_rows import KEYS, at, csv_lines, decode, header_of, named, rows_of
from rerank_core.records import Passage

KIND_OF = {".txt": "lines", ".jsonl": "jsonl", ".csv": "csv"}
"""A file's ending -> how it is read; "paragraphs" is the fourth kind, which no ending tells."""


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
    for line, row in rows_of(text, kind, where, column):
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
    for line, cells in csv_lines(text, where):
        return header_of(where, line, cells, None)
    raise FileError(f"{where} holds no passage; put at least one text into it.")


def read_text(path: Path) -> str:
    """The whole file as text, see `decode`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    return decode(data, str(path))


def _passage(where: str, line: int, row: dict[str, Any], position: int, column: str) -> Passage:
    for key, value in row.items():
        if key not in KEYS:
            raise at(where, line, unknown_key(key, KEYS))
        if value is None and key not in ("text", "doc_id"):
            continue
        what = column if key == "text" else key
        if not isinstance(value, str):
            raise at(
                where, line, f"{named(what)} is {shown(value)}; it must be a string in quotes."
            )
        if "\0" in value:
            raise at(
                where, line, f"{named(what)} holds a NUL character; save the file as plain text."
            )
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise at(
                where, line, f"{named(what)} holds half a surrogate pair; remove it."
            ) from error
    if "text" not in row:
        raise at(where, line, "`text` is missing; add it.")
    if not row["text"].strip():
        raise at(where, line, f"{named(column)} is empty; write a text or remove the line.")
    doc_id = row.get("doc_id", f"p{position:04d}").strip()
    if not doc_id or any(c.isspace() for c in doc_id):
        raise at(where, line, f"doc_id {shown(doc_id)} must be a word without spaces.")
    rest = {key: row.get(key) for key in ("title", "date", "source")}
    return Passage(doc_id=doc_id, text=row["text"].strip(), **rest)
