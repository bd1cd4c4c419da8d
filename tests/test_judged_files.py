"""BEIR folders, run files and files of lists: what is read, that each mistake names file, line and fix, and that
nothing else ever comes out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judged_sets import some_judged, write_beir, write_lists, write_run

from rerank_core import lines as lines_module
from rerank_core.beir import read_beir
from rerank_core.corpus_file import CorpusFile, text_key
from rerank_core.errors import FileError, InputError
from rerank_core.evaluate_inputs import read_inputs
from rerank_core.judged import JudgedQuery
from rerank_core.limits import ID_CHARS, PASSAGE_MAX_CHARS, QUERY_MAX_CHARS
from rerank_core.lines import FileLines, line_at
from rerank_core.lists_file import ListsFile
from rerank_core.records import Passage
from rerank_core.trec_run import TrecRun

CORPUS = '{"_id": "a", "title": "T", "text": "one"}\n{"_id": "b", "title": "", "text": "two"}\n'
QUERIES = '{"_id": "q", "text": " what? "}\n{"_id": "other", "text": ""}\n'
QRELS = "query-id\tcorpus-id\tscore\nq\ta\t1\n"
FILES = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels/test.tsv": QRELS}


def write(folder: Path, **changed: str | bytes) -> Path:
    """A small folder with some files' content changed, by the first word of their name."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        content = changed.get(re.split(r"\W", name)[0], content)
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / name).write_bytes(data)
    return folder


def test_a_folder(tmp_path: Path):
    found = read_beir(write(tmp_path / "set"))
    assert found.name == "set"
    assert list(found.corpus) == [Passage("a", "T one"), Passage("b", "two")]
    assert found.queries == (JudgedQuery("q", "what?", {"a": 1}),)
    assert [found.corpus[1], *found.corpus[0:1]] == [Passage("b", "two"), Passage("a", "T one")]
    assert found.corpus[-1].doc_id == "b"
    assert found.corpus.key(1) == text_key("two")
    assert found.corpus.row_of == {"a": 0, "b": 1}


def test_what_is_lenient(tmp_path: Path):
    found = read_beir(
        write(
            tmp_path,
            corpus='\ufeff{"_id": "a", "text": "one", "metadata": {"x": 1}, "title": null}\r\n\r\n'
            '{"_id": "b", "text": "東京 😀 \\u0000"}\r{"_id": "c", "text": ""}',
            qrels="query-id\tcorpus-id\tscore\r\nq\ta\t2\nq\ta\t2\nq\tb\t-2\nq\tgone\t1\n\n",
        )
    )
    assert [p.text for p in found.corpus] == ["one", "東京 😀 \0", ""]
    assert [found.corpus[i].text for i in range(3)] == ["one", "東京 😀 \0", ""]
    assert found.queries[0].relevance == {"a": 2, "b": 0, "gone": 1}


