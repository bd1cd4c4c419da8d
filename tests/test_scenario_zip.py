"""Scenario zips: out and in again the same, and each way in which a stranger's zip could do harm is one sentence."""

from __future__ import annotations

import io
import random
import stat
import struct
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import limits
from rerank_core.errors import FileError
from rerank_core.own_scenario import OwnQuery, OwnWords, own_scenario, with_ids_of_its_own
from rerank_core.records import Passage
from rerank_core.scenario_files import toml_of
from rerank_core.scenario_zip import MADE, read_zip, write_zip
from rerank_core.scenarios import Expect, Scenario, load_library, load_scenario

SCENARIOS = Path(__file__).parents[1] / "scenarios"
TOML = """
id = "tiny"
title = "Tiny"
slice = "own"
author_note = "n"
lesson = "l"
[[queries]]
id = "tiny-1"
text = "kettle"
predict = "?"
[queries.relevance]
a = 3
"""
ROWS = '{"doc_id": "a", "text": "boils water"}\n{"doc_id": "b", "text": "toasts bread"}\n'
GOOD = {"tiny/scenario.toml": TOML, "tiny/passages.jsonl": ROWS}


def zipped(
    files: dict[str, str | bytes], change: Callable[[zipfile.ZipInfo], None] | None = None
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(entry)
            archive.writestr(entry, content)
    return out.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(FileError) as raised:
        read_zip(data, "z.zip")
    return str(raised.value)


def some_scenario(title: str = "A kettle", text: str = "boils water") -> Scenario:
    passages = [
        Passage("p0001", text, title="T"),
        Passage("own-id", 'says "hi"\\\n\x7f', source="s"),
    ]
    expect = Expect(first_after=("p0001",), top1_changes=False, lift_at_3_min=-0.05)
    scenario = own_scenario(
        OwnWords(title, "own", "One. *Two.*\n\nThree.", "note"),
        [
            OwnQuery("which kettle", {"p0001": 3, "own-id": 0}, expect),
            OwnQuery("toast", {"own-id": 2}),
        ],
        passages,
    )
    return with_ids_of_its_own(scenario)


def test_out_and_in_is_the_same() -> None:
    scenario = some_scenario()
    assert read_zip(write_zip(scenario), "z") == scenario
    assert scenario.passages[0].doc_id == "a-kettle-p0001", (
        "an id by position gets the scenario's in front"
    )
    assert scenario.queries[0].expect.first_after == ("a-kettle-p0001",)


def test_the_same_scenario_is_the_same_bytes_and_holds_two_files() -> None:
    data = write_zip(some_scenario(), ["checked on\nx"])
    assert data == write_zip(some_scenario(), ["checked on\nx"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["a-kettle/scenario.toml", "a-kettle/passages.jsonl"]
        assert archive.read("a-kettle/scenario.toml").startswith(b"# checked on x\nid = ")


def test_unpacked_it_is_a_folder_of_the_library(tmp_path: Path) -> None:
    scenario = some_scenario()
    with zipfile.ZipFile(io.BytesIO(write_zip(scenario))) as archive:
        archive.extractall(tmp_path)
    assert load_scenario(tmp_path / "a-kettle") == scenario


def test_every_scenario_of_the_library_goes_through_toml_unchanged() -> None:
    for scenario in load_library(SCENARIOS).scenarios:
        source = tomllib.loads((SCENARIOS / scenario.id / "scenario.toml").read_text("utf-8"))
        again = tomllib.loads(toml_of(scenario))
        for data in (source, again):
            for query in data["queries"]:
                if query.get("slice") == data["slice"]:
                    del query["slice"]
        stripped = {k: v.strip() if isinstance(v, str) else v for k, v in source.items()}
        assert again.keys() == stripped.keys()
        assert [q["id"] for q in again["queries"]] == [q["id"] for q in stripped["queries"]]


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
    ),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
    ),
)
def test_any_title_and_text_come_back(title: str, text: str) -> None:
    if not title.strip() or not text.strip():
        return
    scenario = some_scenario(title, text.strip())
    assert read_zip(write_zip(scenario), "z") == scenario


