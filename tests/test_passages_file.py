"""Passages files: what is read, and that each mistake names file, line and fix."""

from pathlib import Path

import pytest

from rerank_core.errors import FileError
from rerank_core.passages_file import read_passages
from rerank_core.records import Passage


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_txt_is_a_passage_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "p.txt", "\ufeffone\r\n\n  two = 2  \nthrée\u2028same line")
    assert read_passages(path) == [
        Passage("p0001", "one"),
        Passage("p0002", "two = 2"),
        Passage("p0003", "thrée\u2028same line"),
    ]


def test_jsonl_with_and_without_ids(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "p.jsonl",
        '{"doc_id": "a", "text": " one ", "title": "T", "date": null}\n\n{"text": "two"}\n',
    )
    assert read_passages(path) == [Passage("a", "one", title="T"), Passage("p0002", "two")]


def test_csv_with_quotes_line_breaks_and_empty_cells(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "p.csv",
        'doc_id,text,source\r\na,"one, ""quoted""\nsecond line",\r\n,two,here\r\n',
    )
    assert read_passages(path) == [
        Passage("a", 'one, "quoted"\nsecond line'),
        Passage("p0002", "two", source="here"),
    ]


def test_ending_may_be_upper_case(tmp_path: Path) -> None:
    assert read_passages(write(tmp_path, "P.TXT", "one"))[0].text == "one"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.md", "x", "ends in '.md'; passages are read from .txt (one a line), .jsonl or .csv."),
        ("p", "x", "ends in 'nothing'; passages are read"),
        ("p.txt", " \n\n", "holds no passage; put at least one text into it."),
        ("p.txt", b"ok\nbad \xff", "line 2: byte 0xff is not UTF-8; save the file as UTF-8."),
        ("p.jsonl", '{"text": "a"}\n{"text": }', "line 2: not JSON (Expecting value, column 10)"),
        ("p.jsonl", "[1]", 'line 1: found [1], not an object such as {"text": "..."}.'),
        ("p.jsonl", '{"text": 5}', "line 1: `text` is 5; it must be a string in quotes."),
        ("p.jsonl", '{"text": "a", "doc_id": null}', "line 1: `doc_id` is None"),
        ("p.jsonl", '{"txt": "a"}', "line 1: unknown key `txt`; did you mean `text`?"),
        ("p.jsonl", '{"title": "a"}', "line 1: `text` is missing; add it."),
        ("p.jsonl", '{"text": "a", "text": "b"}', "line 1: not a plain JSON object (a key appears"),
        ("p.jsonl", '{"text": "\\ud800"}', "line 1: `text` holds half a surrogate pair"),
        ("p.jsonl", "[" * 100_000, "line 1: not a plain JSON object"),
        ("p.jsonl", '{"text": " "}', "line 1: `text` is empty; write a text or remove the line."),
        ("p.jsonl", '{"text": "a", "doc_id": "a b"}', "line 1: doc_id 'a b' must be a word"),
        (
            "p.jsonl",
            '{"text": "a"}\n\n{"text": "b", "doc_id": "p0001"}',
            "line 3: doc_id 'p0001' is already that of line 1; every passage needs its own.",
        ),
        ("p.csv", "doc_id,body\na,b\n", "line 1: no column `text` in the header"),
        ("p.csv", "doc_id;text\na;b\n", "separate columns with commas"),
        ("p.csv", "text,text\na,b\n", "line 1: a column appears twice"),
        ("p.csv", "text,label\na,b\n", "line 2: unknown key `label`; remove it."),
        (
            "p.csv",
            'text\n"a\nb"\nc,d\n',
            "line 4: 2 cells, but the header has 1 columns; put quotes",
        ),
        ("p.csv", 'text\n"open\n', "not CSV (unexpected end of data); check the quotes."),
    ],
)
def test_mistakes(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(FileError) as raised:
        read_passages(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.txt cannot be read \(No such file"):
        read_passages(tmp_path / "none.txt")
