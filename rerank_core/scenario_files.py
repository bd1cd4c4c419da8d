"""A scenario as the two texts of its folder, scenario.toml and passages.jsonl; what scenarios.py reads back the same.

Left out: writing them anywhere (scenario_zip.py does), and checking (scenarios.py, lint.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import tomli_w

from rerank_core.records import Passage
from rerank_core.scenarios import Expect, Query, Scenario


def toml_of(scenario: Scenario, comments: Sequence[str] = ()) -> str:
    """scenario.toml, after one line of comment each; what is empty or the default is left out."""
    data: dict[str, Any] = {
        key: getattr(scenario, key) for key in ("id", "title", "slice", "author_note", "lesson")
    }
    data["queries"] = [_query(query, scenario.slice) for query in scenario.queries]
    if scenario.printed is not None:
        data["printed"] = _given(scenario.printed) | {
            "rows": [_given(row) for row in scenario.printed.rows]
        }
    head = "".join(f"# {' '.join(line.split())}\n" for line in comments)
    return head + tomli_w.dumps(data)


def jsonl_of(passages: Sequence[Passage]) -> str:
    """passages.jsonl: an object a line, keys without a value left out."""
    return "".join(json.dumps(_given(p), ensure_ascii=False) + "\n" for p in passages)


def _query(query: Query, slice_name: str) -> dict[str, Any]:
    data = {
        key: value for key, value in _given(query).items() if key not in ("relevance", "expect")
    }
    if data["slice"] == slice_name:
        del data["slice"]
    if query.relevance:
        data["relevance"] = dict(query.relevance)
    if query.expect != Expect():
        data["expect"] = {k: v for k, v in _given(query.expect).items() if v != ()}
    return data


def _given(record: Any) -> dict[str, Any]:
    """A record's fields that hold a value; tuples of words as lists."""
    found = {f.name: getattr(record, f.name) for f in fields(record)}
    return {
        k: list(v) if isinstance(v, tuple) else v for k, v in found.items() if v not in (None, ())
    }
