"""Many visitors at once, through the page's own queue: how long an answer takes, who waits, and what memory it takes.

    python -m benchmarks.visitors                # when nothing else runs; a quarter of an hour
    python -m benchmarks.visitors --queries 0    # without the 10,000 queries: three minutes

Starts `app.py` in a process of its own and does what a browser does with "Just show me": join the queue, read the
stream to its end. Each visitor has opened the page before. All visitors of a case join at the same moment, from one
process on the same cores, so that some of each time is the asking's. No case asks what was asked before, so that its
pairs are read. Writes a section of benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

from benchmarks.report import write_section
from benchmarks.start import MARKS, ROOT, free_port
from rerank_core import load_library
from ui.view import View

AT_ONCE, MANY, ROUNDS, N = (1, 4, 16), 200, 5, 50
LONG_RUN, LONG_N, BESIDE, QUERIES_A_VISITOR = 10_000, 5, 4, 10
"""Queries of the long run, their N, how many are asked at a time, and how many each visitor asks."""
WAITING = b"Waiting for the model to be free"
SUBJECTS = (
    "snake", "lease", "train", "invoice", "sourdough", "battery", "visa", "tide", "planet", "patent", "warranty",
    "jaguar", "vaccine", "river", "keyboard", "mortgage", "festival", "museum", "python", "recipe",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """Seconds to the first sign and to the end; `told`: a wait was announced; `shown`: the list came; the last message,
    read only when nobody waits any more."""

    first_s: float
    end_s: float
    told: bool
    shown: bool
    bytes: int
    last: bytes

    @cached_property
    def view(self) -> dict[str, Any]:
        said = json.loads(self.last.removeprefix(b"data:"))
        if not said["success"]:
            raise SystemExit(f"An answer failed: {str(said)[:300]}")
        return dict(zip(View._fields, said["output"]["data"], strict=True))

    @property
    def refused(self) -> bool:
        """Too much work waited, and one sentence said so."""
        if "The model is busy" in self.view["message"]:
            return True
        if not self.shown:
            raise SystemExit(f"An answer without a list: {str(self.view)[:300]}")
        return False

    @property
    def read(self) -> bool:
        """Pairs were read for this visitor, and not for another who asked the same."""
        stage = str(self.view["costs"]).partition("Cross-encode the pairs")[2].partition("</tr>")[0]
        return ", live" in stage


class Page:
    """A running page, asked as a browser asks it."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid
        self._asked = 0
        config = json.loads(uvloop.run(self._get("/config")))
        parts = {part["id"]: part["props"] for part in config["components"]}
        shown = {props.get("elem_id"): number for number, props in parts.items()}
        (event,) = (
            e for e in config["dependencies"] if [shown["just-show"], "click"] in e["targets"]
        )
        (load,) = (
            e
            for e in config["dependencies"]
            if [t[1] for t in e["targets"]] == ["load"] and len(e["outputs"]) == len(View._fields)
        )
        self._load, self._opened = load["id"], [parts[i].get("value") for i in load["inputs"]]
        self._event, self._given = event["id"], [parts[i].get("value") for i in event["inputs"]]
        order = {parts[i].get("elem_id"): at for at, i in enumerate(event["inputs"])}
        self._scenario, self._query, self._n = (
            order["scenario"],
            order["query"],
            order["retrieve-k"],
        )
        self._ranked = 4  # hidden, so without an id: see explore._wire

    def memory(self) -> tuple[float, float]:
        """Megabytes resident now, and the most so far."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Vm")}
        return int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024

    async def visit(self) -> tuple[str, Answer]:
        """One visitor opens the page: the session, and what the first list took."""
        self._asked += 1
        session = f"visitor{self._asked}"
        return session, await self._event_of(session, self._load, self._opened, "open")

    async def ask(self, session: str, scenario: str, query: str, n: int = N) -> Answer:
        """From the click to the end of the stream."""
        data = list(self._given)
        data[self._scenario], data[self._n] = scenario, n
        data[self._query] = data[self._ranked] = query
        return await self._event_of(session, self._event, data, "revealed")

    async def _event_of(self, session: str, event: int, data: list[Any], state: str) -> Answer:
        start = perf_counter()
        body = json.dumps({"data": data, "fn_index": event, "session_hash": session})
        joined = json.loads(await self._post("/gradio_api/queue/join", body))
        if "event_id" not in joined:
            raise SystemExit(f"The page answered {joined} to a click.")
        reader, writer = await self._open(
            f"GET /gradio_api/queue/data?session_hash={session} HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        first, told, shown, size = 0.0, False, False, 0
        while line := await reader.readline():
            size += len(line)
            if not line.startswith(b"data:"):
                continue
            first = first or perf_counter() - start
            told = told or WAITING in line
            shown = shown or f'data-state=\\"{state}\\"'.encode() in line
            if b'"process_completed"' in line:
                break
        end = perf_counter() - start
        writer.close()
        return Answer(first, end, told, shown, size, line)

    async def _open(self, request: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        writer.write(request.encode())
        await writer.drain()
        return reader, writer

    async def _get(self, path: str) -> bytes:
        return await self._whole(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    async def _post(self, path: str, body: str) -> bytes:
        length = len(body.encode())
        return await self._whole(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n{body}"
        )

    async def _whole(self, request: str) -> bytes:
        reader, writer = await self._open(request)
        answer = await reader.read()
        writer.close()
        return answer.partition(b"\r\n\r\n")[2]


@contextmanager
def running() -> Iterator[Page]:
    """A page with nothing kept, all loaded."""
    with tempfile.TemporaryDirectory() as cache:
        port = free_port()
        env = {**os.environ, "RERANK_CACHE": cache, "RERANK_PORT": str(port), "HF_HUB_OFFLINE": "1"}
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            if not any(MARKS["vectors there"] in line for line in process.stdout):
                raise SystemExit("app.py ended before its vectors were there.")
            yield Page(port, process.pid)
        finally:
            process.terminate()
            process.wait(20)


async def opened(page: Page, count: int) -> tuple[list[str], list[Answer]]:
    """So many visitors open the page at once: their sessions, and what the first lists took."""
    found = await asyncio.gather(*(page.visit() for _ in range(count)))
    return [session for session, _ in found], [answer for _, answer in found]


async def at_once(page: Page, scenario: str, queries: Sequence[str], n: int = N) -> list[Answer]:
    """A visitor a query, who all have the page open and click in the same moment."""
    sessions, _ = await opened(page, len(queries))
    return list(
        await asyncio.gather(
            *(page.ask(s, scenario, query, n) for s, query in zip(sessions, queries, strict=True))
        )
    )


async def few_at_once(page: Page, queries: Sequence[str], n: int, beside: int) -> None:
    """All of them, so many visitors at a time."""
    left = iter(queries)

    async def one() -> None:
        for turn, query in enumerate(left):
            if turn % QUERIES_A_VISITOR == 0:
                session, _ = await page.visit()
            await page.ask(session, "python-pet-care", query, n)

    await asyncio.gather(*(one() for _ in range(beside)))


def typed(count: int, turn: str) -> list[str]:
    """Queries that nobody asked before."""
    return [f"{turn} {i}: how long does a {SUBJECTS[i % len(SUBJECTS)]} last" for i in range(count)]


def quartiles(answers: Sequence[Answer]) -> str:
    ends = sorted(a.end_s for a in answers)
    return f"{ends[0]:.2f} | {statistics.median(ends):.2f} | {ends[-1]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=LONG_RUN, help="of the long run")
    options = parser.parse_args()
    written = load_library(ROOT / "scenarios").queries
    lines = [
        f"The page in a process of its own, N = {N}, the asking on the same cores. Seconds from the click to the last "
        "byte: the first visitor to have an answer, the median, the last.",
        "",
        "| visitors at once | first | median | last | read for | told to wait | refused |",
        "|---|---|---|---|---|---|---|",
    ]

    def row(name: str, answers: Sequence[Answer]) -> None:
        counts = [sum(getattr(a, what) for a in answers) for what in ("read", "told", "refused")]
        kept = [a for a in answers if not a.refused]
        lines.append(f"| {name} | {quartiles(kept)} | {' | '.join(map(str, counts))} |")
        print(lines[-1], flush=True)

    with running() as page:
        uvloop.run(at_once(page, "python-pet-care", ["the first answer is slower"]))
        rest = page.memory()[0]
        for count in AT_ONCE:
            rounds = [
                uvloop.run(
                    at_once(page, "python-pet-care", typed(count, f"{count} at once, {turn}"))
                )
                for turn in range(ROUNDS)
            ]
            row(
                f"{count}, different queries, {ROUNDS} times",
                [a for answers in rounds for a in answers],
            )
        row(f"{MANY} open the page", uvloop.run(opened(page, MANY))[1])
        for turn, query in enumerate(written[1:4]):
            answers = uvloop.run(at_once(page, query.id.rpartition("-")[0], [query.text] * MANY))
            row(f"{MANY}, one written query ({turn + 1} of 3)", answers)
            size = statistics.median(a.bytes for a in answers)
        row(
            f"{MANY}, different queries",
            uvloop.run(at_once(page, "python-pet-care", typed(MANY, "many"))),
        )
        crowd, most = page.memory()
        lines += [
            "",
            f"An answer is {size / 1024:.0f} KB. Memory: {rest:.0f} MB at rest after one query, {crowd:.0f} MB after "
            f"these, {most:.0f} MB at the most.",
        ]
        if options.queries:
            uvloop.run(few_at_once(page, typed(options.queries, "long"), LONG_N, BESIDE))
            crowd, most = page.memory()
            lines[-1] += (
                f" After {options.queries:,} different queries at N = {LONG_N}, {BESIDE} at a time: {crowd:.0f} MB, "
                f"{most:.0f} MB at the most."
            )
    lines += [
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
    ]
    print("\n".join(lines))
    if options.queries == LONG_RUN:
        write_section("Many visitors", lines)


if __name__ == "__main__":
    main()
