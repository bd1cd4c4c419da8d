"""Your own's handlers, called as functions: fakes for models, files in a folder of the test's own."""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core import limits
from rerank_core.errors import BusyError
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.scenario_zip import read_zip
from rerank_core.scenarios import Expect
from ui import encoding
from ui.desk import Desk
from ui.encoding import encode_stream
from ui.held import Held
from ui.own import build_own
from ui.own_corpus import Own
from ui.own_intake import OwnIntake
from ui.own_lists import OwnLists
from ui.own_reading import CSV, LINES, PARAGRAPHS
from ui.own_take import OwnTake
from ui.own_view import AS_OPENED, NOTHING, NOW, OwnView
from ui.service import Service
from ui.view import OURS, SKIP

LIBRARY = """
id = "tiny"
title = "Tiny"
slice = "s"
author_note = "n"
lesson = "l"
[[queries]]
id = "tiny-1"
text = "kettle"
predict = "?"
"""
TEXTS = [f"kettle number {i} " + "boils " * (i % 5) for i in range(30)]
QUERY = "which kettle boils"
REQUEST: Any = SimpleNamespace(session_hash="visitor")
SECRET = "zanzibar"


def shown(views: Iterable[OwnView]) -> OwnView:
    """What a visitor sees once all Views have come, one over the other."""
    seen = OwnView()
    for view in views:
        given = {k: v for k, v in view._asdict().items() if isinstance(v, str) or v != SKIP}
        seen = seen._replace(**given)
    return seen


