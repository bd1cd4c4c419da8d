"""A public model's files, fetched because a person asked: progress, a way to stop, and an end where nothing moves.

The work is done by a process of its own (hub_child.py), so that this one stays offline and can end it at any time.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import IO, Any

from rerank_core.errors import RerankError
from rerank_core.limits import HEARTBEAT_S, HUB_STALL_S
from rerank_core.models import Known

OnBytes = Callable[[int, int], None]
END_S = 5.0
"""How long a process that was told to end may take to tidy up before it is killed."""

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""What keeps this process off the network, and is not handed on to the one that fetches."""


def download(known: Known, progress: OnBytes, stall_s: float = HUB_STALL_S) -> None:
    """Fetch the model's files into the hub's cache; files that are there already are not fetched again.

    `progress(done, total)`, in bytes, is called at least every HEARTBEAT_S (0, 0 at first); whatever it raises ends
    the download and is raised here. Raises RerankError in one sentence where the hub cannot be reached, has not sent
    a byte for `stall_s` seconds, or the files are too large or not safetensors.
    """
    process = _start(known)
    lines: queue.Queue[list[Any] | None] = queue.Queue()
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    done, total, moved = 0, 0, monotonic()
    try:
        while True:
            progress(done, total)
            try:
                said = lines.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                if monotonic() - moved > stall_s:
                    raise RerankError(
                        f"The hub has sent nothing of {known.name} for {stall_s:.0f} s; try again, or choose the "
                        "embedded model."
                    ) from None
                continue
            match said:
                case [int() as done, int() as total]:
                    moved = monotonic()
                case ["ok"]:
                    return
                case ["error", str() as sentence]:
                    raise RerankError(sentence)
                case _:
                    raise RerankError(
                        f"Fetching {known.name} ended early; the server's log says why. Ask again, or choose the "
                        "embedded model."
                    )
    finally:
        _end(process, reader)


def _start(known: Known) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if name not in OFFLINE}
    here = str(Path(__file__).parents[1])
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (here, env.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-m", "rerank_core.hub_child", known.name, known.revision or ""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=env,
    )  # fmt: skip


def _read(stdout: IO[str], lines: queue.Queue[list[Any] | None]) -> None:
    try:
        for line in stdout:
            lines.put(json.loads(line))
    except ValueError:  # not a line of ours
        pass
    lines.put(None)


def _end(process: subprocess.Popen[str], reader: threading.Thread) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()  # it tidies up and ends
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    reader.join()  # an ended process has closed its end
    process.stdout.close()
