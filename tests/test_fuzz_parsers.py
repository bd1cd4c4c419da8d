"""10,000 strangers' texts over everything that reads one: a value, or one sentence with its place."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from fakes import FakeEncoder, FakeScorer
from fuzz import anything, fuzz, hostile, read_or_told, texts
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import limits
from rerank_core.own_passages import own_passages, own_text
from rerank_core.passages_file import csv_columns, read_passages
from rerank_core.pipeline import TwoStage
from rerank_core.report_file import parse_report
from rerank_core.scenario_zip import read_zip
from rerank_core.scenarios import load_library, load_scenario
from rerank_core.trace import read_trace, trace_of
from ui.grades import marks_from
from ui.links import read_link
from ui.model_choice import read_choice
from ui.predictions import rounds_from

SCENARIOS = Path(__file__).parents[1] / "scenarios"
LIBRARY = load_library(SCENARIOS).scenarios
KINDS = ("lines", "paragraphs", "csv", "jsonl")
KEYS = ("text", "doc_id", "title", "date", "source", "other")

rows = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.one_of(hostile, anything), max_size=4), max_size=5
)
jsonl = rows.map(lambda found: "\n".join(json.dumps(row, default=str) for row in found))
cells = st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=5)


def as_csv(table: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(table)
    return "text,doc_id,other\r\n" + out.getvalue()


files = st.one_of(hostile, jsonl, cells.map(as_csv), texts.map(lambda t: "text\n" + t))
data = st.one_of(
    st.binary(max_size=60),
    files.map(lambda t: t.encode("utf-8", "surrogatepass")),
    files.map(lambda t: t.encode("utf-16", "surrogatepass")),
)


@fuzz(3_000)
@given(
    data, st.sampled_from((*KINDS, "other")), st.sampled_from((None, "text", "b\0")), st.booleans()
)
def test_passages_of_a_visitor(raw: bytes, kind: str, column: str | None, split: bool) -> None:
    def read() -> Any:
        return own_passages(own_text(raw, "the file"), kind, "the file", column=column, split=split)

    passages = read_or_told(read)
    if passages is not None:
        assert 0 < len(passages) <= limits.OWN_PASSAGES
        assert len({p.doc_id for p in passages}) == len(passages)
        assert all(0 < len(p.text.strip()) <= limits.OWN_CHARS for p in passages)
        assert not any("\0" in p.text for p in passages)


@fuzz(1_000)
@given(files, st.sampled_from(KINDS), st.booleans())
def test_what_a_visitor_pastes(pasted: str, kind: str, split: bool) -> None:
    read_or_told(lambda: own_passages(own_text(pasted, "The box"), kind, "The box", split=split))


@fuzz(500)
@given(files)
def test_the_columns_of_a_table(pasted: str) -> None:
    columns = read_or_told(lambda: csv_columns(pasted, "The box"))
    assert columns is None or len(set(columns)) == len(columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@fuzz(500)
@given(raw=data, suffix=st.sampled_from((".txt", ".csv", ".jsonl", ".json", "")))
def test_a_file_of_passages(folder: Path, raw: bytes, suffix: str) -> None:
    path = folder / f"passages{suffix}"
    path.write_bytes(raw)
    read_or_told(lambda: read_passages(path))


names = st.one_of(
    st.sampled_from((
        "a/scenario.toml", "a/passages.jsonl", "b/passages.jsonl", "scenario.toml", "../scenario.toml", "/etc/passwd",
        "a/../../x", "a\\scenario.toml", "C:/a", "a/", "__MACOSX/a/._x", "a/.DS_Store", "A/SCENARIO.TOML", "a/x.py",
        "a/b/scenario.toml", "", "a/\0", "a//scenario.toml", "./scenario.toml",
    )),
    texts,
)  # fmt: skip
contents = st.one_of(
    data,
    st.sampled_from((
        b"0" * 300_000,  # packs a thousand times: a bomb
        (SCENARIOS / LIBRARY[0].id / "scenario.toml").read_bytes(),
        (SCENARIOS / LIBRARY[0].id / "passages.jsonl").read_bytes(),
        b'id = "a"\ntitle = ""\nslice = 3\n[[queries]]\n', b"\xef\xbb\xbfid = 1", b'id = "a"\nid = "b"',
        b"a = " + b"[" * 400,
    )),
)  # fmt: skip


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """A zip of hostile names and contents, then perhaps cut, or some of its bytes changed."""
    out = io.BytesIO()
    with mock.patch("warnings.warn"), zipfile.ZipFile(out, "w") as archive:
        for name, content in draw(st.lists(st.tuples(names, contents), max_size=4)):
            entry = zipfile.ZipInfo("x")
            entry.filename = name.encode("utf-8", "replace").decode() or "x"
            entry.compress_type = draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
            entry.external_attr = draw(
                st.sampled_from((0, 0o100644 << 16, 0o120777 << 16, 0o010644 << 16))
            )
            archive.writestr(entry, content)
    made = bytearray(out.getvalue())
    rng = random.Random(draw(st.integers(0, 10**6)))
    harm = draw(st.sampled_from(("none", "none", "cut", "change", "directory")))
    if harm == "cut":
        del made[rng.randrange(len(made)) :]
    for _ in range({"change": 3, "directory": 2}.get(harm, 0)):
        low = made.rfind(b"PK\x01\x02") if harm == "directory" else 0
        made[rng.randrange(max(low, 0), len(made))] = rng.randrange(256)
    return bytes(made)


@fuzz(1_500)
@given(st.one_of(zips(), data))
def test_a_zip_that_is_no_scenario(raw: bytes) -> None:
    read_or_told(lambda: read_zip(raw, "the zip"))


@fuzz(500)
@given(toml=contents, passages=contents)
def test_a_folder_that_is_no_scenario(folder: Path, toml: bytes, passages: bytes) -> None:
    (folder / "a").mkdir(exist_ok=True)
    (folder / "a" / "scenario.toml").write_bytes(toml)
    (folder / "a" / "passages.jsonl").write_bytes(passages)
    read_or_told(lambda: load_scenario(folder / "a"))


@pytest.fixture(scope="module")
def exported() -> dict[str, Any]:
    engine = TwoStage(FakeEncoder(), FakeScorer())
    return json.loads(trace_of(engine.compare("q", ["one", "two"], 2, 1)).to_json())


@fuzz(600)
@given(place=st.lists(st.integers(0, 30), min_size=1, max_size=3), value=anything, raw=data)
def test_a_trace_that_was_changed(
    folder: Path, exported: dict[str, Any], place: list[int], value: Any, raw: bytes
) -> None:
    path = folder / "trace.json"
    path.write_text(json.dumps(changed(exported, place, value)), encoding="utf-8")
    read_or_told(lambda: read_trace(path))
    path.write_bytes(raw)
    assert read_or_told(lambda: read_trace(path)) is None


def changed(record: Any, place: list[int], value: Any) -> Any:
    """A copy of a JSON value with something else at one place."""
    if not place or not isinstance(record, dict | list) or not record:
        return value
    first, *rest = place
    if isinstance(record, list):
        at = first % len(record)
        return [changed(v, rest, value) if i == at else v for i, v in enumerate(record)]
    key = list(record)[first % len(record)]
    return {k: changed(v, rest, value) if k == key else v for k, v in record.items()}


@fuzz(600)
@given(st.one_of(data, anything.map(lambda v: json.dumps(v).encode())))
def test_a_report_that_is_none(raw: bytes) -> None:
    assert read_or_told(lambda: parse_report(raw)) is None


@fuzz(800)
@given(
    st.dictionaries(
        st.sampled_from(("scenario", "query", "n", "k", "models", "reveal", "x")), hostile
    )
)
def test_a_link(params: dict[str, str]) -> None:
    link = read_link(params, LIBRARY)
    assert 0 < len(link.query) <= limits.QUERY_MAX_CHARS
    assert link.top_k <= link.retrieve_k <= limits.RETRIEVE_K_MAX


@fuzz(600)
@given(st.one_of(anything, hostile), st.booleans())
def test_a_choice_of_models(value: Any, any_name: bool) -> None:
    choice = read_or_told(lambda: read_choice(value, any_name=any_name))
    if choice is not None:
        assert read_choice(choice.text, any_name=any_name) == choice
        read_choice(choice.link)


@fuzz(400)
@given(st.one_of(anything, hostile, anything.map(json.dumps)))
def test_what_a_browser_kept(value: Any) -> None:
    rounds_from(value)
    for grades in marks_from(value).values():
        assert set(grades.values()) <= {0, 1, 2, 3}
