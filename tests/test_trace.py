"""The pair score trace: what is in it, out and in again, and what a reader refuses."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer, some_passages

from rerank_core.errors import FileError
from rerank_core.pipeline import TwoStage
from rerank_core.prediction import Prediction
from rerank_core.records import Passage
from rerank_core.trace import Trace, read_trace, trace_of

CELLS = ["=1+1", "+SUM(A1)", "-2", "@cmd", "\ttab", "\rreturn", " =later", "plain = text", 'q", "r']


def a_trace(engine: TwoStage, **extra: Any) -> Trace:
    comparison = engine.compare("thing 3", some_passages(12), retrieve_k=8, top_k=3)
    return trace_of(comparison, **extra)


def written(folder: Path, data: dict[str, Any] | str) -> Path:
    path = folder / "trace.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return path


def test_it_carries_the_whole_run(engine: TwoStage) -> None:
    trace = a_trace(
        engine,
        relevance={"t-003": 3},
        prediction=Prediction(True, 0.8),
        scenario="things",
        query_id="things-1",
    )
    assert (trace.query, trace.scenario, trace.query_id) == ("thing 3", "things", "things-1")
    assert (trace.retrieve_k, trace.top_k, trace.corpus_size) == (8, 3, 12)
    assert trace.bi_encoder == engine.encoder_card
    assert trace.cross_encoder == engine.scorer_card
    assert [t.name for t in trace.timings] == ["wait", "encode query", "search", "cross-encode"]
    assert trace.total_ms == pytest.approx(sum(t.ms for t in trace.timings))
    assert trace.environment.packages["torch"]
    assert trace.environment.python.startswith("3.")
    assert [row.rank_after for row in trace.candidates] == list(range(1, 9))
    assert {row.rank_before for row in trace.candidates} == set(range(1, 9))
    grades = {row.doc_id: row.relevance for row in trace.candidates}
    assert grades.pop("t-003") == 3
    assert set(grades.values()) == {None}


def test_every_row_is_what_the_comparison_says(engine: TwoStage) -> None:
    comparison = engine.compare("thing 3", some_passages(12), retrieve_k=8)
    for row in trace_of(comparison).candidates:
        pair, before = comparison.pair(row.doc_id), comparison.before.rank_of(row.doc_id)
        assert before is not None
        assert (row.logit, row.tokens, row.cut, row.cached) == (
            pair.logit, pair.tokens, pair.cut, pair.cached,
        )  # fmt: skip
        assert row.rank_before == before
        assert row.cosine == comparison.before[before - 1].score
        assert row.probability is None


def test_a_calibrated_model_has_probabilities() -> None:
    trace = a_trace(TwoStage(FakeEncoder(), FakeScorer(temperature=2.0)))
    assert all(0 < row.probability < 1 for row in trace.candidates if row.probability is not None)
    assert all(row.probability is not None for row in trace.candidates)


def test_a_second_run_is_marked_as_cached(engine: TwoStage) -> None:
    assert not any(row.cached for row in a_trace(engine).candidates)
    assert all(row.cached for row in a_trace(engine).candidates)


def test_json_comes_back_as_it_was(engine: TwoStage, tmp_path: Path) -> None:
    trace = a_trace(engine, relevance={"t-003": 2}, prediction=Prediction(True, 0.8, 2, 1, False))
    assert read_trace(written(tmp_path, trace.to_json())) == trace


def test_texts_of_any_script_come_back(engine: TwoStage, tmp_path: Path) -> None:
    passages = [Passage("a", "naïve 東京 \u2028 \x00 </script>"), Passage("b", "")]
    trace = trace_of(engine.compare("東京?", passages, retrieve_k=5))
    assert read_trace(written(tmp_path, trace.to_json())) == trace


def test_csv_is_guarded_against_formulas(engine: TwoStage) -> None:
    passages = [Passage(f"d{i}", text) for i, text in enumerate(CELLS)]
    trace = trace_of(engine.compare("plain", passages))
    rows = list(csv.DictReader(io.StringIO(trace.to_csv(), newline="")))
    by_id = {row["doc_id"]: row for row in rows}
    for i, text in enumerate(CELLS):
        guarded = text if i >= 7 else f"'{text}"
        assert by_id[f"d{i}"]["text"] == guarded
    for row, stored in zip(rows, trace.candidates, strict=True):
        assert float(row["logit"]) == stored.logit  # a negative number stays a number
        assert float(row["cosine"]) == stored.cosine
        assert (row["probability"], row["relevance"]) == ("", "")
    assert min(row.logit for row in trace.candidates) < 0


def test_csv_has_the_columns_of_a_row(engine: TwoStage) -> None:
    header = a_trace(engine).to_csv().splitlines()[0]
    assert header == (
        "doc_id,text,cosine,logit,probability,rank_before,rank_after,tokens,cut,cached,relevance"
    )


def change(path: str, value: Any) -> Any:
    """A change of one value in a trace's JSON, by a path such as candidates.0.logit."""

    def apply(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place: Any = data
        for part in parents:
            place = place[int(part)] if part.isdigit() else place[part]
        place[last] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (change("candidates.0.logit", "3"), "candidates[1].logit: input should be a valid"),
        (change("candidates.0.logit", float("nan")), "candidates[1].logit: input should"),
        (change("candidates.1.rank_after", 0), "candidates[2].rank_after: input should be"),
        (change("candidates.0.relevance", 4), "candidates[1].relevance: input should be"),
        (change("candidates.0.zzz", 4), "candidates[1]: unknown key `zzz`; remove it."),
        (change("cross_encoder.extra", 4), "cross_encoder: unknown key `extra`"),
        (change("schema_version", 2), "schema_version: input should be 1, found 2."),
        (change("qurey", "x"), ": unknown key `qurey`; did you mean `query`?"),
        (change("prediction", {"will_change": True, "sure": 7}), "prediction: How sure you"),
        (lambda data: data.pop("query"), ": `query` is missing; add it."),
    ],
)
def test_a_reader_refuses(engine: TwoStage, tmp_path: Path, apply: Any, message: str) -> None:
    data = json.loads(a_trace(engine).to_json())
    apply(data)
    path = written(tmp_path, data)
    with pytest.raises(FileError) as raised:
        read_trace(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"query": '])
def test_what_is_no_trace_is_said_so(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(FileError, match=r"trace\.json: .*A trace is used as it was exported\."):
        read_trace(path)
