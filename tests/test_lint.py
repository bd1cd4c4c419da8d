"""The linter of scenarios: form, duplicates, coverage and expectations, on fakes and for real."""

import json
from pathlib import Path

import pytest
from fakes import FakeEncoder, some_passages

from rerank_core.lint import Finding, jaccard, lint, normalised
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.scenarios import load_library

SCENARIOS = Path(__file__).parents[1] / "scenarios"
HEAD = """
id = "{id}"
title = "T"
slice = "s"
author_note = "n"
lesson = "l"
[[queries]]
id = "{id}-1"
text = "thing 3"
predict = "?"
"""
PASSAGES = [Passage(p.doc_id, p.text.strip()) for p in some_passages(12)]
ALL_JUDGED = "[queries.relevance]\n" + "".join(f"{p.doc_id} = 0\n" for p in PASSAGES)


def add(library: Path, queries: str, passages: list[Passage] = PASSAGES, name: str = "one") -> Path:
    folder = library / name
    folder.mkdir()
    (folder / "scenario.toml").write_text(HEAD.format(id=name) + queries)
    rows = [json.dumps({"doc_id": p.doc_id, "text": p.text}) for p in passages]
    (folder / "passages.jsonl").write_text("\n".join(rows))
    return folder


def errors(library: Path, engine: TwoStage | None) -> list[str]:
    return [str(f) for f in lint(library, engine) if f.level == "error"]


def warnings(library: Path) -> list[Finding]:
    return [f for f in lint(library) if f.level == "warning"]


def test_a_whole_scenario_has_no_error(tmp_path: Path, engine: TwoStage) -> None:
    add(tmp_path, ALL_JUDGED)
    assert errors(tmp_path, engine) == []


def test_the_corpus_is_encoded_once(tmp_path: Path, engine: TwoStage, encoder: FakeEncoder) -> None:
    add(tmp_path, ALL_JUDGED)
    add(tmp_path, ALL_JUDGED.replace("t-", "u-"), some_passages(12, "under"), name="two")
    lint(tmp_path, engine)
    assert encoder.texts == 24 + 1  # every passage, and the one query that both ask


def test_every_mistake_of_form_is_a_finding(tmp_path: Path, engine: TwoStage) -> None:
    add(tmp_path, "oops = 1\n", name="one")
    add(tmp_path, "[queries.relevance]\nt-99 = 1\n", name="two")
    add(tmp_path, "[queries.relevance]\nt-98 = 1\n", some_passages(2), name="three")
    found = errors(tmp_path, engine)
    assert any("one/scenario.toml, queries[1]: unknown key `oops`" in line for line in found)
    assert any("no passage has the doc_id 't-99'" in line for line in found)
    assert any("no passage has the doc_id 't-98'" in line for line in found)
    assert any("doc_id 't-000' is already used in three" in line for line in found)


def test_models_do_not_run_over_a_library_that_is_not_whole(
    tmp_path: Path, engine: TwoStage, encoder: FakeEncoder
) -> None:
    add(tmp_path, "oops = 1\n")
    lint(tmp_path, engine)
    assert encoder.calls == []


def test_unjudged_passages_in_a_top_ten_are_an_error(tmp_path: Path, engine: TwoStage) -> None:
    add(tmp_path, ALL_JUDGED.replace("t-003 = 0\n", ""))
    (found,) = errors(tmp_path, engine)
    assert found.startswith("error: one, one-1.relevance: ")
    assert "unjudged in the top 10s at N = 50" in found
    assert "t-003 (bi-encoder rank " in found
    assert errors(tmp_path, None) == []


def test_passages_below_the_top_tens_need_no_judgement(tmp_path: Path, engine: TwoStage) -> None:
    comparison = engine.compare("thing 3", PASSAGES)
    shown = {*comparison.before.top(10).doc_ids, *comparison.after.top(10).doc_ids}
    judged = "".join(f"{doc_id} = 0\n" for doc_id in sorted(shown))
    add(tmp_path, f"[queries.relevance]\n{judged}")
    assert errors(tmp_path, engine) == []


def expectation(engine: TwoStage, line: str) -> str:
    """An expect line with the doc_ids that the fakes rank first and last."""
    comparison = engine.compare("thing 3", PASSAGES)
    return line.format(
        before=comparison.before[0].doc_id,
        after=comparison.after[0].doc_id,
        last=comparison.after[-1].doc_id,
        changes=str(comparison.before[0].doc_id != comparison.after[0].doc_id).lower(),
        stays=str(comparison.before[0].doc_id == comparison.after[0].doc_id).lower(),
    )


