"""Failure kinds given by hand: read strictly, and the library's own file is in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from pools import some_library

from rerank_core.errors import FileError
from rerank_core.failure_notes import FailureNote, read_failure_notes
from rerank_core.scenarios import load_library

SCENARIOS = Path(__file__).parents[1] / "scenarios"
LIBRARY = some_library(2)


def test_a_note_is_read_and_no_file_is_no_note(tmp_path: Path):
    path = tmp_path / "failures.toml"
    assert read_failure_notes(path, LIBRARY) == {}
    path.write_text('[s0-1]\nkind = "intent"\nreason = "Either was meant."\n', "utf-8")
    assert read_failure_notes(path, LIBRARY) == {"s0-1": FailureNote("intent", "Either was meant.")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[s0-1]\nkind = "scoring"\nreason = "r"', "s0-1.kind: input should be 'intent'"),
        ('[s0-1]\nkind = "intent"', "s0-1: `reason` is missing"),
        ('[s0-1]\nkind = "intent"\nreason = " "', "s0-1.reason: "),
        ('[s0-1]\nkind = "intent"\nreasons = "r"', "unknown key `reasons`; did you mean `reason`"),
        ('[nobody]\nkind = "intent"\nreason = "r"', "nobody: no query has this id"),
        ("[s0-1", "not TOML"),
        ('s0-1 = "intent"', "s0-1: "),
    ],
)
def test_mistakes_are_named_with_place_and_fix(tmp_path: Path, text: str, said: str):
    path = tmp_path / "failures.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(FileError) as error:
        read_failure_notes(path, LIBRARY)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_the_librarys_own_file_is_in_order():
    library = load_library(SCENARIOS)
    notes = read_failure_notes(SCENARIOS / "failures.toml", library)
    assert set(notes) <= {query.id for query in library.queries}