def test_long_texts_are_cut_and_counted(tmp_path: Path):
    words = "word " * PASSAGE_MAX_CHARS
    corpus = json.dumps({"_id": "a", "text": words}) + "\n" + json.dumps({"_id": "b", "text": "x"})
    queries = json.dumps({"_id": "q", "text": words})
    found = read_beir(write(tmp_path, corpus=corpus, queries=queries))
    assert found.corpus.cut == 1
    assert found.corpus[0].text == words[:PASSAGE_MAX_CHARS].strip()
    assert (found.queries[0].cut, len(found.queries[0].text)) == (True, QUERY_MAX_CHARS - 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"corpus": ""}, 'corpus.jsonl holds no passage; put {"_id": "...", "title": "...", "text"'),
        ({"corpus": "{"}, "corpus.jsonl, line 1: not JSON (Expecting property name"),
        ({"corpus": CORPUS + "[1]"}, "corpus.jsonl, line 3: found [1], not an object such as"),
        ({"corpus": '\n{"text": "x"}'}, "corpus.jsonl, line 2: `_id` is missing; add it."),
        ({"corpus": '{"_id": 5, "text": "x"}'}, "line 1: `_id` is 5; it must be a string in quotes."),
        ({"corpus": '{"_id": "a"}'}, "corpus.jsonl, line 1: `text` is missing; add it."),
        ({"corpus": '{"_id": "a", "text": null}'}, "line 1: `text` is None; it must be a string"),
        ({"corpus": '{"_id": "a", "text": "\\ud83d"}'}, "line 1: `text` holds half a surrogate pair"),
        ({"corpus": '{"_id": "a", "text": "x", "title": 1}'}, "`title` is 1; it must be a string"),
        ({"corpus": '{"_id": "", "text": "x"}'}, "corpus.jsonl, line 1: `_id` is empty; give it one."),
        ({"corpus": '{"_id": " a", "text": "x"}'}, "`_id` ' a' has spaces around it or characters"),
        ({"corpus": '{"_id": "a\\u0000", "text": "x"}'}, "`_id` 'a\\x00' has spaces around it or"),
        ({"corpus": f'{{"_id": "{"a" * 600}", "text": "x"}}'}, f"has 600 characters, not 1 to {ID_CHARS}"),
        ({"corpus": CORPUS + CORPUS}, "line 3: `_id` 'a' is already that of line 1; every passage"),
        ({"corpus": '{"_id": "a", "_id": "b", "text": "x"}'}, "not a plain JSON object (a key appears"),
        ({"corpus": '{"_id": "a", "text": "x\0y"}'}, "line 1: not JSON (Invalid control character"),
        ({"corpus": "[" * 100_000}, "corpus.jsonl, line 1: not a plain JSON object"),
        ({"corpus": CORPUS.encode() + b"\r\n\xff"}, "corpus.jsonl, line 4: byte 0xff is not UTF-8"),
        ({"corpus": CORPUS.encode("utf-16")}, "corpus.jsonl, line 1: byte 0xff is not UTF-8; save the"),
        ({"queries": "x"}, "queries.jsonl, line 1: not JSON"),
        ({"queries": '{"_id": "q", "text": " "}'}, "queries.jsonl, line 1: `text` is empty; write a"),
        ({"queries": QUERIES + QUERIES}, "queries.jsonl, line 3: `_id` 'q' is already that of line 1"),
        ({"queries": '{"_id": "x", "text": "x"}'}, "test.tsv, line 2: query-id 'q' is not in queries.jsonl"),
        ({"qrels": ""}, "test.tsv holds no judgement; put query-id<tab>corpus-id<tab>score into it"),
        ({"qrels": "query-id\tcorpus-id\tscore\n"}, "test.tsv holds no judgement"),
        ({"qrels": "q\ta\t1\n"}, "test.tsv, line 1: no header; put query-id<tab>corpus-id<tab>score"),
        ({"qrels": "query-id corpus-id score\n"}, "line 1: no tabs; separate the columns with tabs"),
        ({"qrels": "q 0 a 1\n"}, "test.tsv, line 1: no tabs; separate the columns with tabs"),
        ({"qrels": QRELS + "q\t0\ta\t1\n"}, "line 3: 4 columns, not 3; a line is query-id<tab>corpus-id"),
        ({"qrels": QRELS + "q\t0\ta\t1\n"}, "(remove the second column of a TREC file)."),
        ({"qrels": QRELS + "q\t\t1\n"}, "test.tsv, line 3: corpus-id is empty; give it one."),
        ({"qrels": QRELS + "q\tb\t1.0\n"}, "line 3: score '1.0' is not a whole number from 0 to 10"),
        ({"qrels": QRELS + "q\tb\t11\n"}, "line 3: score '11' is not a whole number from 0 to 10"),
        ({"qrels": QRELS + "q\tb\t" + "9" * 5000}, "line 3: score '99999"),
        ({"qrels": QRELS + "q\ta\t0\n"}, "line 3: corpus-id 'a' has score 0 here and 1 above for"),
        ({"qrels": QRELS.replace("a\t", "x\t")}, "test.tsv judges no passage of corpus.jsonl; the corpus-ids"),
    ],
)  # fmt: skip
def test_mistakes_in_a_folder(tmp_path: Path, changed: dict[str, str | bytes], message: str):
    with pytest.raises(FileError) as raised:
        read_beir(write(tmp_path / "set", **changed))
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "set"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", list(FILES))
def test_a_missing_file_is_named(tmp_path: Path, name: str):
    (write(tmp_path) / name).unlink()
    with pytest.raises(FileError, match=r"is missing; a BEIR folder holds corpus\.jsonl, queries"):
        read_beir(tmp_path)


