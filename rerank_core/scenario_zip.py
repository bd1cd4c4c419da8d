"""A scenario folder as a zip, out and in. What comes in is a stranger's: bounded, checked, and never put on a disk.

A zip holds one folder with scenario.toml and passages.jsonl; what an operating system adds (__MACOSX, .DS_Store) is
passed over, anything else is a mistake. Refused before anything is unpacked: too many entries, names that lead out of
the folder, links, encryption, the same name twice, sizes or a packing beyond the bounds of limits.py. Sizes are also
counted while unpacking, since a zip may lie about them.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from rerank_core.errors import FileError
from rerank_core.forms import shown
from rerank_core.limits import (
    OWN_CHARS,
    OWN_FILE_BYTES,
    OWN_PASSAGES,
    OWN_QUERIES,
    ZIP_ENTRIES,
    ZIP_RATIO,
    ZIP_TOML_BYTES,
)
from rerank_core.passage_rows import at, decode
from rerank_core.passages_file import parse_passages
from rerank_core.records import Passage
from rerank_core.scenario_files import jsonl_of, toml_of
from rerank_core.scenarios import Library, Scenario, library_mistakes, parse_scenario

TOML, PASSAGES = "scenario.toml", "passages.jsonl"
MOST = {TOML: ZIP_TOML_BYTES, PASSAGES: 2 * OWN_FILE_BYTES}
"""Bytes of each file unpacked; the passages' twice a visitor's file, since JSON spells some characters out."""
MADE = (1980, 1, 1, 0, 0, 0)
"""Every entry's date, the earliest that a zip can hold: the same scenario is the same bytes."""
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises over a damaged zip (NotImplementedError is a RuntimeError)."""
WHY_CHARS = 160
"""Of what zipfile says, which can be as long as a file's name is; the sentence around it is ours."""

HEADER = b"PK\x01\x02"
"""Begins an entry of a zip's directory."""


