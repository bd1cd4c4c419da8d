"""Scenarios: folders of data, read strictly. Checks of form only; what needs a model is in check.

A scenario is a folder with `scenario.toml` and `passages.jsonl`. Unknown keys are errors, and every
mistake is a FileError that names file, place and fix. All scenarios' passages together are the
library's corpus, so doc_ids and query ids are unique over the library, and a query may judge other
scenarios' passages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated

from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from rerank_core.errors import FileError
from rerank_core.forms import complaints, shown
from rerank_core.limits import QUERY_MAX_CHARS
from rerank_core.passages_file import read_passages, read_text
from rerank_core.records import Passage

STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)
Words = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Grade = Annotated[StrictInt, Field(ge=0, le=3)]
Ids = Annotated[tuple[Words, ...], Field(min_length=1)]
Lift = Annotated[StrictFloat, Field(ge=-1, le=1)]


@dataclass(frozen=True, config=STRICT)
class Expect:
    """What must hold on the shipped weights at N = 50; what is left out is not demanded.

    `first_before` and `first_after`: rank 1 of the bi-encoder and of the cross-encoder is any of
    these. `lift_at_3_min`: top-3 lift (nDCG@3 after minus before) is at least this, in [-1, 1].
    """

    first_before: Ids = ()
    first_after: Ids = ()
    top1_changes: StrictBool | None = None
    lift_at_3_min: Lift | None = None


@dataclass(frozen=True, config=STRICT)
class Query:
    """A query, the question asked of the visitor, and its judgements.

    `chosen` says why, where the outcome was known when the query was chosen; None where it was
    not. `relevance` is doc_id -> grade 0..3; what is not listed is unjudged.
    """

    id: Id
    text: Annotated[str, Field(min_length=1, max_length=QUERY_MAX_CHARS)]
    slice: Words
    predict: Words
    chosen: Words | None = None
    relevance: Mapping[str, Grade] = field(default_factory=dict)
    expect: Expect = field(default_factory=Expect)


@dataclass(frozen=True, config=STRICT)
class PrintedRow:
    """Two scores as a textbook printed them: no model of ours made them."""

    doc_id: Words
    bi_encoder: StrictFloat
    cross_encoder: StrictFloat


@dataclass(frozen=True, config=STRICT)
class Printed:
    """A textbook's worked example, shown beside the live scores. `source` names the chapter."""

    source: Words
    query: Words
    rows: Annotated[tuple[PrintedRow, ...], Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class Scenario:
    """One folder. `lesson` is Markdown, shown after the reveal; `passages` in file order."""

    id: Id
    title: Words
    slice: Words
    author_note: Words
    lesson: Words
    queries: Annotated[tuple[Query, ...], Field(min_length=1)]
    passages: tuple[Passage, ...]
    printed: Printed | None = None


@dataclass(frozen=True)
class Library:
    """All scenarios, in order of their ids."""

    scenarios: tuple[Scenario, ...]

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Every scenario's passages, scenario by scenario, in file order: the library's corpus."""
        return tuple(p for scenario in self.scenarios for p in scenario.passages)

    @property
    def queries(self) -> tuple[Query, ...]:
        return tuple(q for scenario in self.scenarios for q in scenario.queries)

    def scenario(self, scenario_id: str) -> Scenario:
        """Raises KeyError for an id that is not in the library."""
        return {scenario.id: scenario for scenario in self.scenarios}[scenario_id]

    def query(self, query_id: str) -> Query:
        """Raises KeyError for an id that is not in the library."""
        return {query.id: query for query in self.queries}[query_id]


def _keys(record: type, *without: str) -> list[str]:
    return [f.name for f in fields(record) if f.name not in without]


KNOWN = {
    "": _keys(Scenario, "passages"),
    "queries": _keys(Query),
    "queries.expect": _keys(Expect),
    "printed": _keys(Printed),
    "printed.rows": _keys(PrintedRow),
}


def load_scenario(folder: Path | str) -> Scenario:
    """Read one folder. Raises FileError for the first mistake and how many more there are."""
    folder = Path(folder)
    path = folder / "scenario.toml"
    toml = read_text(path)
    return parse_scenario(toml, folder.name, path, lambda: read_passages(folder / "passages.jsonl"))


def parse_scenario(
    toml: str, name: str, path: Path | str, passages: Callable[[], Iterable[Passage]]
) -> Scenario:
    """A scenario from its two files' contents; `name` is its folder's, `path` names the TOML file in messages.

    Checks of form only, between the two see `library_mistakes`. Raises FileError as `load_scenario`.
    """
    try:
        data = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path}: not TOML ({error}); mend that line.") from error
    except RecursionError as error:
        raise FileError(f"{path}: brackets within brackets without end; mend it.") from error
    if "passages" in data:
        raise FileError(f"{path}: unknown key `passages`; passages stand in passages.jsonl.")
    if data.get("id") != name:
        raise FileError(
            f"{path}, id: found {shown(data.get('id'))}, but the folder is named {shown(name)}; make "
            "both the same."
        )
    queries = data.get("queries")
    for query in queries if isinstance(queries, list) else ():
        if isinstance(query, dict) and isinstance(data.get("slice"), str):
            query.setdefault("slice", data["slice"])
    data["passages"] = tuple(passages())
    try:
        return TypeAdapter(Scenario).validate_python(data)
    except ValidationError as error:
        found = complaints(error, KNOWN)
        place, message = found[0]
        more = f" ({len(found) - 1} more in this file.)" if len(found) > 1 else ""
        raise FileError(f"{path}{', ' if place else ''}{place}: {message}{more}") from error


def scenario_folders(folder: Path | str) -> list[Path]:
    """The folders that hold a scenario.toml, by name; everything else lying there is no scenario.

    Raises FileError where there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder} is not a folder; give the one that holds the scenarios.")
    found = sorted(path.parent for path in folder.glob("*/scenario.toml"))
    if not found:
        raise FileError(f"{folder} holds no scenario; each is a folder with a scenario.toml.")
    return found