@pytest.fixture
def service(engine: TwoStage, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Over a library of one passage: none of these tests is about the library."""
    folder = tmp_path_factory.mktemp("library") / "tiny"
    folder.mkdir()
    (folder / "scenario.toml").write_text(LIBRARY, "utf-8")
    (folder / "passages.jsonl").write_text('{"doc_id": "t-1", "text": "a kettle"}', "utf-8")
    service = Service(folder.parent, engine)
    service.start()
    service.wait(10)
    return service


@pytest.fixture
def desk(service: Service) -> Desk:
    return Desk(service)


@pytest.fixture
def intake(desk: Desk) -> OwnIntake:
    return OwnIntake(desk)


@pytest.fixture
def lists(desk: Desk) -> OwnLists:
    return OwnLists(desk, random.Random(1))


@pytest.fixture
def token(intake: OwnIntake) -> str:
    """Thirty encoded passages."""
    return encoded(intake).token


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def encoded(
    intake: OwnIntake, text: str = "\n".join(TEXTS), kind: str = LINES, **more: Any
) -> OwnView:
    args = {"column": None, "draft": "", "token": "", "fingerprint": ""} | more
    return shown(intake.encode(text, kind, **args, request=REQUEST))


def uploaded(uploads: Path, name: str, content: str | bytes) -> dict[str, str]:
    """A payload as Gradio hands it over, the file in a folder named after its content."""
    folder = uploads / f"hash-of-{name}"
    folder.mkdir()
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return {"path": str(folder / name), "orig_name": name}


def revealed(lists: OwnLists, token: str, marks: str = "{}", query: str = QUERY) -> OwnView:
    list(lists.rank(token, query, 20, 5))
    return shown(lists.just_show(token, query, 20, 5, query, marks, REQUEST))


def test_every_view_field_is_a_component(desk: Desk) -> None:
    import gradio as gr

    with gr.Blocks():
        parts = build_own(desk)
    assert set(OwnView._fields) <= set(parts.by_name)


# What is brought


def test_encoding_shows_progress_and_keeps_the_passages_under_a_token(
    intake: OwnIntake, desk: Desk, encoder: FakeEncoder
) -> None:
    before = encoder.texts
    views = list(intake.encode("\n".join(TEXTS), LINES, None, "", "", "", REQUEST))
    assert encoder.texts - before == 30, "each passage is encoded once"
    assert any("16 of 30 texts encoded" in str(v.status) for v in views)
    assert views[0].stop["visible"] is True
    final = views[-1]
    assert "30 passages, encoded in" in final.status
    assert final.area["visible"] is True
    assert final.stop["visible"] is False
    own = desk.own(final.token)
    assert [p.text for p in own.corpus.passages] == [t.strip() for t in TEXTS]


def test_what_comes_after_stop_says_that_it_was_stopped(intake: OwnIntake, desk: Desk) -> None:
    run = intake.encode("\n".join(TEXTS), LINES, None, "", "", "", REQUEST)
    next(run)
    assert "<progress" in next(run).status
    answer = intake.stop(REQUEST)
    late = list(run)
    assert [view.status for view in late] == [answer.status]
    assert late[0].stop["visible"] is False
    assert encoded(intake).token, "the next run is not stopped"


def test_encoding_anew_forgets_what_was_there(intake: OwnIntake, desk: Desk, token: str) -> None:
    again = encoded(intake, "one\ntwo", token=token)
    assert len(desk.held) == 1
    assert len(desk.own(again.token).corpus) == 2


def test_marks_stay_where_the_same_passages_come_again(intake: OwnIntake) -> None:
    first = encoded(intake)
    assert first.marks == "{}"
    assert encoded(intake, fingerprint=first.fingerprint).marks == SKIP
    assert encoded(intake, "other", fingerprint=first.fingerprint).marks == "{}"


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        (" \n", LINES, "The box is empty; paste some passages, or upload a file."),
        ("", LINES, "The box is empty; paste some passages, or upload a file."),
        ("a\n\0", LINES, "The box, line 2: `text` holds a NUL character; save the file as plain text."),
        ("text\na,b", CSV, "The box, line 2: 2 cells, but the header has 1 columns; put quotes around a text with a "
         "comma in it."),
        ("x", "xml", "The box is 'xml'; it can be lines, paragraphs, jsonl, csv."),
        ("x\n" * 2_001, LINES, "The box, line 2001: here begins passage 2,001, and 2,000 are allowed; leave some out."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_nothing_typed_is_lost(
    intake: OwnIntake, desk: Desk, text: str, kind: str, sentence: str
) -> None:
    view = encoded(intake, text, kind)
    assert f"</b> {sentence}</p>" in view.status.replace("&#39;", "'")
    assert (view.box, view.token) == (SKIP, SKIP)
    assert view.encode["interactive"] is True
    assert len(desk.held) == 0


def test_paragraphs(intake: OwnIntake, desk: Desk) -> None:
    view = encoded(intake, "one\nstill one\n\ntwo", PARAGRAPHS)
    assert [p.text for p in desk.own(view.token).corpus.passages] == ["one\nstill one", "two"]


def test_long_passages_are_offered_to_be_split(intake: OwnIntake, desk: Desk) -> None:
    text = "short\n" + "The kettle boils. " * 200
    view = encoded(intake, text)
    assert "line 2: this passage has 3,599 characters, and 2,000 are read" in view.status
    assert view.split["visible"] is True
    split = shown(intake.split(text, LINES, None, "", "", "", REQUEST))
    passages = desk.own(split.token).corpus.passages
    assert [p.doc_id for p in passages[:2]] == ["p0001", "p0002.1"]
    assert max(len(p.text) for p in passages) <= limits.SPLIT_CHARS


def test_a_csv_asks_for_its_column_and_takes_a_column_called_text(
    intake: OwnIntake, desk: Desk
) -> None:
    table = "number,body\n1,one\n2,two\n"
    view = encoded(intake, table, CSV)
    assert view.column["choices"] == ["number", "body"]
    assert "Choose the column" in view.status
    assert view.token == SKIP
    chosen = encoded(intake, table, CSV, column="body")
    assert [p.text for p in desk.own(chosen.token).corpus.passages] == ["one", "two"]
    plain = encoded(intake, "number,text\n1,one\n", CSV)
    assert [p.text for p in desk.own(plain.token).corpus.passages] == ["one"]


def test_an_upload_is_deleted_at_once_and_waits_as_a_draft(
    intake: OwnIntake, desk: Desk, uploads: Path
) -> None:
    view = shown(intake.upload(uploaded(uploads, "k.txt", "\n".join(TEXTS)), LINES, "", REQUEST))
    assert "k.txt is here, 30 passages that are not encoded yet." in view.status
    assert view.file is None
    assert list(uploads.iterdir()) == [], "file and folder are gone"
    done = encoded(intake, "what is in the box", draft=view.draft)
    assert len(desk.own(done.token).corpus) == 30, "the file, not the box"
    assert len(desk.held) == 1, "the draft went"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("k.txt", b"ok\n\xff", "k.txt, line 2: byte 0xff is not UTF-8; save the file as UTF-8."),
        ("k.jsonl", '{"text": 1}', "k.jsonl, line 1: `text` is 1; it must be a string in quotes."),
        ("k.pdf", "x", "k.pdf ends in '.pdf'; choose a .txt, .csv, .jsonl or .zip file."),
        ("k", "x", "k ends in 'nothing'; choose a .txt, .csv, .jsonl or .zip file."),
        ("k.csv", "a;b\n", "k.csv, line 1: one column, 'a;b'; separate columns with commas."),
        ("k.zip", b"PK", "k.zip is not a zip that can be read (File is not a zip file); zip the folder anew."),
        ("k.txt", b"x" * (limits.OWN_FILE_BYTES + 1),
         "k.txt has 5,242,881 bytes, and 5,242,880 are allowed; leave some out."),
    ],
)  # fmt: skip
def test_an_upload_that_is_wrong_is_one_sentence_and_deleted(
    intake: OwnIntake, desk: Desk, uploads: Path, name: str, content: str | bytes, sentence: str
) -> None:
    view = shown(intake.upload(uploaded(uploads, name, content), LINES, "", REQUEST))
    assert sentence in view.status.replace("&#39;", "'")
    assert view.file is None
    assert list(uploads.iterdir()) == []
    assert len(desk.held) == 0


@pytest.mark.parametrize("payload", [None, 5, {}, {"path": 5}, {"path": "/etc/passwd"}])
def test_a_payload_that_is_no_upload_deletes_nothing(
    intake: OwnIntake, uploads: Path, payload: Any
) -> None:
    outside = uploads.parent / "outside.txt"
    outside.write_text("x")
    for each in (
        payload,
        {"path": str(outside)},
        {"path": str(uploads / "a" / ".." / ".." / "outside.txt")},
    ):
        view = shown(intake.upload(each, LINES, "", REQUEST))
        assert "choose a .txt, .csv, .jsonl or .zip file." in view.status
    assert outside.read_text() == "x"


def test_a_file_that_is_gone_is_said(intake: OwnIntake, uploads: Path) -> None:
    payload = uploaded(uploads, "k.txt", "x")
    Path(payload["path"]).unlink()
    view = shown(intake.upload(payload, LINES, "", REQUEST))
    assert "k.txt was gone before it could be read; upload it again." in view.status


def test_stopping_leaves_nothing_on_the_server(
    intake: OwnIntake, desk: Desk, encoder: FakeEncoder
) -> None:
    before = encoder.texts
    stream = intake.encode(
        "\n".join(f"text {i}" for i in range(500)), LINES, None, "", "", "", REQUEST
    )
    for view in stream:
        if "of 500 texts" in str(view.status):
            break
    stream.close()
    for thread in threading.enumerate():
        if thread.name == "encode-own":
            thread.join(10)
    assert encoder.texts - before < 500
    assert len(desk.held) == 0


def test_encoding_has_places_for_so_many_at_a_time(
    engine: TwoStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "_places", threading.BoundedSemaphore(1))
    gate = threading.Event()
    slow = TwoStage(FakeEncoder(), FakeScorer())
    monkeypatch.setattr(slow, "corpus", lambda passages, progress: gate.wait(10))
    first = encode_stream(slow, [Passage("a", "a")])
    with pytest.raises(BusyError, match="visitors encode passages of their own just now"):
        encode_stream(engine, [Passage("a", "a")])
    gate.set()
    first.close()


def test_forgetting_leaves_nothing(intake: OwnIntake, desk: Desk, token: str) -> None:
    view = intake.forget(token, "")
    assert len(desk.held) == 0
    assert (view.box, view.token, view.marks, view.before, view.after) == ("", "", "{}", "", "")
    assert view.area["visible"] is False


# The two lists


def test_ranking_says_where_passages_are_fewer_than_n(lists: OwnLists, token: str) -> None:
    view = shown(lists.rank(token, QUERY, 50, 5))
    assert "You have 30 passages, fewer than N = 50: all 30 are candidates." in view.message
    assert view.before.count("<li class=") == 30
    assert 'data-link=""' in view.before, "nothing of it in the address"
    assert view.ranked_query == QUERY
    assert shown(lists.rank(token, QUERY, 20, 5)).message == ""


def test_predict_and_compare_as_on_explore(lists: OwnLists, token: str, scorer: FakeScorer) -> None:
    read = scorer.pairs
    list(lists.rank(token, QUERY, 20, 5))
    assert scorer.pairs == read, "the cross-encoder reads nothing before the commit"
    view = shown(
        lists.commit(token, QUERY, 20, 5, QUERY, "{}", "yes", 80, None, None, None, REQUEST)
    )
    assert scorer.pairs - read == 20
    assert 'id="own-after-title"' in view.after
    assert "of 1" in view.verdict
    assert "Not kept in your record: these are your own passages." in view.verdict
    assert "No lift yet: mark what answers the query" in view.verdict
    assert view.judge["visible"] is True


def test_what_was_read_is_kept_for_this_visitor_alone(
    lists: OwnLists, intake: OwnIntake, token: str, scorer: FakeScorer, service: Service
) -> None:
    shared = len(service.engine.cache)
    revealed(lists, token)
    read = scorer.pairs
    revealed(lists, token)
    assert scorer.pairs == read, "the same visitor's scores are kept"
    revealed(lists, encoded(intake).token)
    assert scorer.pairs == read + 20, "another visitor's are not theirs"
    assert len(service.engine.cache) == shared, "nothing in what all visitors share"


def test_a_private_query_is_not_kept_by_the_engine(
    lists: OwnLists, token: str, encoder: FakeEncoder, service: Service
) -> None:
    revealed(lists, token)
    texts = encoder.texts
    service.engine.retrieve(QUERY, service.corpus, 5)
    assert encoder.texts == texts + 1


def test_marks_bring_lift_and_depth_without_a_model(
    lists: OwnLists, token: str, scorer: FakeScorer, encoder: FakeEncoder
) -> None:
    view = revealed(lists, token)
    assert view.depth == ""
    leader = view.after.split('data-doc="')[1].split('"')[0]
    asked = scorer.pairs, encoder.texts
    marked = shown(lists.mark(token, QUERY, 5, json.dumps({QUERY: {leader: 3}})))
    assert (scorer.pairs, encoder.texts) == asked
    assert "nDCG@3" in marked.verdict
    assert "<polyline" in marked.depth
    assert "1 marked; 19 of the 20 candidates are not, and count as not relevant." in marked.depth
    assert marked.before == marked.after == SKIP, "the lists stay, and with them the focus"
    topic = shown(lists.mark(token, QUERY, 5, json.dumps({QUERY: {leader: 1}})))
    assert "of the 1 passage that you marked, none is relevant" in topic.verdict
    assert topic.depth == ""


def test_a_relevant_passage_beyond_n_is_a_ghost(lists: OwnLists, token: str, desk: Desk) -> None:
    revealed(lists, token)
    run = desk.own(token).run(QUERY)
    assert run is not None
    last = run.retrieved.tail[-1]
    view = shown(lists.mark(token, QUERY, 5, json.dumps({QUERY: {last: 3}})))
    assert "No reranker can reach it" in view.depth
    assert "the bi-encoder has it at 30 of 30" in view.depth


def test_a_mark_before_the_reveal_changes_nothing(lists: OwnLists, token: str) -> None:
    list(lists.rank(token, QUERY, 20, 5))
    assert shown(lists.mark(token, QUERY, 5, json.dumps({QUERY: {"p0001": 3}}))) == OwnView()


def test_judging_walks_both_tops_in_an_order_of_no_model(
    lists: OwnLists, token: str, desk: Desk
) -> None:
    revealed(lists, token)
    html = shown(lists.judging(token, QUERY)).judging
    order = [part.split('"')[0] for part in html.split('data-judged="')[1:]]
    run = desk.own(token).run(QUERY)
    assert run is not None
    assert run.comparison is not None
    tops = {*run.comparison.before.top(10).doc_ids, *run.comparison.after.top(10).doc_ids}
    assert set(order) == tops
    assert len(order) == len(tops)
    assert order != sorted(order)
    other = shown(lists.judging(token, QUERY)).judging
    assert html != other, "drawn by lot each time"
    assert not any(word in html.lower() for word in ("rank ", "cosine", "logit"))


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("", 50, 5), "The query has 0 characters"),
        (("x" * 501, 50, 5), "The query has 501 characters"),
        ((QUERY, 4, 3), "N, the shortlist runs from 5 to 100, not 4"),
        ((QUERY, 50, 11), "K, the rows handed on runs from 3 to 10, not 11"),
        ((QUERY, None, 5), "N, the shortlist is a whole number"),
        ((QUERY, 5, 6), "K = 6 rows cannot be handed on from a shortlist of N = 5"),
    ],
)
def test_bad_input_is_one_sentence(
    lists: OwnLists, token: str, args: tuple[Any, ...], sentence: str
) -> None:
    view = shown(lists.rank(token, *args))
    assert sentence in view.message
    assert view.before == SKIP
    assert view.commit["interactive"] is True


def test_a_commit_is_refused_while_the_list_is_of_another_query(
    lists: OwnLists, token: str
) -> None:
    view = shown(lists.just_show(token, "another", 20, 5, QUERY, "{}", REQUEST))
    assert "press Enter to rank this one first" in view.message


def test_an_expired_token_is_one_sentence_everywhere(service: Service) -> None:
    now = [0.0]
    desk = Desk(service, Held(clock=lambda: now[0]))
    token = encoded(OwnIntake(desk)).token
    lists, take = OwnLists(desk), OwnTake(desk)
    now[0] = limits.OWN_HELD_S
    gone = "Your passages are no longer on this server"
    assert gone in shown(lists.rank(token, QUERY, 20, 5)).message
    assert gone in shown(lists.just_show(token, QUERY, 20, 5, QUERY, "{}", REQUEST)).message
    assert gone in shown(lists.mark(token, QUERY, 5, "{}")).message
    assert gone in shown(lists.judging(token, QUERY)).message
    assert gone in shown(take.check(token, "{}", "t", "l", "n", NOW, REQUEST)).report
    assert gone in take.zip(token)["fault"]
    assert "There are no passages of yours here yet" in shown(lists.rank("", QUERY, 20, 5)).message


def test_a_fault_says_nothing_of_the_texts_on_the_page_or_in_the_log(
    lists: OwnLists, intake: OwnIntake, scorer: FakeScorer, caplog: pytest.LogCaptureFixture
) -> None:
    token = encoded(intake, f"{SECRET} one\n{SECRET} two").token
    scorer.error = ValueError(f"cannot read {SECRET}")
    with caplog.at_level(logging.DEBUG):
        list(lists.rank(token, f"{SECRET} query", 20, 5))
        view = shown(
            lists.just_show(token, f"{SECRET} query", 20, 5, f"{SECRET} query", "{}", REQUEST)
        )
    assert OURS[:40] in view.message
    assert "ValueError" in caplog.text, "the log says what failed"
    assert SECRET not in caplog.text


# What is taken away


def marked(lists: OwnLists, token: str, desk: Desk) -> str:
    """Every passage marked, the cross-encoder's leader with 3."""
    revealed(lists, token)
    run = desk.own(token).run(QUERY)
    assert run is not None
    assert run.comparison is not None
    leader = run.comparison.after[0].doc_id
    grades = {p.doc_id: 3 if p.doc_id == leader else 0 for p in desk.own(token).corpus.passages}
    return json.dumps({QUERY: grades})


def test_a_scenario_goes_out_and_comes_in_again(
    lists: OwnLists, intake: OwnIntake, desk: Desk, token: str, uploads: Path
) -> None:
    take = OwnTake(desk)
    marks = marked(lists, token, desk)
    view = shown(take.check(token, marks, "My kettles", "A *lesson*.", "A note.", NOW, REQUEST))
    assert "The lesson holds on these weights: 4 expectations, all met." in view.report
    assert "hash-of-fake" in view.report
    assert "Download my-kettles.zip" in view.download
    answer = take.zip(token)
    assert answer["name"] == "my-kettles.zip"
    data = base64.b64decode(answer["data"])
    scenario = read_zip(data, "z")
    assert scenario.lesson == "A *lesson*."
    assert len(scenario.queries[0].relevance) == 30

    opened = shown(intake.upload(uploaded(uploads, "my-kettles.zip", data), LINES, token, REQUEST))
    assert "The scenario “My kettles”, its form checked: 30 passages" in opened.status
    assert (opened.title, opened.query) == ("My kettles", QUERY)
    assert len(json.loads(opened.marks)[QUERY]) == 30
    assert list(uploads.iterdir()) == []
    assert opened.must_hold["value"] == AS_OPENED
    again = shown(
        take.check(opened.token, opened.marks, "My kettles", "l", "n", AS_OPENED, REQUEST)
    )
    assert "4 expectations, all met" in again.report


def test_what_does_not_hold_is_said_with_its_margin(
    lists: OwnLists, desk: Desk, token: str
) -> None:
    take = OwnTake(desk)
    marks = marked(lists, token, desk)
    own = desk.own(token)
    list(take.check(token, marks, "t", "l", "n", NOW, REQUEST))
    assert own.zipped is not None
    opened = read_zip(own.zipped[1], "z")
    run = own.run(QUERY)
    assert run is not None
    assert run.comparison is not None
    last = run.comparison.after[-1].doc_id
    wrong = replace(opened.queries[0], expect=Expect(first_after=(last,)), relevance={})
    token = desk.put(Own("z", own.engine, own.corpus, replace(opened, queries=(wrong,))), 1)
    view = shown(take.check(token, marks, "t", "l", "n", AS_OPENED, REQUEST))
    assert "1 of 1 expectation does not hold on these weights." in view.report
    assert f"first_after = {last}: does not hold, by " in view.report
    assert "(logit)" in view.report


def test_nothing_need_hold(lists: OwnLists, desk: Desk, token: str) -> None:
    take = OwnTake(desk)
    view = shown(take.check(token, marked(lists, token, desk), "t", "l", "n", NOTHING, REQUEST))
    assert "Nothing is said to hold, so there is nothing to measure." in view.report


@pytest.mark.parametrize(
    ("marks", "title", "sentence"),
    [
        ("{}", "t", "A scenario holds 1 to 20 queries, and none has marks; mark a passage of one."),
        ('{"q": {"elsewhere": 3}}', "t", "none has marks"),
        ('{"q": {"p0001": 3}}', "", "The title has 0 characters, not 1 to 80; write a few words."),
    ],
)
def test_what_is_missing_is_said_before_a_pair_is_read(
    desk: Desk, token: str, scorer: FakeScorer, marks: str, title: str, sentence: str
) -> None:
    read = scorer.pairs
    view = shown(OwnTake(desk).check(token, marks, title, "l", "n", NOW, REQUEST))
    assert sentence in view.report
    assert view.download == ""
    assert scorer.pairs == read


def test_there_is_no_zip_before_the_check(desk: Desk, token: str) -> None:
    assert OwnTake(desk).zip(token) == {"fault": "There is no scenario yet; check it first."}
