"""The command line: what it prints, its exit codes, and that every error is one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import some_passages

from rerank_core.__main__ import main
from rerank_core.console import columns, fit, render
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.trace import read_trace

ROOT = Path(__file__).parents[1]


@pytest.fixture
def passages(tmp_path: Path) -> Path:
    path = tmp_path / "p.txt"
    path.write_text("\n".join(p.text for p in some_passages(12)), "utf-8")
    return path


def run(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, *args: object
) -> tuple[int, str, str]:
    code = main([str(arg) for arg in args], engine)
    out, err = capsys.readouterr()
    return code, out, err


def compared(passages: object, *more: object) -> tuple[object, ...]:
    return "compare", "--query", "thing 3", "--passages", passages, *more


def test_compare_prints_both_lists_and_the_latency(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, passages: Path
) -> None:
    code, out, err = run(capsys, engine, *compared(passages, "--retrieve-k", 8, "--top-k", 3))
    assert (code, err) == (0, "")
    assert "Query: thing 3\n12 passages, 8 candidates read (N), top 3 (K)\n" in out
    assert "RETRIEVE  bi-encoder, cosine" in out
    assert "RERANK  cross-encoder, logit" in out
    assert "... and 5 more; --top-k shows more, --json all of them" in out
    assert "cross-encode" in out
    assert "8 pairs" in out
    texts = [p.text.strip() for p in some_passages(12)]
    result = engine.compare("thing 3", texts, retrieve_k=8, top_k=3)
    for move in result.movement[:3]:
        words = "= stays" if not move.change else f"from {move.before}, "
        assert words in out


@pytest.mark.parametrize("width", [40, 80, 100, 300])
def test_lines_fit_the_terminal(engine: TwoStage, width: int) -> None:
    texts = [
        "東京は日本の首都です " * 9,
        "tab\there \x1b[31mred",
        "plain " * 50,
        "e\u0301" * 90,
        "",
    ]
    result = engine.compare("q " * 200, [Passage(f"d{i}", t) for i, t in enumerate(texts)], top_k=4)
    lines = list(render(result, width))
    assert max(columns(line) for line in lines) <= min(max(width, 80), 120)
    assert all(line.isprintable() for line in lines)


def test_fit_counts_wide_characters() -> None:
    assert fit("東京都", 5) == "東京…"
    assert fit("東京", 4) == "東京"


def test_json_is_the_trace_and_check_says_that_it_holds(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, passages: Path, tmp_path: Path
) -> None:
    code, out, _ = run(capsys, engine, *compared(passages, "--json"))
    path = tmp_path / "trace.json"
    path.write_text(out, "utf-8")
    assert code == 0
    assert read_trace(path).query == "thing 3"
    code, out, err = run(capsys, engine, "check", path)
    assert (code, err) == (0, "")
    assert out.endswith("trace.json holds.\n")


def test_check_of_a_changed_trace(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, passages: Path, tmp_path: Path
) -> None:
    data = json.loads(run(capsys, engine, *compared(passages, "--json"))[1])
    data["candidates"][0]["logit"] += 1
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(data), "utf-8")
    code, out, _ = run(capsys, engine, "check", path)
    assert code == 1
    assert out.endswith("trace.json does not hold.\n")
    assert "FAILS  logits:" in out


def test_lint_closes_with_a_summary(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, tmp_path: Path
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "scenario.toml").write_text(
        'id = "one"\ntitle = "t"\nslice = "s"\nauthor_note = "n"\nlesson = "l"\n'
        '[[queries]]\nid = "one-1"\ntext = "thing"\npredict = "?"\n'
    )
    (folder / "passages.jsonl").write_text('{"doc_id": "a", "text": "thing"}')
    code, out, _ = run(capsys, engine, "lint", tmp_path)
    assert code == 1
    assert "error: one, one-1.relevance: 2 unjudged in the top 10s" in out
    assert out.endswith("1 scenario: 1 error, 4 warnings.\n")
    code, out, _ = run(capsys, engine, "lint", tmp_path, "--no-models")
    assert code == 0
    assert out.endswith(
        "1 scenario: 0 errors, 4 warnings. Form only: no expectation was checked.\n"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            compared("none.txt"),
            "none.txt cannot be read (No such file or directory); check the path.",
        ),
        (compared("P", "--top-k", 0), "top_k (K) is a whole number of at least 1, not 0."),
        (compared("P", "--retrieve-k", 2), "top_k (K) is 5 but only retrieve_k (N) = 2 candidates"),
        (
            ("compare", "--query", " ", "--passages", "P"),
            "The query has 0 characters, not 1 to 500",
        ),
        (
            ("lint", "no-folder"),
            "no-folder is not a folder; give the one that holds the scenarios.",
        ),
        (("check", "none.json"), "none.json cannot be read"),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
    engine: TwoStage,
    passages: Path,
    args: tuple[object, ...],
    message: str,
) -> None:
    code, out, err = run(capsys, engine, *(passages if arg == "P" else arg for arg in args))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "The following arguments are required: COMMAND; see python -m rerank_core --help.\n"),
        (["rank"], "invalid choice: 'rank'"),
        (["compare", "--query", "q"], "The following arguments are required: --passages; see"),
        (compared("P", "--top-k", "x"), "Argument --top-k: invalid int value: 'x'; see"),
    ],
)
def test_usage_errors_are_one_line(
    capsys: pytest.CaptureFixture[str], args: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(args)
    err = capsys.readouterr().err
    assert raised.value.code == 2
    assert message in err
    assert err.count("\n") == 1


def test_a_closed_pipe_is_quiet(passages: Path) -> None:
    program = f"""
import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from fakes import FakeEncoder, FakeScorer
from rerank_core.__main__ import main
from rerank_core.pipeline import TwoStage
import os; r, w = os.pipe(); os.dup2(w, 1); os.close(w); os.close(r)
raise SystemExit(main({["compare", "--query", "q", "--passages", str(passages)]!r},
    TwoStage(FakeEncoder(), FakeScorer())))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (141, "")


def test_help_needs_no_model() -> None:
    program = (
        "import sys, rerank_core.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT)
    assert done.returncode == 0


@pytest.mark.real
def test_from_a_file_to_a_trace_that_holds(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("python snake feeding guide\npython async tutorial\n", "utf-8")
    command = [sys.executable, "-m", "rerank_core"]
    query = ["compare", "--query", "python pet care", "--passages", str(path), "--json"]
    first = subprocess.run([*command, *query], capture_output=True, text=True, cwd=ROOT)
    assert first.returncode == 0, first.stderr
    trace = tmp_path / "t.json"
    trace.write_text(first.stdout, "utf-8")
    again = subprocess.run(
        [*command, "check", str(trace)], capture_output=True, text=True, cwd=ROOT
    )
    assert again.stdout.endswith("t.json holds.\n")
