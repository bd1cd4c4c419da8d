"""Failure kinds that a person gave to single queries: a TOML file, read strictly.

What a rule can tell (candidate, scoring) is in failures.py and is not written down; these three need somebody who
reads the query and its lists. Form only; whether a query still loses is the board's business.

    [query-id]
    kind = "freshness"        # intent, calibration or freshness
    reason = "..."            # one sentence, shown beside the query
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rerank_core.errors import FileError
from rerank_core.forms import complaints
from rerank_core.passages_file import read_text
from rerank_core.scenarios import Library

GivenKind = Literal["intent", "calibration", "freshness"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", str_strip_whitespace=True))
class FailureNote:
    """What a person said of a query: the kind of its failure, and why."""

    kind: GivenKind
    reason: Annotated[str, Field(min_length=1)]


NOTES = TypeAdapter(dict[str, FailureNote])
KEYS = ("kind", "reason")


def read_failure_notes(path: Path | str, library: Library) -> Mapping[str, FailureNote]:
    """Query id -> note; none where there is no such file. Raises FileError naming file, place and fix."""
    path = Path(path)
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(read_text(path))
        notes = NOTES.validate_python(data)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path}: not TOML ({error}); mend that line.") from error
    except ValidationError as error:
        place, message = complaints(error, dict.fromkeys(data, KEYS))[0]
        raise FileError(f"{path}, {place}: {message}") from error
    known = {query.id for query in library.queries}
    for query_id in notes:
        if query_id not in known:
            raise FileError(f"{path}, {query_id}: no query has this id; mend it or remove it.")
    return notes
