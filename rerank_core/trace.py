"""The query-document pair score trace: everything one run computed, out as JSON or CSV and in again.

It holds what somebody else needs to compute the run again and compare: texts, model hashes, N, K,
every raw score, both ranks, versions. Three scales stand side by side and are never mixed: `cosine`
(bi-encoder), `logit` (cross-encoder, raw) and `probability` (the calibrated logit, None where the
model is not calibrated). Whether a trace holds is check's business; reading checks form alone.
"""

from __future__ import annotations

import contextlib
import csv
import io
import platform
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rerank_core.comparison import Comparison
from rerank_core.errors import FileError, RerankError
from rerank_core.forms import complaints
from rerank_core.passages_file import read_text
from rerank_core.prediction import Prediction
from rerank_core.records import ModelCard, StageTiming

SCHEMA_VERSION: Literal[1] = 1
PACKAGES = (
    "torch", "openvino", "transformers", "sentence-transformers", "tokenizers", "safetensors", "numpy",
)  # fmt: skip
"""The packages whose versions can change a score; those that are not installed are left out."""

FORMULA = re.compile(r"^\s*[=+\-@]|^[\t\r\n]")
"""Texts that a spreadsheet would run as a formula."""

Rank = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Row(_Record):
    """One candidate. `relevance` is a person's grade 0..3, None where unjudged or not known."""

    doc_id: str
    text: str
    cosine: float
    logit: float
    probability: Annotated[float, Field(ge=0, le=1)] | None
    rank_before: Rank
    rank_after: Rank
    tokens: Count
    cut: Count
    cached: bool
    relevance: Annotated[int, Field(ge=0, le=3)] | None


class Environment(_Record):
    """Where the run was made. `torch_threads` is None where torch was not loaded."""

    python: str
    platform: str
    torch_threads: Rank | None
    packages: dict[str, str]


class Trace(_Record):
    """One comparison. `candidates` stand in the order of rank_after; there are retrieve_k of them."""

    schema_version: Literal[1]
    made_at: str
    query: str
    scenario: str | None
    query_id: str | None
    retrieve_k: Count
    top_k: Rank
    corpus_size: Count
    bi_encoder: ModelCard
    cross_encoder: ModelCard
    timings: tuple[StageTiming, ...]
    total_ms: Annotated[float, Field(ge=0)]
    prediction: Prediction | None
    environment: Environment
    candidates: tuple[Row, ...]

    def to_json(self) -> str:
        """UTF-8 JSON, two spaces a level, one line feed at the end."""
        return self.model_dump_json(indent=2) + "\n"

    def to_csv(self) -> str:
        """The candidates, a header line first, RFC 4180; texts cannot start a formula.

        A text that a spreadsheet would run is preceded by an apostrophe; numbers stay numbers.
        """
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(Row.model_fields)
        for row in self.candidates:
            writer.writerow([safe_cell(getattr(row, name)) for name in Row.model_fields])
        return out.getvalue()


def trace_of(
    comparison: Comparison,
    *,
    relevance: Mapping[str, int] | None = None,
    prediction: Prediction | None = None,
    scenario: str | None = None,
    query_id: str | None = None,
) -> Trace:
    """The trace of a comparison that ran in this process, with this process's versions."""
    grades = relevance or {}
    rank_before = {row.doc_id: row.rank for row in comparison.before}
    cosine = {row.doc_id: row.score for row in comparison.before}
    rows = []
    for row in comparison.after:
        pair = comparison.pair(row.doc_id)
        rows.append(
            Row(
                doc_id=row.doc_id,
                text=row.passage.text,
                cosine=cosine[row.doc_id],
                logit=pair.logit,
                probability=comparison.probability(row.doc_id),
                rank_before=rank_before[row.doc_id],
                rank_after=row.rank,
                tokens=pair.tokens,
                cut=pair.cut,
                cached=pair.cached,
                relevance=grades.get(row.doc_id),
            )
        )
    return Trace(
        schema_version=SCHEMA_VERSION,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        query=comparison.query,
        scenario=scenario,
        query_id=query_id,
        retrieve_k=comparison.retrieve_k,
        top_k=comparison.top_k,
        corpus_size=comparison.retrieved.corpus_size,
        bi_encoder=comparison.retrieved.model,
        cross_encoder=comparison.reranked.model,
        timings=comparison.timings,
        total_ms=comparison.total_ms,
        prediction=prediction,
        environment=this_environment(),
        candidates=tuple(rows),
    )


def read_trace(path: Path | str) -> Trace:
    """Read a trace that `to_json` wrote. Raises FileError naming file, place and fix."""
    path = Path(path)
    try:
        return Trace.model_validate_json(read_text(path))
    except ValidationError as error:
        known = {"": list(Trace.model_fields), "candidates": list(Row.model_fields)}
        place, message = complaints(error, known)[0]
        where = f"{path}, {place}" if place else str(path)
        raise FileError(f"{where}: {message} A trace is used as it was exported.") from error
    except FileError:
        raise
    except RerankError as error:  # a prediction out of its ranges
        raise FileError(f"{path}, prediction: {error}") from error


def this_environment() -> Environment:
    """Versions of this process; torch is asked for its threads only where it is loaded."""
    torch = sys.modules.get("torch")
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        torch_threads=torch.get_num_threads() if torch else None,
        packages=dict(_packages()),
    )


@cache
def _packages() -> tuple[tuple[str, str], ...]:
    """Name and version of each package that is there: read from the disk once, for they stay as they are."""
    found = []
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append((name, metadata.version(name)))
    return tuple(found)


def safe_cell(value: object) -> object:
    """A value for a CSV: a text that a spreadsheet would run is preceded by an apostrophe."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value
