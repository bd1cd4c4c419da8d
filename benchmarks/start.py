"""Where the seconds of a start go: the page up, the models loaded, the library's vectors there.

    python -m benchmarks.start          # when nothing else runs; about two minutes

Starts `app.py` ROUNDS times with an empty cache folder and ROUNDS times with a full one, each in a process of its
own, and notes when each line of its output came. A last process says which imports take longest. What is left out:
the very first start after an installation, in which Python compiles what it imports, and the disk's own cache, which
is warm here. Writes a section of benchmarks/RESULTS.md.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.report import write_section
from rerank_core.trace import this_environment

ROOT = Path(__file__).parents[1]
ROUNDS, LIMIT_S, IMPORTS = 3, 120, 8
MARKS = {
    "page up": "The page is at",
    "models loaded": "models loaded in",
    "vectors there": "passages indexed in",
}
OWN = re.compile(r"import time:\s+\d+ \|\s+(\d+) \|( *)(\S+)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one_start(cache: Path) -> dict[str, float]:
    """Seconds from the process's start to each of MARKS."""
    env = {**os.environ, "RERANK_CACHE": str(cache), "RERANK_PORT": str(free_port())}
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    found: dict[str, float] = {}
    try:
        assert process.stdout is not None
        for line in process.stdout:
            now = perf_counter() - started
            found |= {name: now for name, words in MARKS.items() if words in line}
            if len(found) == len(MARKS) or now > LIMIT_S:
                break
    finally:
        process.terminate()
        process.wait(20)
    if len(found) < len(MARKS):
        raise SystemExit(f"app.py ended, or took over {LIMIT_S} s, after {sorted(found)}.")
    return found


def heaviest_imports() -> list[tuple[str, float]]:
    """Milliseconds of the imports that take longest, with what they import themselves; outermost packages only."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import app"], cwd=ROOT, text=True, capture_output=True,
        check=True,
    )  # fmt: skip
    total: dict[str, float] = {}
    for line in done.stderr.splitlines():
        if match := OWN.match(line):
            package = match[3].split(".")[0]
            total[package] = max(total.get(package, 0.0), int(match[1]) / 1000)
    return sorted(total.items(), key=lambda item: -item[1])[:IMPORTS]


def main() -> None:
    rows = []
    for kind in ("nothing kept", "vectors kept"):
        runs = []
        with tempfile.TemporaryDirectory() as folder:
            if kind == "vectors kept":
                one_start(Path(folder))
            for turn in range(ROUNDS):
                place = Path(folder) / (str(turn) if kind == "nothing kept" else "")
                runs.append(one_start(place))
        cells = []
        for name in MARKS:
            times = [run[name] for run in runs]
            cells.append(f"{statistics.median(times):.1f} s ({min(times):.1f} to {max(times):.1f})")
        rows.append(f"| {kind} | " + " | ".join(cells) + " |")
        print(rows[-1], flush=True)
    here = this_environment()
    lines = [
        f"Seconds from the start of the process, median of {ROUNDS} (least to most), {os.cpu_count()} cores, Python "
        f"{here.python}. The models load once the page is up.",
        "",
        "| | " + " | ".join(MARKS) + " |",
        "|---|" + "---|" * len(MARKS),
        *rows,
        "",
        "The imports of `app.py` that take longest, each with all that it imports (so they do not add up):",
        "",
        "| package | ms |",
        "|---|---|",
        *(f"| {name} | {ms:,.0f} |" for name, ms in heaviest_imports()),
    ]
    write_section("Start", lines)


if __name__ == "__main__":
    main()
