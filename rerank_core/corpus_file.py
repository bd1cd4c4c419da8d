"""A corpus.jsonl of a BEIR folder as a sequence of passages that stay in the file: ids and places are in memory.

An object a line: `_id`, `text`, optionally `title`, which is joined before the text with a space, as BEIR does; other
keys are left alone. 100,000 passages take about 20 MB here however long their texts. Left out: vectors
(stored_corpus.py).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from rerank_core.errors import FileError
from rerank_core.limits import PASSAGE_MAX_CHARS
from rerank_core.lines import FileLines, changed, check_id, line_at, text_of
from rerank_core.passage_rows import at, json_object
from rerank_core.records import Passage

KEY_BYTES = 16
LIKE = '{"_id": "...", "title": "...", "text": "..."}'


def text_key(text: str) -> bytes:
    """What a text is kept under: the first KEY_BYTES bytes of its sha256."""
    return hashlib.sha256(text.encode("utf-8")).digest()[:KEY_BYTES]


class CorpusFile(Sequence[Passage]):
    """Passages by position, each read from the file when it is asked for.

    `doc_ids` in the file's order; `row_of` says where each stands; `sha256` is the file's. `cut` counts the texts
    longer than PASSAGE_MAX_CHARS, which are cut there: no model here reads as far. A text that is not the one seen by
    the first pass is a FileError: the file was changed meanwhile.
    """

    def __init__(self, path: Path) -> None:
        """Read the file once. Raises FileError naming file, line and fix."""
        self.path, self.cut = path, 0
        ids: list[str] = []
        keys, self._starts, numbers = bytearray(), array("q"), array("q")
        row_of: dict[str, int] = {}
        lines = FileLines(path)
        for number, start, content in lines:
            doc_id, text = _read(path, number, content)
            if doc_id in row_of:
                raise at(
                    path, number, f"`_id` {doc_id!r} is already that of line "
                    f"{numbers[row_of[doc_id]]}; every passage needs its own."
                )  # fmt: skip
            row_of[doc_id] = len(ids)
            ids.append(doc_id)
            self.cut += len(text) > PASSAGE_MAX_CHARS
            keys += text_key(_cut(text))
            self._starts.append(start)
            numbers.append(number)
        if not ids:
            raise FileError(f"{path} holds no passage; put {LIKE} into it, one a line.")
        self.doc_ids: tuple[str, ...] = tuple(ids)
        self.row_of, self.sha256, self._keys = row_of, lines.sha256, bytes(keys)

    def __len__(self) -> int:
        return len(self.doc_ids)

    @overload
    def __getitem__(self, index: int) -> Passage: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Passage]: ...

    def __getitem__(self, index: int | slice) -> Passage | Sequence[Passage]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        row = range(len(self))[index]
        return self._checked(row, 0, line_at(self.path, self._starts[row]))

    def __iter__(self) -> Iterator[Passage]:
        """All of them, in one pass over the file."""
        row = 0
        for number, _, content in FileLines(self.path):
            if row == len(self):
                raise changed(self.path)
            yield self._checked(row, number, content)
            row += 1
        if row < len(self):
            raise changed(self.path)

    def key(self, row: int) -> bytes:
        """The text_key of a passage, known without reading it."""
        return self._keys[row * KEY_BYTES : (row + 1) * KEY_BYTES]

    def _checked(self, row: int, number: int, content: str) -> Passage:
        try:
            doc_id, text = _read(self.path, number, content)
        except FileError as error:
            raise changed(self.path) from error
        text = _cut(text)
        if doc_id != self.doc_ids[row] or text_key(text) != self.key(row):
            raise changed(self.path)
        return Passage(doc_id, text)


def _read(path: Path, number: int, content: str) -> tuple[str, str]:
    row: dict[str, Any] = json_object(path, number, content, LIKE)
    doc_id = check_id(path, number, "`_id`", text_of(path, number, row, "_id"))
    title = text_of(path, number, row, "title", default="")
    text = text_of(path, number, row, "text")
    return doc_id, f"{title.strip()} {text.strip()}".strip()


def _cut(text: str) -> str:
    return text[:PASSAGE_MAX_CHARS].strip()
