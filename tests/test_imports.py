"""Who may import whom inside the library, and that importing it costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).parents[1] / "rerank_core"
BASE = {"errors", "limits"}
RECORDS = BASE | {"records", "inputs"}
STAGES = RECORDS | {"models", "corpus", "scheduler", "score_cache", "token_cache"}
PIPELINE = STAGES | {"batch_size", "retrieve", "rerank", "metrics", "movement", "comparison"}
FILES = RECORDS | {"forms", "passage_rows", "passages_file"}
ABOVE = PIPELINE | FILES | {"pipeline", "prediction"}
EVALUATED = {
    "judged",
    "first_stage",
    "kept_scores",
    "query_figures",
    "report",
    "evaluation",
    "pool",
}

MAY_IMPORT = {
    "errors": set(),
    "limits": set(),
    "records": {"errors"},
    "inputs": BASE | {"records"},
    "metrics": {"errors", "records"},
    "movement": {"errors", "records"},
    "models": RECORDS | {"adapters", "backend"},
    "embedded": BASE,
    "pair_tokens": BASE,
    "wired_model": BASE | {"embedded", "pair_tokens"},
    "wire": BASE | {"pair_tokens", "wired_model"},
    "mean_bert": BASE | {"embedded"},
    "quantised": BASE,
    "wired_graph": BASE | {"quantised"},
    "openvino_run": BASE,
    "openvino_encoder": BASE | {"embedded", "openvino_run", "wired_graph", "wired_model"},
    "openvino_scorer": BASE
    | {"openvino_run", "pair_tokens", "quantised", "wired_graph", "wired_model"},
    "embedded_encoder": RECORDS | {"models", "embedded"},
    "embedded_scorer": RECORDS,
    "backend": RECORDS
    | {"models", "embedded", "embedded_encoder", "embedded_scorer", "mean_bert", "pair_tokens"}
    | {"quantised", "wire", "wired_model", "openvino_run", "openvino_encoder", "openvino_scorer"},
    "adapters": RECORDS | {"models", "hub"},
    "hub": BASE | {"models", "embedded"},
    "hub_download": BASE | {"models"},
    "hub_child": BASE | {"hub"},
    "shelf": RECORDS | {"models"},
    "batch_size": BASE | {"models"},
    "token_cache": BASE | {"models"},
    "near_index": {"limits"},
    "corpus": RECORDS | {"models", "near_index"},
    "scheduler": BASE,
    "score_cache": BASE | {"token_cache"},
    "retrieve": STAGES,
    "rerank": STAGES,
    "comparison": RECORDS | {"metrics", "movement"},
    "pipeline": PIPELINE,
    "prediction": RECORDS | {"metrics", "movement"},
    "duel": ABOVE,
    "fooled": {"duel", "trace"},
    "pool": ABOVE,
    "depth": ABOVE | {"pool"},
    "budget": {"errors", "depth"},
    "turnover": {"inputs", "pool", "depth"},
    "latency": ABOVE | {"pool"},
    "intervals": {"errors"},
    "evaluate": ABOVE | {"pool", "depth", "intervals"},
    "failures": {"evaluate"},
    "skip": {"errors", "evaluate"},
    "failure_notes": FILES | {"scenarios"},
    "clicks": {"evaluate", "metrics"},
    "scale": FILES | {"trace"},
    "thresholds": ABOVE | {"evaluate"},
    "board": ABOVE | {"pool", "latency", "evaluate", "scenarios", "trace"},
    "trace": ABOVE,
    "forms": RECORDS,
    "passage_rows": RECORDS | {"forms"},
    "passages_file": RECORDS | {"forms", "passage_rows"},
    "split": RECORDS,
    "own_passages": FILES | {"split"},
    "scenarios": FILES,
    "lint": ABOVE | {"scenarios", "depth"},
    "holds": ABOVE | {"scenarios"},
    "scenario_files": FILES | {"scenarios"},
    "scenario_zip": FILES | {"scenarios", "scenario_files"},
    "own_scenario": FILES | {"scenarios"},
    "check": ABOVE | {"scenarios", "lint", "trace"},
    "console": ABOVE,
    "lines": FILES,
    "judged": BASE,
    "corpus_file": FILES | {"lines"},
    "beir": FILES | {"lines", "judged", "corpus_file"},
    "trec_run": FILES | {"lines", "corpus_file"},
    "lists_file": FILES | {"lines", "judged"},
    "cache_folder": BASE,
    "vectors_cache": BASE | {"cache_folder", "corpus_file"},
    "stored_corpus": STAGES | {"cache_folder", "corpus_file", "vectors_cache"},
    "kept_vectors": STAGES | {"cache_folder", "corpus_file", "vectors_cache"},
    "first_stage": ABOVE | {"judged", "corpus_file", "lists_file", "trec_run"},
    "kept_scores": ABOVE | {"cache_folder", "judged", "pool"},
    "query_figures": ABOVE | {"pool", "depth", "evaluate"},
    "report": FILES | {"trace"},
    "report_file": FILES | {"report"},
    "evaluation": ABOVE | {"judged", "kept_scores", "query_figures", "report"},
    "report_of": ABOVE | EVALUATED | {"depth", "evaluate", "failures", "intervals", "trace"},
    "report_text": {"console", "report"},
    "evaluate_run": ABOVE | EVALUATED | {"report_of"},
    "evaluate_inputs": FILES
    | {"beir", "corpus_file", "first_stage", "judged", "lists_file", "trec_run"},
    "progress_line": {"limits"},
    "evaluate_command": ABOVE
    | EVALUATED
    | {
        "cache_folder",
        "evaluate_inputs",
        "evaluate_run",
        "progress_line",
        "report_file",
        "report_text",
        "stored_corpus",
    },
}
"""Module -> what of ours it may import. `__init__` and `__main__` stand above all and may import any."""

MODULES = sorted(path.stem for path in CORE.glob("*.py"))


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names |= {node.module or ""}
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(path: Path) -> set[str]:
    """The modules of rerank_core that a file imports."""
    found = {n.split(".")[1] for n in imported(path) if n.startswith("rerank_core.")}
    return found & set(MODULES)


@pytest.mark.parametrize("name", [m for m in MODULES if m not in ("__init__", "__main__")])
def test_modules_import_only_what_they_may(name: str):
    assert name in MAY_IMPORT, f"{name} has no line in MAY_IMPORT; say what it may import"
    assert ours(CORE / f"{name}.py") <= MAY_IMPORT[name]


def test_the_allowed_imports_have_no_circle_but_the_lazy_one():
    done: set[str] = set()
    left = {k: v & set(MAY_IMPORT) for k, v in MAY_IMPORT.items()}
    lazy = {"adapters", "backend"}  # imported when a model is asked for
    left["models"] = left["models"] - lazy
    while left:
        free = {k for k, v in left.items() if v <= done}
        assert free, f"a circle among {sorted(left)}"
        done |= free
        left = {k: v for k, v in left.items() if k not in free}


@pytest.mark.parametrize("name", MODULES)
def test_the_library_knows_no_page(name: str):
    tops = {n.split(".")[0] for n in imported(CORE / f"{name}.py")}
    assert not tops & {"gradio", "gradio_client", "plotly", "ui", "app", "fastapi", "starlette"}


def in_fresh_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CORE.parent, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


HEAVY = "[m for m in ('torch', 'openvino', 'transformers', 'sentence_transformers', 'gradio') if m in sys.modules]"


@pytest.mark.parametrize(
    "code",
    [
        "import rerank_core",
        "from rerank_core import *",
        "from rerank_core import TwoStage; TwoStage()",
        "from rerank_core.shelf import ModelShelf; ModelShelf()",
    ],
)
def test_importing_loads_nothing_heavy(code: str):
    assert in_fresh_python(f"import sys; {code}; print({HEAVY})") == "[]"


def test_the_bare_import_loads_no_numpy():
    assert in_fresh_python("import sys, rerank_core; print('numpy' in sys.modules)") == "False"


def test_public_names_are_there_and_others_are_not():
    import rerank_core

    for name in rerank_core.__all__:
        assert getattr(rerank_core, name).__name__ == name
    assert set(rerank_core.__all__) <= set(dir(rerank_core))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rerank_core.nothing  # noqa: B018
