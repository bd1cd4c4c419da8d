"""Reports: out and in again unchanged, read strictly with one sentence, printed; and what is kept of queries."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from fakes import FakeEncoder, FakeScorer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judged_sets import some_judged

from rerank_core import evaluate_queries, read_report
from rerank_core import report_file as report_file_module
from rerank_core.console import columns
from rerank_core.errors import FileError, InputError
from rerank_core.judged import JudgedQuery
from rerank_core.kept_scores import InMemory, KeptScores, Said, key_of
from rerank_core.pipeline import TwoStage
from rerank_core.pool import Pool
from rerank_core.progress_line import ProgressLine
from rerank_core.records import Passage, StageTiming
from rerank_core.report import Report
from rerank_core.report_file import parse_report, write_report
from rerank_core.report_text import render, wrapped


def make(queries: int = 14, **more: int) -> Report:
    data = some_judged(queries=queries, most=3, absent=True)
    passages = [Passage(d, t) for d, t in data.passages.items()]
    engine = TwoStage(FakeEncoder(), FakeScorer())
    return evaluate_queries(engine, passages, data.queries, data.qrels, **more)


REPORT = make(retrieve_k=30)


def test_a_report_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "r.json"
    write_report(REPORT, path)
    assert read_report(path) == read_report(str(path)) == REPORT
    text = path.read_text("utf-8")
    assert parse_report(text) == parse_report(path.read_bytes()) == REPORT
    assert parse_report(b"\xef\xbb\xbf" + path.read_bytes()) == REPORT
    assert REPORT.to_json() == text
    assert json.loads(text) == json.loads(REPORT.model_dump_json())
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_a_report_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        REPORT.name = "other"  # type: ignore[misc]


def changed(**values: object) -> str:
    return json.dumps({**json.loads(REPORT.to_json()), **values})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.json: invalid JSON"),
        ("[]", "r.json: "),
        ("{}", "r.json: `schema_version` is missing; add it."),
        (changed(schema_version=2), "r.json, schema_version: input should be 1, found 2. Make the"),
        (
            changed(retrieve_k="30"),
            "r.json, retrieve_k: input should be a valid integer, found '30'.",
        ),
        (changed(retreive_k=30), "r.json: unknown key `retreive_k`; did you mean `retrieve_k`?"),
        (
            changed(queries=[]),
            "r.json: 13 queries are counted but 0 are listed. Make the report anew.",
        ),
        (changed(metrics=[]), "r.json: query 'q01' needs 0 figures before and after. Make"),
        (changed(made_at=None), "r.json, made_at: input should be a valid string, found None."),
        (b"\xff", "r.json, line 1: byte 0xff is not UTF-8"),
        (changed().replace('"cross_encoder": {', '"cross_encoder": {"x": 1, '), "unknown key `x`"),
        (changed(relevant=1e999), "r.json"),
        (changed(losses=[{"query_id": 1}]), "r.json, losses[1]"),
    ],
)
def test_what_is_no_report_is_one_sentence(tmp_path: Path, text: str | bytes, message: str):
    path = tmp_path / "r.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError) as raised:
        read_report(path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(FileError) as again:
        parse_report(text, str(path))
    assert str(again.value) == str(raised.value)


def test_places_that_cannot_be_read_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(FileError, match=r"none\.json cannot be read \(No such file"):
        read_report(tmp_path / "none.json")
    with pytest.raises(FileError, match="No such file or directory; give another place"):
        write_report(REPORT, tmp_path / "no" / "r.json")
    monkeypatch.setattr(report_file_module, "REPORT_BYTES", 100)
    with pytest.raises(FileError, match="is larger than 100 bytes; that is no report"):
        parse_report(REPORT.to_json())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_change_of_a_report_is_read_or_one_sentence(data: st.DataObject):
    text = REPORT.to_json()
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.sampled_from(["", "\0", '"', "{", "1e999", "-1", "😀", "null", "9" * 40]))
    some = text[:at] + piece + text[at + data.draw(st.integers(0, 40)) :]
    said = ""
    try:
        parse_report(some)
    except FileError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 600


# As text


@pytest.mark.parametrize("width", [40, 80, 100, 300])
def test_lines_fit_the_terminal(width: int):
    lines = list(render(REPORT, width))
    assert max(map(columns, lines)) <= min(max(width, 80), 120)
    assert all(line.isprintable() for line in lines)
    text = "\n".join(lines)
    for word in (
        "nDCG@10",
        "MRR@30",
        "recall@10",
        "recall@30",
        "p95 ms",
        "Worst losses",
        "Best gains",
    ):
        assert word in text
    assert "13 queries, 80 passages" in text
    assert "1 judged query has no relevant passage and is in no mean." in " ".join(text.split())
    assert "relevant is grade 1 or more, the gain 2^grade - 1" in " ".join(text.split())
    row = REPORT.metric("nDCG@10")
    assert f"{row.before.mean:.3f} [" in text
    assert f"{row.lift.mean:+.3f} [" in text
    for shown in REPORT.losses:
        assert f"[{shown.query_id}]  {shown.before:.3f} -> {shown.after:.3f}" in text


def test_texts_are_made_safe_to_print():
    data = some_judged(queries=3)
    nasty = "\x1b[31mred \u202e东京" + " w" * 300
    engine = TwoStage(FakeEncoder(), FakeScorer())
    passages = [Passage(d, f"{t} {nasty}") for d, t in data.passages.items()]
    report = evaluate_queries(
        engine,
        passages,
        {q: f"{t} \x07\n{nasty}"[:300] for q, t in data.queries.items()},
        data.qrels,
    )
    lines = list(render(report, 80))
    assert report.losses or report.gains
    assert all(line.isprintable() for line in lines)
    assert max(map(columns, lines)) <= 80
    assert any("Too few queries for intervals" in line for line in lines)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(10, 60))
def test_wrapping_loses_nothing_but_what_is_cut(text: str, width: int):
    words = [w for line in wrapped(text, width) for w in line.split(" ")]
    assert [w for w in words if w] == [w for w in text.split(" ") if w]
    assert len(list(wrapped(text, width, "  ", most=2))) <= 2


# Kept scores


def query(i: int, text: str = "what") -> JudgedQuery:
    return JudgedQuery(f"q{i}", f"{text} {i}", {"a": 1})


def said(of: JudgedQuery, logit: float = 0.5) -> Said:
    timings = (StageTiming("cross-encode", 3.5, pairs=2, tokens=9, batches=1, cold=True),)
    return Said.of(
        of, Pool(of.text, ("a", "b"), (0.9, 0.8), (logit, -1.0), ("c",), {"a": 1}, timings=timings)
    )


def test_what_was_said_is_kept_to_the_digit(tmp_path: Path):
    kept = KeptScores(tmp_path, "k", pytest.fail)
    for i in range(3):
        kept.add(said(query(i), 0.1 * i))
    kept.close()
    kept = KeptScores(tmp_path, "k", pytest.fail)
    assert len(kept) == 3
    assert [kept.get(query(i)) for i in range(3)] == [said(query(i), 0.1 * i) for i in range(3)]
    assert kept.get(query(1, "another text")) is None
    assert query(9) not in kept
    pool = kept.get(query(1)).pool(query(1), 1)
    assert (pool.before, pool.relevance, pool.relevant) == (("a", "b", "c"), {"a": 1}, 1)
    kept.close()
    assert b"what" not in kept.path.read_bytes(), "no texts lie there"
    kept = KeptScores(tmp_path, "k", pytest.fail, fresh=True)
    assert len(kept) == 0
    kept.close()


def test_a_line_that_was_cut_off_is_written_anew(tmp_path: Path):
    kept = KeptScores(tmp_path, "k", pytest.fail)
    for i in range(3):
        kept.add(said(query(i)))
    kept.close()
    data = kept.path.read_bytes()
    kept.path.write_bytes(data[:-20])
    kept = KeptScores(tmp_path, "k", pytest.fail)
    assert [query(i) in kept for i in range(3)] == [True, True, False]
    kept.add(said(query(2)))
    assert kept.get(query(2)) == said(query(2))
    kept.close()
    assert kept.path.read_bytes() == data


def test_a_damaged_line_is_left_out_with_a_line(tmp_path: Path):
    kept = KeptScores(tmp_path, "k", pytest.fail)
    for i in range(3):
        kept.add(said(query(i)))
    kept.close()
    data = kept.path.read_bytes()
    kept.path.write_bytes(data.replace(b'"q1"', b'"q7"') + b"\n\0\0\n")
    told: list[str] = []
    kept = KeptScores(tmp_path, "k", told.append)
    assert told == [f"{kept.path}: 3 damaged lines left out; what they said is computed anew."]
    assert [query(i) in kept for i in (0, 1, 2, 7)] == [True, False, True, False]
    kept.add(said(query(1)))
    kept.close()
    KeptScores(tmp_path, "k", pytest.fail).close()


@given(st.binary(max_size=300))
def test_whatever_lies_there_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes):
    folder = tmp_path_factory.mktemp("k")
    (folder / "scores").mkdir()
    (folder / "scores" / "k.jsonl").write_bytes(data)
    kept = KeptScores(folder, "k", lambda line: None)
    kept.add(said(query(1)))
    kept.close()
    kept = KeptScores(folder, "k", pytest.fail)
    assert kept.get(query(1)) == said(query(1))
    kept.close()


def test_columns_of_another_length_are_an_error():
    one = said(query(1))
    broken = Said(one.query_id, one.text_hash, one.doc_ids, one.scores[:1], one.logits, (), ())
    with pytest.raises(InputError, match="A pool needs a cosine and a logit a candidate"):
        broken.pool(query(1), 1)


def test_a_key_is_of_all_that_decides():
    base = {"inputs": "a", "bi_encoder": None, "cross_encoder": "c", "n": 10}
    keys = {key_of(**base)} | {
        key_of(**{**base, **other})
        for other in ({"inputs": "b"}, {"bi_encoder": "b"}, {"cross_encoder": "d"}, {"n": 11})
    }
    assert len(keys) == 5
    assert key_of(**base) == key_of(**dict(reversed(base.items())))
    assert InMemory().get(query(1)) is None


# Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_a_line_every_ten_seconds_and_a_last_one():
    out, now = StringIO(), [0.0]
    line = ProgressLine("Scoring", out, lambda: now[0])
    for done in range(1, 31):
        now[0] += 1.0
        line(done, 30)
    line.close()
    assert out.getvalue().splitlines() == [
        "Scoring: 10 of 30, estimated 20 s left",
        "Scoring: 20 of 30, estimated 10 s left",
        "Scoring: 30 of 30, 30 s",
    ]


def test_a_terminal_renews_one_line():
    out, now = Terminal(), [0.0]
    line = ProgressLine("Scoring", out, lambda: now[0])
    for done in (100, 2000, 30_000):
        now[0] += 60.0
        line(done, 30_000)
    line.close()
    assert out.getvalue() == (
        "\rScoring: 100 of 30,000, estimated 5.0 h left"
        "\rScoring: 2,000 of 30,000, estimated 28.0 min left"
        "\rScoring: 30,000 of 30,000, 3.0 min               \n"
    )


def test_a_line_that_is_left_is_ended():
    out = Terminal()
    line = ProgressLine("Scoring", out, iter([0.0, 1.0]).__next__)
    line(1, 2)
    line.close(), line.close()
    assert out.getvalue().endswith("left\n")
