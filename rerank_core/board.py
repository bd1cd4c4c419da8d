"""The board of a library: all its queries' pools, which models and scenarios they are of, as a file and back.

What is stored is what models said; every figure (any N and K, slices, losses, curves) is derived from it, so that an
opened board can be turned without a model. Left out: where the file lies, and who decides to compute it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rerank_core.corpus import Corpus
from rerank_core.errors import FileError, InputError, RerankError
from rerank_core.evaluate import Case, QueryResult, SliceRow, evaluate, headline, slices, unchosen
from rerank_core.forms import complaints
from rerank_core.latency import cost_of
from rerank_core.limits import RETRIEVE_K_DEFAULT, TOP_K_DEFAULT
from rerank_core.passages_file import read_text
from rerank_core.pipeline import TwoStage
from rerank_core.pool import DEPTH_MAX, Pool, compact, pool_of
from rerank_core.records import ModelCard
from rerank_core.scenarios import Library
from rerank_core.trace import Environment, this_environment

TOLERANCE = 0.01
"""How far a mean nDCG@3 may lie from the stored one: another processor can swap two passages that nearly tie."""

Ms = Annotated[float, Field(ge=0)] | None


class Board(BaseModel):
    """A library's queries, scored. `n` and `k` are those that `results` is asked for by default.

    `scenarios_hash` is of what determines the figures. `ms_query` and `ms_per_pair` are medians in milliseconds on
    the machine of `environment`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    schema_version: Literal[1] = 1
    made_at: str
    bi_encoder: ModelCard
    cross_encoder: ModelCard
    scenarios_hash: str
    corpus_size: Annotated[int, Field(ge=0)]
    n: Annotated[int, Field(ge=1)]
    k: Annotated[int, Field(ge=1)]
    ms_query: Ms
    ms_per_pair: Ms
    environment: Environment
    cases: tuple[Case, ...]

    @property
    def hashes(self) -> tuple[str, str, str]:
        """Of the bi-encoder, of the cross-encoder, of the scenarios: while these stand, the figures do."""
        return self.bi_encoder.model_hash, self.cross_encoder.model_hash, self.scenarios_hash

    @property
    def pools(self) -> tuple[Pool, ...]:
        return tuple(case.pool for case in self.cases)

    def results(self, n: int | None = None, k: int | None = None) -> tuple[QueryResult, ...]:
        """Every query with a lift at N and K; no model is asked."""
        return evaluate(self.cases, self.n if n is None else n, self.k if k is None else k)

    def rows(self, n: int | None = None, k: int | None = None) -> tuple[SliceRow, ...]:
        """The headline row, then one a slice, over the queries that were not chosen for their outcome."""
        kept = unchosen(self.results(n, k))
        first = headline(kept)
        return (first, *slices(kept)) if first else ()

    def to_json(self) -> str:
        """UTF-8 JSON, one case a line, one line feed at the end."""
        head = self.model_dump_json(indent=2, exclude={"cases"}).removesuffix("\n}")
        lines = ",\n".join(f"    {CASE.dump_json(case).decode('utf-8')}" for case in self.cases)
        return f'{head},\n  "cases": [\n{lines}\n  ]\n}}\n'


CASE = TypeAdapter(Case)


def scenarios_hash(library: Library) -> str:
    """sha256 (hex) of texts, queries, slices, grades and what was chosen; prose around them may change."""
    said = {
        "passages": sorted([p.doc_id, p.text] for p in library.passages),
        "queries": sorted(
            [q.id, scenario.id, q.slice, q.text, q.chosen is not None, sorted(q.relevance.items())]
            for scenario in library.scenarios
            for q in scenario.queries
        ),
    }
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode("ascii")).hexdigest()


def cases_of(
    engine: TwoStage, library: Library, corpus: Corpus, depth: int = DEPTH_MAX
) -> Iterator[Case]:
    """Score every query's pool, one after the other: count them for progress, stop asking to cancel."""
    for scenario in library.scenarios:
        for query in scenario.queries:
            pool = pool_of(engine, query.text, corpus, query.relevance, depth)
            yield Case(query.id, scenario.id, query.slice, pool, query.chosen is not None)


