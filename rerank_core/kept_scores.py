"""What the models said of each query, kept line by line, so that an evaluation that was cut goes on where it was.

The file's name is a hash of what determines it: the inputs, both models, N. Judgements, K and how many queries are
asked for are not part of it, since no model is asked again for them. Each line is a checksum and a JSON object with
ids and numbers, no texts. A line that is torn or damaged is left out, with a sentence to whoever asked, and its query
is scored anew.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rerank_core.cache_folder import touch, writing
from rerank_core.judged import JudgedQuery
from rerank_core.pool import Pool, compact
from rerank_core.records import StageTiming

FORMAT = 1
Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Said:
    """One query's pool without its judgements; fields as those of Pool. `text_hash` is the query's."""

    query_id: str
    text_hash: str
    doc_ids: tuple[str, ...]
    scores: tuple[Finite, ...]
    logits: tuple[Finite, ...]
    beyond: tuple[str, ...]
    timings: tuple[StageTiming, ...]

    @classmethod
    def of(cls, query: JudgedQuery, pool: Pool) -> Said:
        """A pool as it is kept: numbers as short as they can be without another order, timings with it."""
        kept = compact(pool)
        return cls(
            query.query_id, hash_of(query.text), kept.doc_ids, kept.cosines, kept.logits,
            kept.beyond, pool.timings,
        )  # fmt: skip

    def pool(self, query: JudgedQuery, relevant: int) -> Pool:
        """The pool again, judged as `query` is. Raises InputError where its columns differ in length."""
        return Pool(
            query.text, self.doc_ids, self.scores, self.logits, self.beyond, query.relevance,
            timings=self.timings, relevant=relevant,
        )  # fmt: skip


SAID = TypeAdapter(Said)


def hash_of(text: str) -> str:
    """sha256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def key_of(**what: str | int | None) -> str:
    """A hash over everything that determines what the models say; the same for the same values."""
    said = json.dumps({"format": FORMAT, **what}, sort_keys=True, ensure_ascii=True)
    return hash_of(said)[:32]


class KeptScores:
    """The lines of one file under a cache folder; `path` is where. Whole lines are read again when asked for.

    With `fresh` nothing from before is used, and it is deleted.
    """

    def __init__(
        self, folder: Path, key: str, say: Callable[[str], None], *, fresh: bool = False
    ) -> None:
        self.path = folder / "scores" / f"{key}.jsonl"
        self._place: dict[tuple[str, str], int] = {}
        with writing(folder):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if fresh:
                self.path.unlink(missing_ok=True)
            self._file = self.path.open("a+b")
            damaged = self._scan()
            if damaged:
                self._rewrite()
        touch(self.path)
        if damaged:
            say(
                f"{self.path}: {damaged} damaged line{'' if damaged == 1 else 's'} left out; what they said is "
                "computed anew."
            )

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, query: JudgedQuery) -> bool:
        """Whether something is kept of this query with this text."""
        return (query.query_id, hash_of(query.text)) in self._place

    def get(self, query: JudgedQuery) -> Said | None:
        """What was said of this query with this text; None where nothing is kept."""
        place = self._place.get((query.query_id, hash_of(query.text)))
        if place is None:
            return None
        self._file.seek(place)
        return _parsed(self._file.readline())

    def add(self, said: Said) -> None:
        """Keep it, on the disk before this returns. Raises FileError where the disk is full."""
        body = SAID.dump_json(said)
        with writing(self.path.parent):
            self._file.seek(0, 2)
            place = self._file.tell()
            self._file.write(b"%08x %s\n" % (zlib.crc32(body), body))
            self._file.flush()
        self._place[said.query_id, said.text_hash] = place

    def close(self) -> None:
        self._file.close()

    def _scan(self) -> int:
        """Note where each whole line is; how many are damaged. A last line that was cut while written is cut off."""
        self._file.seek(0)
        damaged, place = 0, 0
        for line in self._file:
            said = _parsed(line)
            if not line.endswith(b"\n"):
                self._file.truncate(place)
                break
            if said is not None:
                self._place[said.query_id, said.text_hash] = place
            else:
                damaged += 1
            place += len(line)
        return damaged

    def _rewrite(self) -> None:
        """Keep the whole lines only."""
        half = self.path.with_suffix(".part")
        with half.open("wb") as out:
            for place in self._place.values():
                self._file.seek(place)
                out.write(self._file.readline())
        self._file.close()
        half.replace(self.path)
        self._place.clear()
        self._file = self.path.open("a+b")
        self._scan()


class InMemory:
    """KeptScores for one evaluation alone: nothing is kept from before, nothing lies on a disk."""

    def __init__(self) -> None:
        self._said: dict[str, Said] = {}

    def __contains__(self, query: JudgedQuery) -> bool:
        return query.query_id in self._said

    def get(self, query: JudgedQuery) -> Said | None:
        return self._said.get(query.query_id)

    def add(self, said: Said) -> None:
        self._said[said.query_id] = said


def _parsed(line: bytes) -> Said | None:
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        return SAID.validate_json(body)
    except ValidationError:
        return None