def test_no_folder(tmp_path: Path):
    with pytest.raises(FileError, match=r"none is not a folder; give one that holds corpus\.jsonl"):
        read_beir(tmp_path / "none")


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines_module, "LINE_BYTES", 50)
    with pytest.raises(FileError, match=r"line 3: longer than 50 bytes; one object or row a line"):
        read_beir(write(tmp_path, corpus=CORPUS + "x" * 60))


@pytest.mark.parametrize("after", [CORPUS.replace("two", "new"), CORPUS[:60], "", b"\xff" * 90])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, after: str | bytes):
    corpus = read_beir(write(tmp_path)).corpus
    write(tmp_path, corpus=after)
    with pytest.raises(FileError, match="changed while it was read; leave it as it is, and start"):
        corpus[1]
    with pytest.raises(FileError, match=r"changed while it was read|is not UTF-8"):
        list(corpus)


def test_the_judgements_are_not_part_of_what_is_searched(tmp_path: Path):
    one = read_inputs(write(tmp_path))
    other = read_inputs(write(tmp_path, qrels=QRELS + "q\tb\t1\n"))
    assert (one.searched, one.sha256 == other.sha256) == (other.searched, False)


# Runs


@pytest.fixture
def corpus(tmp_path: Path) -> CorpusFile:
    return read_beir(write(tmp_path / "set")).corpus


def test_the_score_decides_and_ties_go_by_id(tmp_path: Path, corpus: CorpusFile):
    path = tmp_path / "x.run"
    path.write_text("q Q0 b 1 0.5 t\r\nelse Q0 gone 1 9 t\nq\tQ0\ta\t2\t5e-1\tt\n\n")
    run = TrecRun(path, corpus, ["q", "unranked"])
    assert {q: list(rows) for q, rows in run.rows_of.items()} == {"q": [0, 1]}
    path.write_text("q Q0 b 9 0.75 t\nq Q0 a 1 -0.5 t\n")
    assert list(TrecRun(path, corpus, ["q"]).rows_of["q"]) == [1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "",
            "x.run holds no line; give the run of these queries, query-id Q0 doc-id rank score tag",
        ),
        ("z Q0 a 1 1 t", "x.run holds no query that is judged; give the run of these queries"),
        (
            "q Q0 a 1 1",
            "x.run, line 1: 5 columns, not 6; a line is query-id Q0 doc-id rank score tag.",
        ),
        ("q Q0 a 1 x t", "x.run, line 1: score 'x' is not a finite number"),
        ("q Q0 a 1 nan t", "line 1: score 'nan' is not a finite number"),
        ("q Q0 a 1 1e999 t", "line 1: score '1e999' is not a finite number"),
        ("q Q0 c 1 1 t", "line 1: doc-id 'c' is not in corpus.jsonl; a run is evaluated over the"),
        (
            "q Q0 a 1 1 t\n\nq Q0 a 2 2 t",
            "line 3: doc-id 'a' is already on line 1 for query-id 'q'",
        ),
    ],
)
def test_mistakes_in_a_run(tmp_path: Path, corpus: CorpusFile, content: str, message: str):
    path = tmp_path / "x.run"
    path.write_text(content)
    with pytest.raises(FileError) as raised:
        TrecRun(path, corpus, ["q"])
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(path))