def write_zip(scenario: Scenario, comments: Sequence[str] = ()) -> bytes:
    """The scenario's folder, zipped; `comments` begin scenario.toml."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            (TOML, toml_of(scenario, comments)),
            (PASSAGES, jsonl_of(scenario.passages)),
        ):
            archive.writestr(_entry(f"{scenario.id}/{name}"), text.encode())
    return out.getvalue()


def read_zip(data: bytes, where: str) -> Scenario:
    """The scenario in a zip, checked as `load_scenario` checks a folder, and that it judges its own passages alone.

    `where` names the zip in messages. Raises FileError with one sentence on the first thing that is wrong.
    """
    if len(data) > OWN_FILE_BYTES:
        raise FileError(
            f"{where} has {len(data):,} bytes, and {OWN_FILE_BYTES:,} are allowed; leave some out."
        )
    try:
        # Before zipfile reads the directory: a crafted one of 5 MB would make 100,000 objects.
        if data.count(HEADER) > 4 * ZIP_ENTRIES:
            raise FileError(_too_many(where, data.count(HEADER)))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            folder, texts = _texts(archive, where)
    except UNREADABLE as error:
        why = " ".join(str(error).split())[:WHY_CHARS]  # zipfile quotes whole headers
        raise FileError(
            f"{where} is not a zip that can be read ({why}); zip the folder anew."
        ) from error
    return _scenario(folder, texts, where)


def _texts(archive: zipfile.ZipFile, where: str) -> tuple[str, dict[str, str]]:
    entries = archive.infolist()
    if len(entries) > ZIP_ENTRIES:
        raise FileError(_too_many(where, len(entries)))
    for entry in entries:
        _check_name(entry, where)
    names = [entry.filename.casefold() for entry in entries]
    for entry, name in zip(entries, names, strict=True):
        if names.count(name) > 1:
            raise FileError(f"{where} holds {shown(entry.filename)} twice; keep one of them.")
    files = [e for e in entries if not e.is_dir() and not _of_the_system(e.filename)]
    folder = _folder(files, where)
    return folder, {e.filename.removeprefix(folder + "/"): _read(archive, e, where) for e in files}


def _check_name(entry: zipfile.ZipInfo, where: str) -> None:
    name = entry.orig_filename
    mode = entry.external_attr >> 16
    path = PurePosixPath(name)
    if "\0" in name:
        raise FileError(
            f"{where} holds a name with a NUL character in it, {shown(name)}; zip the folder anew."
        )
    if path.is_absolute() or "\\" in name or (len(name) > 1 and name[1] == ":"):
        raise FileError(
            f"{where} holds an absolute path or a foreign one, {shown(name)}; zip the folder itself."
        )
    if ".." in path.parts:
        raise FileError(
            f"{where} holds a path that leads out of it, {shown(name)}; zip the folder itself."
        )
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "something that is not a file"
        raise FileError(f"{where} holds {what}, {shown(name)}; zip the files themselves.")
    if entry.flag_bits & 0x1:
        raise FileError(
            f"{where} holds {shown(name)} encrypted; zip the folder without a password."
        )


def _of_the_system(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db")


def _folder(files: Sequence[zipfile.ZipInfo], where: str) -> str:
    """The one folder's name; it holds the two files and nothing else."""
    for entry in files:
        parts = PurePosixPath(entry.filename).parts
        if len(parts) != 2 or parts[1] not in MOST:
            raise FileError(
                f"{where} holds {shown(entry.filename)}; a scenario's zip holds one folder with {TOML} and "
                f"{PASSAGES}, and nothing else."
            )
    folders = {entry.filename.split("/")[0] for entry in files}
    if len(folders) > 1:
        raise FileError(f"{where} holds {len(folders)} folders; a scenario's zip holds one.")
    missing = [name for name in MOST if not any(e.filename.endswith("/" + name) for e in files)]
    if missing:
        raise FileError(
            f"{where} holds no {' and no '.join(missing)}; zip the scenario's whole folder."
        )
    return folders.pop()


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> str:
    name = entry.filename
    most = MOST[name.split("/")[1]]
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(
            f"{where} holds {shown(name)} packed in an uncommon way; zip the folder with deflate."
        )
    if entry.file_size > most:
        raise FileError(
            f"{where}: {shown(name)} unpacks to {entry.file_size:,} bytes, and {most:,} are allowed."
        )
    if entry.file_size > ZIP_RATIO * max(entry.compress_size, 1):
        raise FileError(
            f"{where}: {shown(name)} unpacks to {entry.file_size // max(entry.compress_size, 1):,} times its size, "
            f"and {ZIP_RATIO} times is allowed; a text packs less well."
        )
    with archive.open(entry) as file:
        data = file.read(most + 1)
        if len(data) > most or len(data) != entry.file_size or file.read(1):
            raise FileError(
                f"{where}: {shown(name)} is not the size that it says; zip the folder anew."
            )
    return decode(data, f"{where}, {name}")


def _scenario(folder: str, texts: dict[str, str], where: str) -> Scenario:
    place = f"{where}, {folder}"

    def passages() -> list[Passage]:
        rows = parse_passages(texts[PASSAGES], "jsonl", f"{place}/{PASSAGES}", most=OWN_PASSAGES)
        for line, passage in rows:
            if len(passage.text) > OWN_CHARS:
                raise at(
                    f"{place}/{PASSAGES}", line, f"this passage has {len(passage.text):,} characters, and "
                    f"{OWN_CHARS:,} are read; split or shorten it."
                )  # fmt: skip
        return [row.passage for row in rows]

    scenario = parse_scenario(texts[TOML], folder, f"{place}/{TOML}", passages)
    if len(scenario.queries) > OWN_QUERIES:
        raise FileError(
            f"{place}/{TOML}: {len(scenario.queries)} queries, and {OWN_QUERIES} are allowed; leave some out."
        )
    for _, mistake, message in library_mistakes(Library((scenario,))):
        raise FileError(f"{place}/{TOML}, {mistake}: {message}")
    return scenario


def _too_many(where: str, found: int) -> str:
    return f"{where} holds {found:,} entries, and {ZIP_ENTRIES} are allowed; zip the scenario's folder alone."


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, MADE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
