"""A visitor's text as passages: what is read, each mistake with its line, and that splitting loses nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import limits
from rerank_core.errors import FileError
from rerank_core.own_passages import LongTextError, own_passages, own_text
from rerank_core.passages_file import csv_columns
from rerank_core.records import Passage
from rerank_core.split import split_passage, split_text

SENTENCE = "The kettle on the left boils water for two cups. "


def texts(passages: list[Passage]) -> list[str]:
    return [p.text for p in passages]


def test_a_passage_a_line_with_every_kind_of_line_end() -> None:
    assert texts(own_passages("one\r\ntwo\rthree\n\nfour", "lines", "x")) == [
        "one", "two", "three", "four",
    ]  # fmt: skip


def test_paragraphs_are_separated_by_blank_lines() -> None:
    found = own_passages("\n\none\nstill one\n \t\r\n\ntwo\r\n\r\n", "paragraphs", "x")
    assert texts(found) == ["one\nstill one", "two"]
    assert [p.doc_id for p in found] == ["p0001", "p0002"]


def test_right_to_left_text_and_emoji_stay_as_they_are() -> None:
    written = "\u202bمرحبا\u202c 👩‍👩‍👧"
    assert texts(own_passages(own_text(written.encode(), "x"), "lines", "x")) == [written]


def test_a_chosen_csv_column_leaves_the_unknown_ones_out() -> None:
    table = "doc_id,body,label,source\na,one,7,here\nb,two,8,\n"
    assert csv_columns(table, "x") == ["doc_id", "body", "label", "source"]
    assert own_passages(table, "csv", "x", column="body") == [
        Passage("a", "one", source="here"),
        Passage("b", "two"),
    ]
    assert texts(own_passages(table, "csv", "x", column="label")) == ["7", "8"]


def test_the_column_text_can_be_passed_over_for_another() -> None:
    assert texts(own_passages("text,body\na,b\n", "csv", "x", column="body")) == ["b"]


@pytest.mark.parametrize(
    ("kind", "text", "column", "sentence"),
    [
        ("csv", "a;b\n1;2\n", "text", "f, line 1: no column `text` in the header ['a;b']; separate columns with "
         "commas; name one so."),
        ("csv", "id,body\n1,\n", "body", "f, line 2: `body` is empty; write a text or remove the line."),
        ("csv", "id,body\n1,x,y\n", "body", "f, line 2: 3 cells, but the header has 2 columns; put quotes around a "
         "text with a comma in it."),
        ("csv", "id,body\n1,2\n", "no", "f, line 1: no column `no` in the header ['id', 'body']; name one so."),
        ("csv", 'body\n"open', "body", "f, line 2: not CSV (unexpected end of data); check the quotes."),
        ("jsonl", '{"text": "a"}\n{"text": 5}', None, "f, line 2: `text` is 5; it must be a string in quotes."),
        ("jsonl", '{"text": "a\\u0000b"}', None, "f, line 1: `text` holds a NUL character; save the file as plain "
         "text."),
        ("lines", "fine\nbad \0 here", None, "f, line 2: `text` holds a NUL character; save the file as plain text."),
        ("lines", "half \ud83d", None, "f, line 1: `text` holds half a surrogate pair; remove it."),
        ("paragraphs", " \n\n", None, "f holds no passage; put at least one text into it."),
        ("xml", "x", None, "f is 'xml'; it can be lines, paragraphs, jsonl, csv."),
        ("lines", "x\n" * (limits.OWN_PASSAGES + 1), None,
         "f, line 2001: here begins passage 2,001, and 2,000 are allowed; leave some out."),
    ],
)  # fmt: skip
def test_mistakes_name_the_line(kind: str, text: str, column: str | None, sentence: str) -> None:
    with pytest.raises(FileError) as raised:
        own_passages(text, kind, "f", column=column)
    assert str(raised.value) == sentence


def test_a_header_without_commas_is_said_before_a_column_is_chosen() -> None:
    with pytest.raises(FileError) as raised:
        csv_columns("id;text\n1;a\n", "f")
    assert str(raised.value) == "f, line 1: one column, 'id;text'; separate columns with commas."


def test_too_many_bytes_and_bytes_that_are_no_text() -> None:
    with pytest.raises(FileError) as raised:
        own_text(b"x" * (limits.OWN_FILE_BYTES + 1), "f")
    assert str(raised.value) == "f has 5,242,881 bytes, and 5,242,880 are allowed; leave some out."
    with pytest.raises(FileError) as raised:
        own_text(b"fine\rfine\r\nno\xff", "f")
    assert str(raised.value) == "f, line 3: byte 0xff is not UTF-8; save the file as UTF-8."
    assert own_text("\ufeffone", "f") == own_text("\ufeffone".encode(), "f") == "one"


def test_a_huge_unknown_key_is_not_repeated_whole() -> None:
    with pytest.raises(FileError) as raised:
        own_passages('{"' + "k" * 100_000 + '": 1}', "jsonl", "f")
    assert len(str(raised.value)) < 300


def test_long_texts_are_said_and_not_cut() -> None:
    long = SENTENCE * 60
    with pytest.raises(LongTextError) as raised:
        own_passages(f"short\n{long}\n", "lines", "f")
    assert str(raised.value) == (
        "f, line 2: this passage has 2,939 characters, and 2,000 are read; split or shorten it."
    )
    with pytest.raises(LongTextError) as raised:
        own_passages(f"{long}\nshort\n{long}", "lines", "f")
    assert raised.value.long == 2
    assert str(raised.value) == (
        "f, line 1: 2 of 3 passages are too long; the first, here, has 2,939 characters, and 2,000 are read: "
        "split or shorten them."
    )


def test_splitting_keeps_order_ids_and_sentences() -> None:
    found = own_passages(f"first\n{SENTENCE * 60}\nlast", "lines", "f", split=True)
    assert [p.doc_id for p in found[:3]] == ["p0001", "p0002.1", "p0002.2"]
    assert found[-1] == Passage("p0003", "last")
    for piece in found[1:-1]:
        assert piece.text.startswith("The kettle")
        assert piece.text.endswith("cups.")
        assert len(piece.text) <= limits.SPLIT_CHARS


def test_pieces_repeat_the_end_of_the_one_before() -> None:
    sentences = [f"Sentence number {i} says something of its own." for i in range(60)]
    pieces = split_text(" ".join(sentences))
    for before, after in pairwise(pieces):
        assert after.split(".")[0] in before


def test_a_piece_that_would_take_a_passages_id_is_said() -> None:
    rows = f'{{"doc_id": "a", "text": "{SENTENCE * 60}"}}\n{{"doc_id": "a.1", "text": "b"}}'
    with pytest.raises(FileError) as raised:
        own_passages(rows, "jsonl", "f", split=True)
    assert str(raised.value) == (
        "f, line 2: 'a.1' is the doc_id of a piece and of a passage; rename one of them."
    )


def test_too_many_pieces_are_refused_with_the_line() -> None:
    text = "\n".join([SENTENCE * 60] * 700)
    with pytest.raises(
        FileError, match=r"f, line \d+: split at sentences, here begins passage 2,001"
    ):
        own_passages(text, "lines", "f", split=True)


@given(
    st.text(max_size=600),
    st.sampled_from([20, 50]),
    st.sampled_from([0, 10]),
)
def test_splitting_loses_nothing_but_white_space(text: str, most: int, overlap: int) -> None:
    at = 0
    for piece in split_text(text, most, overlap):
        assert 0 < len(piece) <= most
        found = text.find(piece, max(0, at - most))
        assert found >= 0
        assert not text[at:found].strip(), "a gap between two pieces holds white space alone"
        at = max(at, found + len(piece))
    assert not text[at:].strip()


def test_ten_thousand_words_in_one_passage() -> None:
    pieces = split_passage(Passage("p", "word " * 10_000))
    assert sum(len(p.text) for p in pieces) >= 5 * 9_000
    assert max(len(p.text) for p in pieces) <= limits.SPLIT_CHARS