@pytest.mark.parametrize(
    "line",
    [
        'first_before = ["{before}"]',
        'first_after = ["{last}", "{after}"]',
        "top1_changes = {changes}",
        "lift_at_3_min = -1",
    ],
)
def test_expectations_that_hold(tmp_path: Path, engine: TwoStage, line: str) -> None:
    judged = ALL_JUDGED.replace("t-003 = 0", "t-003 = 3")
    add(tmp_path, f"{judged}[queries.expect]\n{expectation(engine, line)}\n")
    assert errors(tmp_path, engine) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('first_before = ["{last}"]', "expect.first_before: {before} is first, not {last}."),
        ('first_after = ["{last}"]', "expect.first_after: {after} is first, not {last}."),
        ("top1_changes = {stays}", "expect.top1_changes: the top result "),
        ("lift_at_3_min = 1", "expect.lift_at_3_min: lift "),
    ],
)
def test_expectations_that_do_not_hold(
    tmp_path: Path, engine: TwoStage, line: str, message: str
) -> None:
    judged = ALL_JUDGED.replace("t-003 = 0", "t-003 = 3")
    add(tmp_path, f"{judged}[queries.expect]\n{expectation(engine, line)}\n")
    (found,) = errors(tmp_path, engine)
    assert expectation(engine, message) in found


def test_lift_of_a_query_without_a_relevant_passage(tmp_path: Path, engine: TwoStage) -> None:
    add(tmp_path, f"{ALL_JUDGED}[queries.expect]\nlift_at_3_min = 0\n")
    (found,) = errors(tmp_path, engine)
    assert "no passage is relevant, so there is no lift; remove this." in found
    assert any("has no lift" in w.message for w in warnings(tmp_path))


def test_duplicates_are_warned_of(tmp_path: Path) -> None:
    text = "a b c d e f g h i j"
    texts = {"a": "The Pasta was GREAT!", "b": "the pasta, was great", "c": text, "d": f"{text} k"}
    add(tmp_path, "", [Passage(doc_id, text) for doc_id, text in texts.items()])
    found = {f.place: f.message for f in warnings(tmp_path) if f.place in texts}
    assert "is the same text as a; change one of them." in [
        f.message for f in warnings(tmp_path) if f.place == "b"
    ]
    assert any(f.message.startswith("shares 91% of its words with c") for f in warnings(tmp_path))
    assert set(found) == {"a", "b", "c", "d"}  # all are short, too


def test_sizes_are_warned_of(tmp_path: Path) -> None:
    add(
        tmp_path,
        ALL_JUDGED,
        [Passage(p.doc_id, "word " * (i + 15)) for i, p in enumerate(PASSAGES)],
    )
    found = [(f.place, f.message) for f in warnings(tmp_path)]
    assert ("", "12 passages; 50 or more tempt better.") in found
    assert ("", "1 queries; write 3 or more.") in found
    assert ("t-004", "19 words; write 20 to 70.") in found
    assert "t-005" not in [place for place, message in found if "words; write" in message]


def test_a_printed_row_may_be_short(tmp_path: Path) -> None:
    row = '{ doc_id = "a", bi_encoder = 0.7, cross_encoder = 0.9 }'
    printed = f'[printed]\nsource = "s"\nquery = "q"\nrows = [{row}]\n'
    add(tmp_path, printed, [Passage("a", "short"), Passage("b", "brief")])
    short = [f.place for f in warnings(tmp_path) if "words; write" in f.message]
    assert short == ["b"]


def test_a_folder_without_a_scenario_is_warned_of(tmp_path: Path) -> None:
    add(tmp_path, "")
    (tmp_path / "draft").mkdir()
    (tmp_path / "__pycache__").mkdir()
    assert [f.file for f in warnings(tmp_path) if "no scenario.toml" in f.message] == ["draft"]


def test_helpers() -> None:
    assert normalised("  A–B, ﬁne! ") == "a b fine"
    assert jaccard(frozenset("ab"), frozenset("bc")) == pytest.approx(1 / 3)
    assert jaccard(frozenset(), frozenset()) == 0.0


@pytest.mark.real
def test_the_shipped_scenarios_hold_on_the_shipped_weights() -> None:
    assert errors(SCENARIOS, TwoStage()) == []
    library = load_library(SCENARIOS)
    assert len(library.scenarios) >= 6
    assert len(library.passages) >= 330