# Lists

LIST = {
    "query": "what?",
    "passages": ["one", {"doc_id": "b", "text": "two", "title": "T"}],
    "grades": [1, None],
}


def test_lists(tmp_path: Path):
    path = tmp_path / "l.jsonl"
    path.write_text(json.dumps(LIST) + "\n" + json.dumps({**LIST, "query_id": "x"}))
    found = ListsFile(path)
    assert [q.query_id for q in found.queries] == ["q0001", "x"]
    assert found.queries[0].relevance == {"p0001": 1}
    assert list(found.passages_of(found.queries[1])) == [
        Passage("p0001", "one"),
        Passage("b", "T two"),
    ]
    path.write_text(json.dumps({**LIST, "query": "other"}))
    with pytest.raises(FileError, match="changed while it was read"):
        found.passages_of(found.queries[0])


def test_grades_are_not_part_of_what_is_searched(tmp_path: Path):
    path = tmp_path / "l.jsonl"
    path.write_text(json.dumps(LIST))
    one = read_inputs(path)
    path.write_text(json.dumps({**LIST, "grades": [0, 3]}))
    other = read_inputs(path)
    assert (one.searched, one.sha256 == other.sha256) == (other.searched, False)
    path.write_text(json.dumps({**LIST, "passages": ["two", "one"]}))
    assert read_inputs(path).searched != one.searched


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quary": "x"}, "line 1: unknown key `quary`; did you mean `query`?"),
        ({"a\nb\ud800": "x"}, "line 1: unknown key `a\\nb\\ud800`; remove it."),
        ({"query": " "}, "line 1: `query` is empty; write one or remove the line."),
        ({"query": 5}, "line 1: `query` is 5; it must be a string in quotes."),
        ({"passages": []}, "line 1: `passages` is []; it must be a list of at least one."),
        ({"passages": "one"}, "line 1: `passages` is 'one'; it must be a list of at least one."),
        ({"passages": [1, 2]}, "line 1: passage 1 is 1; give a text in quotes."),
        ({"passages": [{"text": "x", "id": "a"}, "y"]}, "passage 1: unknown key `id`; remove it. Known"),
        ({"passages": [{"doc_id": "a"}, "y"]}, "line 1: `text` is missing; add it."),
        ({"passages": [{"doc_id": "p0002", "text": "x"}, "y"]}, "`doc_id` 'p0002' is there twice"),
        ({"grades": [1]}, "line 1: `grades` is to be a list of 2, one a passage, not 1."),
        ({"grades": None}, "line 1: `grades` is to be a list of 2, one a passage, not None."),
        ({"grades": [1, -1]}, "line 1: grade -1 is not a whole number from 0 to 10, or null."),
        ({"grades": [1, True]}, "line 1: grade True is not a whole number from 0 to 10, or null."),
        ({"grades": [1, 1.0]}, "line 1: grade 1.0 is not a whole number"),
        ({"query_id": "a\tb"}, "`query_id` 'a\\tb' has spaces around it or characters that cannot"),
    ],
)  # fmt: skip
def test_mistakes_in_lists(tmp_path: Path, change: dict, message: str):
    path = tmp_path / "l.jsonl"
    path.write_text(json.dumps({**LIST, **change}))
    with pytest.raises(FileError) as raised:
        ListsFile(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(path))


def test_an_id_that_is_there_twice(tmp_path: Path):
    path = tmp_path / "l.jsonl"
    path.write_text("\n".join([json.dumps({**LIST, "query_id": "x"})] * 2))
    with pytest.raises(FileError, match="line 2: `query_id` 'x' is already that of line 1"):
        ListsFile(path)


def test_arguments_that_do_not_go_together(tmp_path: Path):
    path = write_lists(tmp_path / "l.jsonl", some_judged())
    with pytest.raises(
        InputError, match=r"A run goes with a BEIR folder, and .*l\.jsonl is a file"
    ):
        read_inputs(path, tmp_path / "a.run")
    with pytest.raises(InputError, match="The limit is a whole number of at least 1, not 0"):
        read_inputs(path, limit=0)
    assert len(read_inputs(path, limit=3).queries) == 3


