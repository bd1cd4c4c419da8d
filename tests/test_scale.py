"""Cost as a corpus grows: arithmetic by hand, what counts as measured, and the benchmark's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import measure, unit_vectors
from rerank_core.errors import FileError, InputError
from rerank_core.scale import SIZES, Search, SearchBenchmark, read_search, scale, search_ms, within
from rerank_core.trace import this_environment

POINTS = [(1_000, 0.2), (100_000, 8.0), (1_000_000, 90.0)]


@pytest.mark.parametrize(
    ("passages", "ms", "measured"),
    [
        (1_000, 0.2, True),
        (500, 0.1, False),
        (1_000_000, 90.0, True),
        (10_000_000, 900.0, False),
        (550_000, 49.0, False),
    ],
)
def test_search_is_measured_or_estimated(passages: int, ms: float, measured: bool):
    assert search_ms(POINTS, passages) == Search(passages, pytest.approx(ms), measured)


def test_rows_by_hand():
    rows = scale(
        POINTS, ms_encode=10, ms_per_pair=12, n=50, dims=384, sizes=(20, 1_000, 10_000_000)
    )
    small, library, large = rows
    assert (small.pairs, small.cross) == (20, 240)
    assert library.dense == 10.2
    assert library.two_stage == 10.2 + 600
    assert library.cross == 12_000
    assert library.vectors_bytes == 1_536_000
    assert large.cross / 86_400_000 == pytest.approx(1.389, abs=0.001)  # days
    assert not large.searched.measured
    assert [r.passages for r in scale(POINTS, ms_encode=1, ms_per_pair=1, n=5, dims=4)] == [*SIZES]


def test_bounds_are_said():
    with pytest.raises(InputError, match="No search was measured"):
        search_ms([], 5)
    with pytest.raises(InputError, match="a pair takes more than 0 ms"):
        scale(POINTS, ms_encode=1, ms_per_pair=0, n=5, dims=4)
    assert within(1, 12.5) == 80


def test_the_benchmark_measures_and_its_file_is_read_strictly(tmp_path: Path):
    vectors = unit_vectors(300, 16)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    point = measure(vectors, rounds=3)
    assert point.passages == 300
    assert point.ms_low <= point.ms <= point.ms_high
    made = SearchBenchmark(
        made_at="2026-01-02T03:04:05+00:00", dims=16, n=50, cores=2,
        environment=this_environment(), points=(point,),
    )  # fmt: skip
    path = tmp_path / "search.json"
    assert read_search(path) is None
    path.write_text(made.model_dump_json(), "utf-8")
    assert read_search(path) == made
    path.write_text(made.model_dump_json().replace('"dims"', '"dimz"'), "utf-8")
    with pytest.raises(
        FileError, match=r"unknown key `dimz`; did you mean `dims`.*benchmarks.search"
    ):
        read_search(path)