def test_what_an_operating_system_adds_is_passed_over() -> None:
    more = {**GOOD, "tiny/.DS_Store": b"\0\1", "__MACOSX/tiny/._scenario.toml": b"\0", "tiny/": ""}
    assert read_zip(zipped(more), "z").id == "tiny"


def encrypted(entry: zipfile.ZipInfo) -> None:
    entry.flag_bits |= 0x1


def linked(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def a_pipe(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFIFO | 0o644) << 16


@pytest.mark.parametrize(
    ("files", "change", "sentence"),
    [
        ({"/etc/passwd": "x"}, None,
         "z.zip holds an absolute path or a foreign one, '/etc/passwd'; zip the folder itself."),
        ({"C:/x/scenario.toml": "x"}, None,
         "z.zip holds an absolute path or a foreign one, 'C:/x/scenario.toml'; zip the folder itself."),
        ({"a\\scenario.toml": "x"}, None,
         "z.zip holds an absolute path or a foreign one, 'a\\\\scenario.toml'; zip the folder itself."),
        ({"tiny/../../x": "x"}, None,
         "z.zip holds a path that leads out of it, 'tiny/../../x'; zip the folder itself."),
        (GOOD, linked, "z.zip holds a symbolic link, 'tiny/scenario.toml'; zip the files themselves."),
        (GOOD, a_pipe, "z.zip holds something that is not a file, 'tiny/scenario.toml'; zip the files themselves."),
        ({**GOOD, "tiny/notes.txt": "x"}, None,
         "z.zip holds 'tiny/notes.txt'; a scenario's zip holds one folder with scenario.toml and passages.jsonl, "
         "and nothing else."),
        ({"scenario.toml": TOML, "passages.jsonl": ROWS}, None,
         "z.zip holds 'scenario.toml'; a scenario's zip holds one folder with scenario.toml and passages.jsonl, "
         "and nothing else."),
        ({**GOOD, "more/scenario.toml": TOML}, None, "z.zip holds 2 folders; a scenario's zip holds one."),
        ({"tiny/scenario.toml": TOML}, None, "z.zip holds no passages.jsonl; zip the scenario's whole folder."),
        ({}, None, "z.zip holds no scenario.toml and no passages.jsonl; zip the scenario's whole folder."),
        ({f"tiny/{i}": "x" for i in range(17)}, None,
         "z.zip holds 17 entries, and 16 are allowed; zip the scenario's folder alone."),
        ({f"tiny/{i}": "x" for i in range(300)}, None,
         "z.zip holds 300 entries, and 16 are allowed; zip the scenario's folder alone."),
        ({"Tiny/scenario.toml": TOML, "tiny/scenario.toml": TOML}, None,
         "z.zip holds 'Tiny/scenario.toml' twice; keep one of them."),
        ({**GOOD, "tiny/scenario.toml": "#" * 600_000}, None,
         "z.zip: 'tiny/scenario.toml' unpacks to 600,000 bytes, and 524,288 are allowed."),
        ({**GOOD, "tiny/scenario.toml": TOML.replace("l\"", 'l" # \xff').encode("latin-1")}, None,
         "z.zip, tiny/scenario.toml, line 6: byte 0xff is not UTF-8; save the file as UTF-8."),
        ({**GOOD, "tiny/scenario.toml": "x = " + "[" * 5_000}, None,
         "z.zip, tiny/scenario.toml: brackets within brackets without end; mend it."),
        ({"other/scenario.toml": TOML, "other/passages.jsonl": ROWS}, None,
         "z.zip, other/scenario.toml, id: found 'tiny', but the folder is named 'other'; make both the same."),
        ({**GOOD, "tiny/scenario.toml": TOML.replace("a = 3", "z = 3")}, None,
         "z.zip, tiny/scenario.toml, tiny-1.relevance: no passage has the doc_id 'z'; mend it or remove it."),
        ({**GOOD, "tiny/passages.jsonl": '{"text": "' + "x " * 1_500 + 'x"}'}, None,
         "z.zip, tiny/passages.jsonl, line 1: this passage has 3,001 characters, and 2,000 are read; split or "
         "shorten it."),
        ({**GOOD, "tiny/passages.jsonl": '{"text": 1}'}, None,
         "z.zip, tiny/passages.jsonl, line 1: `text` is 1; it must be a string in quotes."),
        ({**GOOD, "tiny/scenario.toml": TOML + "".join(
            f'[[queries]]\nid = "q-{i}"\ntext = "t"\npredict = "?"\n' for i in range(20))}, None,
         "z.zip, tiny/scenario.toml: 21 queries, and 20 are allowed; leave some out."),
    ],
)  # fmt: skip
def test_each_danger_and_mistake_is_one_sentence(
    files: dict[str, str | bytes], change: Callable[[zipfile.ZipInfo], None] | None, sentence: str
) -> None:
    assert refused(zipped(files, change)) == sentence


def test_an_encrypted_entry() -> None:
    data = bytearray(zipped(GOOD))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert refused(bytes(data)) == (
        "z.zip holds 'tiny/scenario.toml' encrypted; zip the folder without a password."
    )


def test_the_same_name_twice() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tiny/scenario.toml", TOML)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("tiny/scenario.toml", TOML)
    assert refused(out.getvalue()) == "z.zip holds 'tiny/scenario.toml' twice; keep one of them."


def test_a_name_with_a_nul_in_it() -> None:
    data = zipped({"tiny/scenario.tomlX.exe": TOML}).replace(b"tomlX", b"toml\0")
    assert refused(data) == (
        "z.zip holds a name with a NUL character in it, 'tiny/scenario.toml\\x00.exe'; zip the folder anew."
    )


def test_a_bomb_is_not_unpacked() -> None:
    data = zipped({**GOOD, "tiny/passages.jsonl": b" " * 9_000_000})
    assert len(data) < 20_000
    assert refused(data).startswith("z.zip: 'tiny/passages.jsonl' unpacks to 1,0")
    assert refused(data).endswith(
        "times its size, and 200 times is allowed; a text packs less well."
    )


def test_a_file_that_lies_about_its_size_is_read_no_further_than_it_said() -> None:
    data = bytearray(zipped(GOOD))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    assert refused(bytes(data)).startswith(
        ("z.zip is not a zip that can be read", "z.zip: 'tiny/scenario.toml' is not")
    )


def test_a_packing_that_is_not_deflate() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in GOOD.items():
            archive.writestr(name, content)
    assert refused(out.getvalue()) == (
        "z.zip holds 'tiny/scenario.toml' packed in an uncommon way; zip the folder with deflate."
    )


def test_too_many_bytes_and_no_zip_at_all() -> None:
    assert refused(b"x" * (limits.OWN_FILE_BYTES + 1)) == (
        "z.zip has 5,242,881 bytes, and 5,242,880 are allowed; leave some out."
    )
    assert refused(b"hello") == (
        "z.zip is not a zip that can be read (File is not a zip file); zip the folder anew."
    )


def test_a_directory_of_a_hundred_thousand_entries_is_not_even_parsed() -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", *[0] * 18) + b"x"
    data = entry * 90_000 + b"PK\x05\x06" + bytes(18)
    assert "90,000 entries" in refused(data)


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_damaged_zip_is_one_sentence_or_still_right(seed: int, hits: int) -> None:
    rng = random.Random(seed)
    data = bytearray(zipped(GOOD))
    for _ in range(hits):
        data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    try:
        said = read_zip(bytes(data), "z").id
    except FileError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    assert len(said) < 600
