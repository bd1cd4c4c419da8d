"""What a query costs as a corpus grows: dense only, two stages, a cross-encoder over everything.

Arithmetic over milliseconds that were measured: one query's encoding, one pair, and searches at given sizes. What was
not measured at a size is estimated, and says so. Search is exact (a dot product with every vector), so it grows with
the corpus; left out are the index of large corpora (near_index.py), which is faster, and machines with many cores.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rerank_core.errors import FileError, InputError
from rerank_core.forms import complaints
from rerank_core.passages_file import read_text
from rerank_core.trace import Environment

SIZES = (50, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Passages of a corpus: from one that needs no first stage to a large encyclopaedia cut into paragraphs."""

WAITS_S = (1, 10, 60, 3_600, 86_400)
"""Seconds a person might wait for one query: a second, ten, a minute, an hour, a day."""

BYTES_PER_NUMBER = 4
"""float32."""

Ms = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SearchPoint(_Record):
    """One search over `passages` unit vectors: median, fastest and slowest of `rounds`, in milliseconds."""

    passages: Count
    ms: Ms
    ms_low: Ms
    ms_high: Ms
    rounds: Count


class SearchBenchmark(_Record):
    """Searches measured on one machine, by passages ascending; `dims` numbers a vector, `n` rows found."""

    schema_version: Literal[1] = 1
    made_at: str
    dims: Count
    n: Count
    cores: Count
    environment: Environment
    points: Annotated[tuple[SearchPoint, ...], Field(min_length=1)]


def read_search(path: Path | str) -> SearchBenchmark | None:
    """What `python -m benchmarks.search` wrote; None where it has not been run. FileError for a broken file."""
    path = Path(path)
    if not path.exists():
        return None
    try:
        return SearchBenchmark.model_validate_json(read_text(path))
    except ValidationError as error:
        place, message = complaints(error, {"": list(SearchBenchmark.model_fields)})[0]
        where = f"{path}, {place}" if place else str(path)
        raise FileError(f"{where}: {message} Run python -m benchmarks.search again.") from error


@dataclass(frozen=True, slots=True)
class Search:
    """A search at one size, in milliseconds; `measured` is false where it was estimated."""

    passages: int
    ms: float
    measured: bool


def search_ms(measured: Sequence[tuple[int, float]], passages: int) -> Search:
    """The search over `passages`, from (passages, ms) points: itself where it was measured; between two points on
    the straight line; beyond the largest, and below the smallest, in proportion. InputError where there is no point.

    >>> search_ms([(1_000, 0.2), (100_000, 8.0)], 1_000_000)
    Search(passages=1000000, ms=80.0, measured=False)
    """
    points = sorted(measured)
    if not points:
        raise InputError("No search was measured; run python -m benchmarks.search.")
    sizes = [size for size, _ in points]
    at = bisect_left(sizes, passages)
    if at < len(points) and sizes[at] == passages:
        return Search(passages, points[at][1], True)
    if at in (0, len(points)):
        size, ms = points[min(at, len(points) - 1)]
        return Search(passages, ms * passages / size, False)
    (low, ms_low), (high, ms_high) = points[at - 1], points[at]
    share = (passages - low) / (high - low)
    return Search(passages, ms_low + share * (ms_high - ms_low), False)


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """One query over a corpus of `passages`, in milliseconds, without waiting for others.

    `dense` is encoding and searching, `two_stage` that and `pairs` pairs (N, or fewer), `cross` every passage read
    with the query. `vectors_bytes` is the index in memory; `searched` says how the search in it was come by.
    """

    passages: int
    pairs: int
    dense: float
    two_stage: float
    cross: float
    vectors_bytes: int
    searched: Search


def scale(
    measured: Sequence[tuple[int, float]],
    *,
    ms_encode: float,
    ms_per_pair: float,
    n: int,
    dims: int,
    sizes: Sequence[int] = SIZES,
) -> tuple[ScaleRow, ...]:
    """One row a size, ascending; `measured` as for `search_ms`, `n` is N, `dims` the numbers of a vector."""
    if n < 1 or ms_encode < 0 or ms_per_pair <= 0:
        raise InputError(
            f"N = {n}, {ms_encode} ms a query and {ms_per_pair} ms a pair: N is at least 1, times are not negative, "
            "and a pair takes more than 0 ms."
        )
    rows = []
    for size in sorted(sizes):
        searched, pairs = search_ms(measured, size), min(n, size)
        dense = ms_encode + searched.ms
        rows.append(
            ScaleRow(
                size, pairs, dense, dense + pairs * ms_per_pair, size * ms_per_pair,
                size * dims * BYTES_PER_NUMBER, searched,
            )
        )  # fmt: skip
    return tuple(rows)


def within(seconds: float, ms_per_pair: float) -> int:
    """The largest corpus that a cross-encoder reads whole in that time: 0 where not even one pair fits.

    >>> within(60, ms_per_pair=12.5)
    4800
    """
    return int(seconds * 1e3 / ms_per_pair)
