"""Two-stage ranking: retrieve with a bi-encoder, rerank with a cross-encoder, and say what moved.

    from rerank_core import TwoStage
    result = TwoStage().compare("python pet care", passages, retrieve_k=50, top_k=5)

Public names are loaded when they are first used: importing the package imports neither torch nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rerank_core.comparison import Comparison, Lift
    from rerank_core.corpus import Corpus
    from rerank_core.errors import RerankError
    from rerank_core.evaluate_run import evaluate_queries
    from rerank_core.pipeline import TwoStage
    from rerank_core.records import Passage, Ranking, Scored
    from rerank_core.report_file import read_report
    from rerank_core.scenarios import load_library
    from rerank_core.trace import read_trace, trace_of

_WHERE = {
    "Comparison": "comparison",
    "Corpus": "corpus",
    "Lift": "comparison",
    "Passage": "records",
    "Ranking": "records",
    "RerankError": "errors",
    "Scored": "records",
    "TwoStage": "pipeline",
    "evaluate_queries": "evaluate_run",
    "load_library": "scenarios",
    "read_report": "report_file",
    "read_trace": "trace",
    "trace_of": "trace",
}

__all__ = [
    "Comparison",
    "Corpus",
    "Lift",
    "Passage",
    "Ranking",
    "RerankError",
    "Scored",
    "TwoStage",
    "evaluate_queries",
    "load_library",
    "read_report",
    "read_trace",
    "trace_of",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
