"""Fetches one public model, in a process of its own: `python -m rerank_core.hub_child NAME REVISION`.

The page's own process stays offline for its whole life (HF_HUB_OFFLINE is read once, when huggingface_hub is
imported); a download that a person asked for happens here, and ends with this process. Says on stdout, a JSON array a
line, [done, total] in bytes, and last ["ok"] or ["error", sentence]. Ends when its standard input does, so that no
download outlives the page that asked for it. Left out: who asks (hub_download.py) and which files (hub.py).
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from rerank_core.errors import RerankError
from rerank_core.hub import HUB_FILES, unreachable
from rerank_core.limits import HUB_DISK_LEFT_BYTES, HUB_MODEL_BYTES, HUB_TIMEOUT_S

MIB = 1024 * 1024
_saying = threading.Lock()


def say(*words: Any) -> None:
    """One line for the process that asked."""
    with _saying:
        print(json.dumps(words), flush=True)


def fetch_files(name: str, revision: str | None) -> None:
    """The model's files into the hub's cache. Raises RerankError in one sentence."""
    from huggingface_hub import model_info, snapshot_download
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    info = model_info(name, revision=revision, timeout=HUB_TIMEOUT_S, files_metadata=True)
    siblings = info.siblings or []
    wanted = {s.rfilename for s in siblings if any(fnmatch(s.rfilename, p) for p in HUB_FILES)}
    total = sum(s.size or 0 for s in siblings if s.rfilename in wanted)
    check_files(name, wanted, total)
    say(0, total)

    class Bytes(tqdm):  # type: ignore[misc]
        """Counts bytes for `say`, and draws nothing: of the bars that count bytes the furthest is believed."""

        furthest = 0

        def __init__(self, *args: Any, **options: Any) -> None:
            self._bytes = options.get("unit") == "B"
            super().__init__(*args, **{**options, "file": io.StringIO(), "mininterval": 3600})

        def update(self, n: float | None = 1) -> Any:
            drawn = super().update(n)
            if self._bytes and self.n - Bytes.furthest >= MIB // 4:
                Bytes.furthest = int(self.n)
                say(min(Bytes.furthest, total), total)
            return drawn

    snapshot_download(
        name, revision=revision, allow_patterns=HUB_FILES, tqdm_class=Bytes,
        etag_timeout=HUB_TIMEOUT_S,
    )  # fmt: skip
    say(total, total)


def check_files(name: str, wanted: set[str], total: int) -> None:
    """Weights that are safe to open, of a size that is fetched, and room for them; RerankError otherwise."""
    from huggingface_hub import constants

    if not any(file.endswith(".safetensors") for file in wanted):
        raise RerankError(
            f"{name} publishes no safetensors weights, and no others are opened; choose another model."
        )
    if total > HUB_MODEL_BYTES:
        raise RerankError(
            f"{name} has {total // MIB:,} MiB of files, and at most {HUB_MODEL_BYTES // MIB:,} are fetched; "
            "choose a smaller model."
        )
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < total + HUB_DISK_LEFT_BYTES:
        raise RerankError(
            f"{name} has {total // MIB:,} MiB of files and the disk {free // MIB:,} MiB left, of which "
            f"{HUB_DISK_LEFT_BYTES // MIB:,} stay free; make room, or choose a smaller model."
        )


def _end_with_the_asker() -> None:
    sys.stdin.read()
    for half in _halves():
        half.unlink(missing_ok=True)
    os._exit(1)


def _halves() -> list[Path]:
    """Files half fetched that this process holds open, where the system can tell; nothing goes on with one."""
    found: list[Path] = []
    for link in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            found.append(Path(os.readlink(link)))  # noqa: PTH115 - the name as it is, deleted or not
    return [path for path in found if path.suffix == ".incomplete"]


def main(argv: list[str]) -> int:
    """Fetch, and say how it went; 0 where it went well."""
    name, revision = argv[0], argv[1] or None
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    try:
        fetch_files(name, revision)
    except RerankError as error:
        say("error", str(error))
        return 1
    except Exception as error:  # the client raises its own, httpx's and the system's errors
        first = (str(error).splitlines() or [""])[0]
        print(f"{name}: {type(error).__name__}: {first}", file=sys.stderr)
        say("error", str(unreachable(name, error)))
        return 1
    say("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