# Whatever is in them

ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
BITS = st.sampled_from(
    ["{", "}", "[", '"', ":", ",", "\t", "\0", "\ufeff", "\u202e", "\u2028", "😀", "\\ud800", "q", "a", "1", "-1",
     " ", "_id", "text", "score", "1e999", "9" * 30, "query-id\tcorpus-id\tscore", '{"_id": "a", "text": "x"}',
     '{"_id": "q", "text": "what"}', "q\ta\t1", "q Q0 a 1 1 t", json.dumps(LIST)]
)  # fmt: skip


@st.composite
def contents(draw) -> bytes:
    """Lines of well-formed rows and pieces of them, mixed line ends, now and then bytes that are no text."""
    made = b""
    for _ in range(draw(st.integers(0, 6))):
        line = "".join(draw(st.lists(BITS | st.text(max_size=6), max_size=5)))
        made += line.encode("utf-8", "surrogatepass") + draw(ENDS).encode()
        made += draw(st.sampled_from([b"", b"", b"", b"\xff", b"\xef\xbb\xbf"]))
    return made


def one_sentence(error: Exception, folder: Path) -> None:
    text = str(error)
    assert text.startswith(str(folder))
    assert "\n" not in text
    assert len(text) < 500 + len(str(folder))


relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(st.sampled_from(["corpus", "queries", "qrels"]), contents())
def test_any_folder_is_read_or_one_sentence(tmp_path: Path, which: str, content: bytes):
    folder = write(tmp_path / "set", **{which: content})
    try:
        found = read_beir(folder)
    except FileError as error:
        one_sentence(error, folder)
        return
    assert found.queries
    assert list(found.corpus) == [found.corpus[i] for i in range(len(found.corpus))]


@relaxed
@given(contents())
def test_any_run_is_read_or_one_sentence(tmp_path: Path, content: bytes):
    corpus = read_beir(write(tmp_path / "set")).corpus
    path = tmp_path / "x.run"
    path.write_bytes(content)
    try:
        assert TrecRun(path, corpus, ["q"]).rows_of
    except FileError as error:
        one_sentence(error, path)


@relaxed
@given(contents())
def test_any_lists_are_read_or_one_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "l.jsonl"
    path.write_bytes(content)
    try:
        found = ListsFile(path)
    except FileError as error:
        one_sentence(error, path)
        return
    for query in found.queries:
        assert found.passages_of(query)


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@relaxed
@given(st.lists(st.tuples(LINES, ENDS)))
def test_lines_and_their_places(tmp_path: Path, drawn: list[tuple[str, str]]):
    """Each line is read again at its place, and lines are those between the ends."""
    path = tmp_path / "x"
    path.write_bytes("".join(a + b for a, b in drawn).encode("utf-8"))
    found = list(FileLines(path))
    assert [line_at(path, line.start) for line in found] == [line.text for line in found]
    whole = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    expected = [(i, t) for i, t in enumerate(whole.split("\n"), 1) if t.encode().strip()]
    assert [(line.number, line.text) for line in found] == expected


@given(st.integers(0, 2**20))
def test_a_written_set_is_read_as_it_was(tmp_path_factory: pytest.TempPathFactory, seed: int):
    data = some_judged(passages=25, queries=3, most=seed % 4 + 1, seed=seed)
    folder = write_beir(tmp_path_factory.mktemp("set"), data)
    found = read_beir(folder)
    assert {p.doc_id: p.text for p in found.corpus} == data.passages
    assert {q.query_id: q.relevance for q in found.queries} == data.qrels
    run = TrecRun(write_run(folder / "x.run", data, depth=9), found.corpus, list(data.queries))
    assert {len(rows) for rows in run.rows_of.values()} == {9}