def board(
    cases: Iterable[Case],
    library: Library,
    bi_encoder: ModelCard,
    cross_encoder: ModelCard,
    n: int = RETRIEVE_K_DEFAULT,
    k: int = TOP_K_DEFAULT,
) -> Board:
    """The board of cases that were scored now, by these models, over this library.

    Cases are kept in the form in which they are stored, see pool.compact.
    Raises InputError where cases and the library's queries are not the same.
    """
    cases = tuple(cases)
    ids, wanted = [case.query_id for case in cases], [query.id for query in library.queries]
    if sorted(ids) != sorted(wanted):
        odd = sorted(set(ids) ^ set(wanted)) or sorted(ids)
        raise InputError(
            f"{len(ids)} cases for {len(wanted)} queries (see {odd[0]!r}); score each once."
        )
    cost = cost_of(case.pool for case in cases)
    return Board(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        bi_encoder=bi_encoder,
        cross_encoder=cross_encoder,
        scenarios_hash=scenarios_hash(library),
        corpus_size=len(library.passages),
        n=n,
        k=k,
        ms_query=cost.ms_query if cost else None,
        ms_per_pair=cost.ms_per_pair if cost else None,
        environment=this_environment(),
        cases=tuple(replace(case, pool=compact(case.pool)) for case in cases),
    )


def read_board(path: Path | str) -> Board:
    """Read what `to_json` wrote. Raises FileError naming file, place and fix."""
    path = Path(path)
    try:
        return Board.model_validate_json(read_text(path))
    except ValidationError as error:
        place, message = complaints(error, {"": list(Board.model_fields)})[0]
        where = f"{path}, {place}" if place else str(path)
        raise FileError(f"{where}: {message} Compute the board anew.") from error
    except FileError:
        raise
    except RerankError as error:  # a pool whose columns differ in length
        raise FileError(f"{path}, cases: {error} Compute the board anew.") from error


def write_board(made: Board, path: Path | str) -> None:
    """Write `to_json` whole or not at all. Raises FileError where the place cannot be written."""
    path = Path(path)
    half = path.with_name(path.name + ".part")
    try:
        half.write_text(made.to_json(), encoding="utf-8", newline="\n")
        half.replace(path)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}; give another place.") from error


def is_current(
    stored: Board, library: Library, bi_encoder: ModelCard, cross_encoder: ModelCard
) -> bool:
    """Whether a stored board is of these models and scenarios."""
    return stored.hashes == (
        bi_encoder.model_hash,
        cross_encoder.model_hash,
        scenarios_hash(library),
    )


def board_mismatches(stored: Board, fresh: Board, tolerance: float = TOLERANCE) -> tuple[str, ...]:
    """One sentence a difference, at the stored N and K: hashes, queries, mean nDCG@3 further apart than `tolerance`."""
    found = [
        f"{name}: stored {was[:12]}, now {now[:12]}; compute the board anew."
        for name, was, now in zip(
            ("bi-encoder", "cross-encoder", "scenarios"), stored.hashes, fresh.hashes, strict=True
        )
        if was != now
    ]
    before, after = stored.rows(), fresh.rows(stored.n, stored.k)
    new = {row.slice: row for row in after}
    if {r.slice: r.query_ids for r in before} != {r.slice: r.query_ids for r in after}:
        found.append("queries: the slices do not hold the same ones; compute the board anew.")
    for row in before:
        for name in ("before", "after"):
            was = getattr(row, name)
            now = getattr(new[row.slice], name) if row.slice in new else None
            if now is not None and abs(was - now) > tolerance:
                found.append(f"{row.slice}: nDCG@3 {name} was {was:.4f}, is {now:.4f}.")
    return tuple(found)


def board_matches(stored: Board, fresh: Board, tolerance: float = TOLERANCE) -> bool:
    """Whether `board_mismatches` finds nothing."""
    return not board_mismatches(stored, fresh, tolerance)
