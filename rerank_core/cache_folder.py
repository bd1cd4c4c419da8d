"""Where evaluations keep what was computed: a folder of the user's, with a bound on its size.

    vectors/<model>/<name>.keys and .f32    vectors of passages (vectors_cache.py)
    scores/<key>.jsonl                      what the models said of queries (kept_scores.py)

It holds hashes, ids and numbers, no texts. The folder is the one given, else RERANK_CACHE, else rerank_core in
XDG_CACHE_HOME (https://specifications.freedesktop.org/basedir-spec/), else ~/.cache/rerank_core. RERANK_CACHE_GB
changes the bound. Deleting the folder loses nothing but time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rerank_core.errors import FileError, InputError
from rerank_core.limits import CACHE_GB

FOLDER, BOUND = "RERANK_CACHE", "RERANK_CACHE_GB"


def cache_folder(given: Path | str | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """The folder, made where it is missing. Raises FileError where it cannot be written."""
    xdg = env.get("XDG_CACHE_HOME", "")
    named = given or env.get(FOLDER)
    if named:
        folder = Path(named)
    elif Path(xdg).is_absolute():  # a relative one is to be ignored, says the specification
        folder = Path(xdg) / "rerank_core"
    else:
        folder = Path("~/.cache/rerank_core").expanduser()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"{folder} may not be written; choose another with --cache or {FOLDER}.")
    return folder


def cache_bytes(env: Mapping[str, str] = os.environ) -> int:
    """How many bytes the folder may hold. Raises InputError for a RERANK_CACHE_GB that is no number above 0."""
    value = env.get(BOUND, str(CACHE_GB))
    try:
        size = float(value)
    except ValueError:
        size = 0.0
    if not 0 < size < 1e6:
        raise InputError(f"{BOUND} is a number of gigabytes above 0, such as 4, not {value!r}.")
    return int(size * 2**30)


def make_room(folder: Path, most: int, needed: int, in_use: Collection[Path] = ()) -> int:
    """Delete what was used longest ago until `needed` more bytes fit into `most`; the bytes deleted.

    Files named in `in_use` stay. Raises InputError where `needed` and they are more than `most`.
    """
    used = {path.resolve() for path in in_use}
    kept = list(_kept(folder))
    staying = sum(item.size for item in kept if used & item.paths)
    if needed + staying > most:
        raise InputError(
            f"The cache would hold {(needed + staying) / 2**30:.2f} GB, more than the {most / 2**30:.2f} GB that it "
            f"may; set {BOUND} higher, or evaluate fewer passages."
        )
    total, gone = sum(item.size for item in kept), 0
    for item in sorted(kept, key=lambda item: item.age):
        if total - gone + needed <= most:
            break
        if not used & item.paths:
            for path in item.paths:
                path.unlink(missing_ok=True)
            gone += item.size
    return gone


def touch(path: Path) -> None:
    """Note that a file was used now."""
    with contextlib.suppress(OSError):  # another's folder: read, but not ours to mark
        os.utime(path)


def writing(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Turns what the system says of a file that cannot be written into a FileError."""
    return _Writing(folder)


class _Writing(contextlib.AbstractContextManager[None]):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError):
            raise _unwritable(self._folder, error) from error


def _unwritable(folder: Path, error: OSError) -> FileError:
    return FileError(
        f"{folder} cannot be written ({error.strerror or error}); choose another with --cache or {FOLDER}."
    )


@dataclass(frozen=True)
class _Kept:
    """What is deleted together; `age` is when it was used last, in seconds of the system's clock."""

    age: float
    size: int
    paths: frozenset[Path]


def _kept(folder: Path) -> Iterator[_Kept]:
    """Only files that this project makes, so that a folder named by mistake loses nothing."""
    stems: dict[Path, list[Path]] = {}
    for pattern in ("vectors/*/*.keys", "vectors/*/*.f32", "scores/*.jsonl"):
        for path in folder.glob(pattern):
            stems.setdefault(path.with_suffix(""), []).append(path.resolve())
    for paths in stems.values():
        with contextlib.suppress(FileNotFoundError):  # another run made room just now
            stats = [path.stat() for path in paths]
            age, size = max(s.st_mtime for s in stats), sum(s.st_size for s in stats)
            yield _Kept(age, size, frozenset(paths))
