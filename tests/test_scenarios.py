"""Scenario files: what is read, and that each mistake names file, place and fix."""

from pathlib import Path

import pytest

from rerank_core.errors import FileError
from rerank_core.records import Passage
from rerank_core.scenarios import load_library, load_scenario

TOML = """
id = "tiny"
title = "Tiny"
slice = "word_sense"
author_note = "Written before any model was run."
lesson = "One. Two."

[[queries]]
id = "tiny-1"
text = "python pet care"
predict = "Which sense wins?"
[queries.relevance]
t-1 = 3
t-2 = 0
[queries.expect]
first_after = ["t-1"]
top1_changes = true
lift_at_3_min = 0

[[queries]]
id = "tiny-2"
text = "python async"
slice = "negation"
predict = "And now?"
chosen = "because it shows the other sense"

[printed]
source = "A chapter"
query = "python pet care"
rows = [{ doc_id = "t-1", bi_encoder = 0.72, cross_encoder = 0.91 }]
"""
PASSAGES = '{"doc_id": "t-1", "text": "feeding"}\n{"doc_id": "t-2", "text": "tutorial"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return add(tmp_path, "tiny", TOML, PASSAGES)


def add(library: Path, name: str, toml: str, passages: str) -> Path:
    path = library / name
    path.mkdir()
    (path / "scenario.toml").write_text(toml, "utf-8")
    (path / "passages.jsonl").write_text(passages, "utf-8")
    return path


def test_a_scenario_is_read(folder: Path) -> None:
    scenario = load_scenario(folder)
    first, second = scenario.queries
    assert (scenario.id, first.slice, second.slice) == ("tiny", "word_sense", "negation")
    assert scenario.passages == (Passage("t-1", "feeding"), Passage("t-2", "tutorial"))
    assert first.relevance == {"t-1": 3, "t-2": 0}
    assert first.expect.first_after == ("t-1",)
    assert first.expect.top1_changes is True
    assert first.expect.lift_at_3_min == 0.0
    assert first.chosen is None
    assert second.chosen == "because it shows the other sense"
    assert second.relevance == {}
    assert second.expect.lift_at_3_min is None
    assert scenario.printed is not None
    assert scenario.printed.rows[0].bi_encoder == 0.72


def test_a_library_looks_up_by_id(folder: Path) -> None:
    library = load_library(folder.parent)
    assert library.scenario("tiny").title == "Tiny"
    assert library.query("tiny-2").text == "python async"
    assert [p.doc_id for p in library.passages] == ["t-1", "t-2"]
    with pytest.raises(KeyError):
        library.query("none")


def test_what_lies_beside_the_folders_is_no_scenario(folder: Path) -> None:
    (folder.parent / "overlap.json").write_text("{}")
    (folder.parent / "drafts").mkdir()
    assert [s.id for s in load_library(folder.parent).scenarios] == ["tiny"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Tiny"', 'titel = "Tiny"', ": unknown key `titel`; did you mean `title`?"),
        ('title = "Tiny"', "", ": `title` is missing; add it."),
        ('title = "Tiny"', 'title = " "', ", title: string should have at least 1 character"),
        ('id = "tiny"', 'id = "other"', ", id: found 'other', but the folder is named 'tiny'"),
        ('id = "tiny-2"', 'id = "Tiny 2"', ", queries[2].id: string should match pattern"),
        (
            "t-1 = 3",
            "t-1 = 4",
            ", queries[1].relevance.t-1: input should be less than or equal to 3",
        ),
        ("t-1 = 3", 't-1 = "3"', ", queries[1].relevance.t-1: input should be a valid integer"),
        ("t-1 = 3", "t-1 = true", ", queries[1].relevance.t-1: input should be a valid integer"),
        ("t-1 = 3", "t-1 = ", ": not TOML (Invalid value (at line 13, column 7)); mend that line."),
        (
            "first_after",
            "first_aftr",
            ", queries[1].expect: unknown key `first_aftr`; did you mean",
        ),
        ('["t-1"]', "[]", ", queries[1].expect.first_after: tuple should have at least 1 item"),
        (
            "top1_changes = true",
            "top1_changes = 1",
            ", queries[1].expect.top1_changes: input should",
        ),
        (
            "lift_at_3_min = 0",
            "lift_at_3_min = 20",
            ", queries[1].expect.lift_at_3_min: input should",
        ),
        ("cross_encoder", "cross", ", printed.rows[1]: unknown key `cross`"),
        ('[printed]\nsource = "A chapter"', "[printed]", ", printed: `source` is missing; add it."),
        ("[[queries]]", "[[query]]", ": unknown key `query`; did you mean `queries`?"),
        (
            'title = "Tiny"',
            "passages = []",
            ": unknown key `passages`; passages stand in passages.",
        ),
        (
            '"python pet care"\npredict',
            f'"{"x" * 501}"\npredict',
            ", queries[1].text: string should",
        ),
    ],
)
def test_mistakes_in_a_scenario(folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "scenario.toml"
    assert old in TOML
    path.write_text(TOML.replace(old, new), "utf-8")
    with pytest.raises(FileError) as raised:
        load_scenario(folder)
    assert f"{path}{message}" in str(raised.value)


def test_a_first_mistake_says_how_many_more(folder: Path) -> None:
    text = TOML.replace("t-1 = 3", "t-1 = 4").replace("t-2 = 0", "t-2 = -1")
    (folder / "scenario.toml").write_text(text, "utf-8")
    with pytest.raises(FileError, match=r"\(1 more in this file\.\)$"):
        load_scenario(folder)


def test_a_mistake_in_the_passages_names_the_line(folder: Path) -> None:
    (folder / "passages.jsonl").write_text('{"doc_id": "t-1", "text": "a"}\n{"doc": "t-2"}\n')
    with pytest.raises(FileError, match=r"passages\.jsonl, line 2: unknown key `doc`"):
        load_scenario(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("t-2 = 0", "t-9 = 0", "tiny-1.relevance: no passage has the doc_id 't-9'"),
        ('["t-1"]', '["t-9"]', "tiny-1.expect.first_after: no passage has the doc_id 't-9'"),
        ('doc_id = "t-1"', 'doc_id = "t-9"', "printed.rows: no passage has the doc_id 't-9'"),
        ('"tiny-2"', '"tiny-1"', "tiny-1: query id 'tiny-1' is already used in tiny"),
    ],
)
def test_mistakes_between_files(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "scenario.toml").write_text(TOML.replace(old, new), "utf-8")
    with pytest.raises(FileError) as raised:
        load_library(folder.parent)
    assert message in str(raised.value)


def test_doc_ids_are_unique_over_the_library(folder: Path) -> None:
    toml = TOML.replace("tiny", "twin")
    add(folder.parent, "twin", toml, PASSAGES.replace("t-2", "w-2"))
    with pytest.raises(FileError, match=r"doc_id 't-1' is already used in tiny; rename one"):
        load_library(folder.parent)


def test_a_query_may_judge_another_scenarios_passages(folder: Path) -> None:
    toml = TOML.replace("tiny", "twin")
    passages = '{"doc_id": "w-1", "text": "one"}\n'
    add(folder.parent, "twin", toml, passages)
    assert load_library(folder.parent).query("twin-1").relevance["t-1"] == 3


@pytest.mark.parametrize(
    ("name", "message"), [("none", "is not a folder"), ("", "holds no scenario")]
)
def test_no_library(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        load_library(tmp_path / name)
