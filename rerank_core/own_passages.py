"""What a visitor pasted or uploaded, as passages: the strict readers of passages_file.py with bounds for strangers.

Nothing is cut in silence: a text over OWN_CHARS characters is a LongTextError that says where, and that splitting mends
it; splitting happens where it is asked for. Left out: files on disk, and who keeps the passages.

>>> [p.doc_id for p in own_passages("one\\n\\ntwo\\n", "lines", "The text")]
['p0001', 'p0002']
"""

from __future__ import annotations

from collections.abc import Sequence

from rerank_core.errors import FileError
from rerank_core.limits import OWN_CHARS, OWN_FILE_BYTES, OWN_PASSAGES
from rerank_core.passage_rows import at, decode
from rerank_core.passages_file import Numbered, parse_passages
from rerank_core.records import Passage
from rerank_core.split import split_passage


class LongTextError(FileError):
    """Some texts are too long to be read whole; `long` of them, and splitting them is offered."""

    def __init__(self, message: str, long: int) -> None:
        super().__init__(message)
        self.long = long


def own_text(data: bytes | str, where: str) -> str:
    """Bytes or pasted text as text, at most OWN_FILE_BYTES of it; FileError otherwise, or where it is not UTF-8."""
    size = len(data if isinstance(data, bytes) else data.encode(errors="surrogatepass"))
    if size > OWN_FILE_BYTES:
        raise FileError(
            f"{where} has {size:,} bytes, and {OWN_FILE_BYTES:,} are allowed; leave some out."
        )
    return decode(data, where) if isinstance(data, bytes) else data.removeprefix("\ufeff")


def own_passages(
    text: str, kind: str, where: str, *, column: str | None = None, split: bool = False
) -> list[Passage]:
    """1 to OWN_PASSAGES passages of at most OWN_CHARS characters; with `split`, longer ones in pieces.

    `kind`, `where` and `column` as `parse_passages`. Raises FileError with the line, LongTextError without `split`.
    """
    rows = parse_passages(text, kind, where, column=column, most=OWN_PASSAGES)
    long = [row for row in rows if len(row.passage.text) > OWN_CHARS]
    if not long:
        return [row.passage for row in rows]
    if not split:
        raise LongTextError(_too_long(long, rows, where), len(long))
    return _in_pieces(rows, where)


def _in_pieces(rows: Sequence[Numbered], where: str) -> list[Passage]:
    passages: list[Passage] = []
    seen: set[str] = set()
    for line, passage in rows:
        pieces = split_passage(passage) if len(passage.text) > OWN_CHARS else [passage]
        twice = next((p.doc_id for p in pieces if p.doc_id in seen), None)
        if twice is not None:
            raise at(
                where, line, f"{twice!r} is the doc_id of a piece and of a passage; rename one of "
                "them."
            )  # fmt: skip
        seen.update(p.doc_id for p in pieces)
        passages += pieces
        if len(passages) > OWN_PASSAGES:
            raise at(
                where, line, f"split at sentences, here begins passage {OWN_PASSAGES + 1:,}, and "
                f"{OWN_PASSAGES:,} are allowed; leave some out."
            )  # fmt: skip
    return passages


def _too_long(long: Sequence[Numbered], rows: Sequence[Numbered], where: str) -> str:
    line, passage = long[0]
    size = f"has {len(passage.text):,} characters, and {OWN_CHARS:,} are read"
    if len(long) == 1:
        return str(at(where, line, f"this passage {size}; split or shorten it."))
    which = f"{len(long):,} of {len(rows):,} passages are too long; the first, here, {size}"
    return str(at(where, line, f"{which}: split or shorten them."))
