"""`evaluate` on the command line: what it prints and writes, how it goes on, and that every error is one sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import FakeEncoder, FakeScorer
from judged_sets import some_judged, write_beir, write_lists, write_run

from rerank_core import read_report
from rerank_core.__main__ import main
from rerank_core.limits import CACHE_GB
from rerank_core.pipeline import TwoStage
from rerank_core.progress_line import ProgressLine

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_beir(tmp_path / "set", some_judged(most=2, absent=True))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RERANK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, *args: object
) -> tuple[int, str, str]:
    code = main(["evaluate", *(str(arg) for arg in args)], engine)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_folder_becomes_a_report(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, folder: Path, tmp_path: Path
):
    out_file = tmp_path / "r.json"
    code, out, err = run(capsys, engine, folder, "--retrieve-k", 30, "--json", out_file)
    assert code == 0
    assert out.startswith("set: 13 queries, 80 passages\nFirst stage   fake-bi (cosine)\n")
    assert "30 candidates read (N), top 10 (K); relevant is grade 1 or more" in out
    report = read_report(out_file)
    assert (report.name, report.retrieve_k, report.top_k) == ("set", 30, 10)
    assert report.counts.absent == 1
    assert f"{report.metric('nDCG@10').after.mean:.3f} [" in out
    assert re.fullmatch(
        rf"Reading {folder} \.\.\.\n"
        r"Encoding passages: \d+ of \d+, .*\n"
        r"Each scored query is kept in .*\.jsonl: if this run is cut, the same command goes on from there\.\n"
        r"Scoring queries: 13 of 13, .*\n"
        rf"{out_file}: the report as JSON\.\n",
        err,
    )
    assert str(tmp_path) not in out
    assert str(tmp_path) not in out_file.read_text(), "a report travels, a machine's paths do not"


def test_the_second_time_no_passage_and_no_pair_is_computed(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
):
    first = run(capsys, TwoStage(FakeEncoder(), FakeScorer()), folder, "--json", tmp_path / "a")
    encoder, scorer = FakeEncoder(), FakeScorer()
    engine = TwoStage(encoder, scorer)
    code, _, err = run(capsys, engine, folder, "--top-k", 3, "--json", tmp_path / "b")
    assert first[0] == code == 0
    assert [call for call in encoder.calls if call != ["warm"]] == []
    assert [queries for queries in scorer.queries if queries != "warm"] == []
    assert (
        "13 of 14 queries were scored by an earlier run with the same inputs, models and N" in err
    )
    one, other = read_report(tmp_path / "a"), read_report(tmp_path / "b")
    assert (one.counts.resumed, other.counts.resumed) == (0, 13)
    assert one.latency == other.latency
    assert one.metric("nDCG@10") == other.metric("nDCG@10")
    assert one.sweep == other.sweep
    assert (other.index.encoded, other.index.kept) == (0, 79)
    assert "queries were scored by an earlier run, their latencies with them" in " ".join(
        run(capsys, engine, folder)[1].split()
    )


@pytest.mark.parametrize(
    ("more", "pairs"),
    [
        ((), 0),
        (("--relevant", 2), 0),
        (("--limit", 3), 0),
        (("--retrieve-k", 20), 20 * 13),
        (("--fresh",), 30 * 13),
    ],
)
def test_what_makes_queries_be_scored_anew(
    capsys: pytest.CaptureFixture[str], folder: Path, more: tuple[object, ...], pairs: int
):
    args = folder, "--retrieve-k", 30
    run(capsys, TwoStage(FakeEncoder(), FakeScorer()), *args)
    scorer = FakeScorer()
    assert run(capsys, TwoStage(FakeEncoder(), scorer), *args, *more)[0] == 0
    read = sum(len(f) for f, q in zip(scorer.forwards, scorer.queries, strict=True) if q != "warm")
    assert pairs * 0.9 <= read <= pairs, "equal texts are read once"


def test_another_model_scores_anew(capsys: pytest.CaptureFixture[str], folder: Path):
    run(capsys, TwoStage(FakeEncoder(), FakeScorer()), folder)
    for encoder, scorer in ((FakeEncoder("b"), FakeScorer()), (FakeEncoder(), FakeScorer("b"))):
        run(capsys, TwoStage(encoder, scorer), folder)
        assert len(scorer.forwards) > 13


def test_a_run_that_is_cut_goes_on(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    call = ProgressLine.__call__

    def cut(self: ProgressLine, done: int, total: int) -> None:
        call(self, done, total)
        if total == 13 and done == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ProgressLine, "__call__", cut)
        code, out, err = run(capsys, TwoStage(FakeEncoder(), FakeScorer()), folder)
    assert (code, out) == (130, "")
    assert err.endswith("Stopped with 5 queries kept; the same command goes on from there.\n")
    encoder, scorer = FakeEncoder(), FakeScorer()
    engine = TwoStage(encoder, scorer)
    code, _, err = run(capsys, engine, folder, "--json", tmp_path / "a")
    assert code == 0
    assert "5 of 14 queries were scored by an earlier run" in err
    assert "Scoring queries: 8 of 8" in err
    assert encoder.texts == len(set(scorer.queries)) == 8 + 1  # and the warm-up
    report = read_report(tmp_path / "a")
    assert report.counts.resumed == 5
    run(capsys, TwoStage(FakeEncoder(), FakeScorer()), folder, "--fresh", "--json", tmp_path / "b")
    whole = read_report(tmp_path / "b")
    assert whole.counts.resumed == 0
    assert (report.metrics, report.sweep, report.queries) == (
        whole.metrics,
        whole.sweep,
        whole.queries,
    )


def test_encoding_that_is_cut_goes_on(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def cut(self: ProgressLine, done: int, total: int) -> None:
        if done >= 32:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ProgressLine, "__call__", cut)
        code, _, err = run(capsys, TwoStage(FakeEncoder(), FakeScorer()), folder)
    assert code == 130
    assert err.endswith(
        "Stopped; the vectors so far are kept, and the same command goes on from there.\n"
    )
    encoder = FakeEncoder()
    run(capsys, TwoStage(encoder, FakeScorer()), folder)
    assert sum(len(call) for call in encoder.calls if len(call) > 1) == 79 - 32


def test_a_run_file_and_lists(
    capsys: pytest.CaptureFixture[str], encoder: FakeEncoder, engine: TwoStage, folder: Path
):
    data = some_judged(most=2)
    code, out, _ = run(
        capsys, engine, folder, "--run", write_run(folder / "bm25.run", data), "--retrieve-k", 20
    )
    assert code == 0
    assert "First stage   bm25.run (as the run file ranks)\n" in out
    assert "1 query has no candidates in the first stage and is in no mean." in " ".join(
        out.split()
    )
    code, out, _ = run(capsys, engine, write_lists(folder / "lists.jsonl", data), "--limit", 8)
    assert code == 0
    assert out.startswith("lists.jsonl: 7 queries\nFirst stage   lists.jsonl (as given)\n")
    assert encoder.calls == []


def test_the_cache_is_where_it_is_said_and_holds_no_texts(
    capsys: pytest.CaptureFixture[str],
    engine: TwoStage,
    folder: Path,
    tmp_path: Path,
    own_cache: Path,
):
    run(capsys, engine, folder, "--cache", tmp_path / "elsewhere")
    assert not own_cache.exists()
    files = [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".keys", ".f32", ".jsonl"}
    assert not any(b"word1" in path.read_bytes() for path in files)


def test_a_cache_too_small_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    engine: TwoStage,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("RERANK_CACHE_GB", "0.000001")
    code, out, err = run(capsys, engine, folder)
    assert (code, out) == (2, "")
    assert err.endswith("set RERANK_CACHE_GB higher, or evaluate fewer passages.\n")
    assert CACHE_GB > 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("none",), "none is not a folder; give one that holds corpus.jsonl, queries.jsonl and qrels/"),
        (("F", "--run", "none.run"), "none.run cannot be read (No such file or directory); check the"),
        (("F", "--limit", 0), "The limit is a whole number of at least 1, not 0."),
        (("F", "--top-k", 200), "top_k (K) is 200 but only retrieve_k (N) = 100 candidates are read"),
        (("F", "--retrieve-k", 5000), "retrieve_k (N) is a whole number from 1 to 1000, not 5000."),
        (("F", "--relevant", 0), "The lowest relevant grade is a whole number from 1 to 10, not 0."),
        (("F", "--relevant", 9), "None of 14 judged queries has a passage of grade 9 or more"),
        (("F", "--json", "no/r.json"), "no/r.json: not a file in a folder that can be written; give"),
        (("F", "--json", "."), ".: not a file in a folder that can be written; give another place."),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
    engine: TwoStage,
    scorer: FakeScorer,
    folder: Path,
    args: tuple[object, ...],
    message: str,
):
    code, out, err = run(capsys, engine, *(folder if arg == "F" else arg for arg in args))
    assert (code, out) == (2, "")
    said = [line for line in err.splitlines() if not line.endswith("...")]
    assert message in said[-1]
    assert "Traceback" not in err
    assert [q for q in scorer.queries if q != "warm"] == []


@pytest.mark.parametrize("option", ["--bi-encoder", "--cross-encoder"])
def test_a_model_that_is_not_on_the_list(
    capsys: pytest.CaptureFixture[str], folder: Path, option: str
):
    code = main(["evaluate", str(folder), option, "someone/else"])
    err = capsys.readouterr().err
    assert code == 2
    assert (
        "'someone/else' is neither a folder nor on the list of models; choose a folder, embedded,"
        in err
    )
    other = (
        "cross-encoder/ms-marco-MiniLM-L6-v2"
        if option == "--bi-encoder"
        else "BAAI/bge-small-en-v1.5"
    )
    assert main(["evaluate", str(folder), option, other]) == 2
    assert re.search(rf"{other} is a .*, not a .*; choose one of", capsys.readouterr().err)


def test_a_folder_of_a_model_is_called_by_its_name(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    asked: list[tuple[str, bool]] = []
    place = tmp_path / "my-model"
    place.mkdir()

    def load(name: str, *, allow_any: bool = False) -> FakeEncoder | FakeScorer:
        asked.append((name, allow_any))
        return (FakeScorer if len(asked) == 2 else FakeEncoder)(name)

    monkeypatch.setattr("rerank_core.models.load_encoder", load)
    monkeypatch.setattr("rerank_core.models.load_scorer", load)
    out_file = tmp_path / "r.json"
    options = ["--bi-encoder", place, "--cross-encoder", place, "--json", out_file]
    assert main(["evaluate", str(folder), *map(str, options)]) == 0
    assert asked == [(str(place), True)] * 2
    report = read_report(out_file)
    names = report.first_stage_name, report.bi_encoder.name, report.cross_encoder.name
    assert names == ("my-model",) * 3
    assert str(tmp_path) not in capsys.readouterr().out


@pytest.mark.real
def test_from_a_folder_to_a_report_with_the_embedded_models(tmp_path: Path):
    data = [
        {"_id": "snake", "title": "", "text": "A python eats once a week; keep it warm."},
        {"_id": "code", "title": "", "text": "Python 3.13 has a new interactive interpreter."},
        {"_id": "cat", "title": "", "text": "Cats sleep most of the day."},
    ]
    (tmp_path / "set" / "qrels").mkdir(parents=True)
    (tmp_path / "set" / "corpus.jsonl").write_text("\n".join(map(json.dumps, data)))
    (tmp_path / "set" / "queries.jsonl").write_text(
        '{"_id": "q", "text": "feeding a python snake"}'
    )
    (tmp_path / "set" / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq\tsnake\t1\n"
    )
    command = [sys.executable, "-m", "rerank_core", "evaluate", str(tmp_path / "set")]
    done = subprocess.run(
        [*command, "--cache", str(tmp_path / "c"), "--json", str(tmp_path / "r.json")],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = read_report(tmp_path / "r.json")
    assert report.metric("nDCG@10").after.mean == 1.0
    assert report.index.encoded == 3