def load_library(folder: Path | str) -> Library:
    """Read all scenarios under `folder`. Raises FileError for the first mistake."""
    folder = Path(folder)
    library = Library(tuple(load_scenario(path) for path in scenario_folders(folder)))
    for scenario_id, place, message in library_mistakes(library):
        raise FileError(f"{folder / scenario_id / 'scenario.toml'}, {place}: {message}")
    return library


def library_mistakes(library: Library) -> Iterator[tuple[str, str, str]]:
    """What is wrong between scenarios, as (scenario id, place, sentence)."""
    owner: dict[str, str] = {}
    for scenario in library.scenarios:
        for passage in scenario.passages:
            if passage.doc_id in owner:
                yield (
                    scenario.id, "passages.jsonl", f"doc_id {passage.doc_id!r} is already used in "
                    f"{owner[passage.doc_id]}; rename one of them."
                )  # fmt: skip
            owner.setdefault(passage.doc_id, scenario.id)
    seen: dict[str, str] = {}
    for scenario in library.scenarios:
        for query in scenario.queries:
            if query.id in seen:
                yield (
                    scenario.id, query.id, f"query id {query.id!r} is already used in "
                    f"{seen[query.id]}; rename one of them."
                )  # fmt: skip
            seen.setdefault(query.id, scenario.id)
            for place, ids in (
                ("relevance", query.relevance),
                ("expect.first_before", query.expect.first_before),
                ("expect.first_after", query.expect.first_after),
            ):
                for doc_id in ids:
                    if doc_id not in owner:
                        yield scenario.id, f"{query.id}.{place}", _no_such(doc_id)
        for row in scenario.printed.rows if scenario.printed else ():
            if row.doc_id not in owner:
                yield scenario.id, "printed.rows", _no_such(row.doc_id)


def _no_such(doc_id: str) -> str:
    return f"no passage has the doc_id {shown(doc_id)}; mend it or remove it."
