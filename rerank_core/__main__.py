"""The command line: compare, lint, check, board, evaluate. Each command is one function over the library.

Exit codes: 0 done and in order; 1 a finding (lint) or a trace that does not hold (check); 2 an
error, one sentence on stderr.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rerank_core.errors import RerankError
from rerank_core.evaluate_command import add_arguments, evaluate
from rerank_core.limits import RETRIEVE_K_DEFAULT, TOP_K_DEFAULT

if TYPE_CHECKING:
    from rerank_core.pipeline import TwoStage
    from rerank_core.records import ModelCard


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.\n")


def parser() -> argparse.ArgumentParser:
    top = _Parser(prog="python -m rerank_core", description="Two ways to rank the same passages.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("compare", help="rank the passages of a file both ways")
    one.add_argument("--query", required=True, metavar="Q")
    one.add_argument("--passages", required=True, metavar="FILE", help=".txt, .jsonl or .csv")
    one.add_argument(
        "--retrieve-k", type=int, default=RETRIEVE_K_DEFAULT, metavar="N",
        help="candidates that the cross-encoder reads (default: %(default)s)",
    )  # fmt: skip
    one.add_argument(
        "--top-k", type=int, default=TOP_K_DEFAULT, metavar="K",
        help="rows handed on and shown (default: %(default)s)",
    )  # fmt: skip
    one.add_argument("--json", action="store_true", help="print the pair score trace instead")
    one.set_defaults(run=compare)

    two = commands.add_parser("lint", help="check a folder of scenarios")
    two.add_argument("folder", metavar="FOLDER")
    two.add_argument("--no-models", action="store_true", help="check form only, in a second")
    two.set_defaults(run=lint)

    three = commands.add_parser("check", help="compute a pair score trace again")
    three.add_argument("trace", metavar="TRACE.json")
    three.set_defaults(run=check)

    four = commands.add_parser("board", help="score all queries of a folder of scenarios")
    four.add_argument("folder", metavar="FOLDER")
    four.add_argument("--out", required=True, metavar="FILE", help="the .json file to write")
    four.set_defaults(run=board)

    five = commands.add_parser(
        "evaluate", help="did reranking help, on judged queries of your own?"
    )
    add_arguments(five)
    five.set_defaults(run=evaluate)
    return top


def compare(args: argparse.Namespace, engine: TwoStage | None) -> int:
    """Two lists side by side and the latency of each stage; with --json the trace."""
    from rerank_core.console import render
    from rerank_core.passages_file import read_passages
    from rerank_core.trace import trace_of

    passages = read_passages(args.passages)
    result = (engine or _engine()).compare(
        args.query, passages, retrieve_k=args.retrieve_k, top_k=args.top_k
    )
    if args.json:
        print(trace_of(result).to_json(), end="")
    else:
        for line in render(result, shutil.get_terminal_size().columns):
            print(line)
    return 0


def lint(args: argparse.Namespace, engine: TwoStage | None) -> int:
    """One line a finding, and a closing line."""
    from rerank_core.lint import lint as findings
    from rerank_core.scenarios import scenario_folders

    n = len(scenario_folders(args.folder))
    found = findings(args.folder, None if args.no_models else engine or _engine())
    for finding in found:
        print(finding)
    errors = sum(finding.level == "error" for finding in found)
    form = " Form only: no expectation was checked." if args.no_models else ""
    print(
        f"{_count(n, 'scenario')}: {_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}.{form}"
    )
    return 1 if errors else 0


def check(args: argparse.Namespace, engine: TwoStage | None) -> int:
    """One line a check, and a closing line that says whether the trace holds."""
    from rerank_core.check import check_trace
    from rerank_core.trace import read_trace

    trace = read_trace(args.trace)
    result = check_trace(trace, engine or _engine(trace.bi_encoder, trace.cross_encoder))
    for line in result.lines:
        print(line)
    print(f"{Path(args.trace).name} {'holds' if result.holds else 'does not hold'}.")
    return 0 if result.holds else 1


def board(args: argparse.Namespace, engine: TwoStage | None) -> int:
    """Score every query's pool once, and write what the models said; progress goes to stderr."""
    from rerank_core.board import board as board_of
    from rerank_core.board import cases_of, write_board
    from rerank_core.scenarios import load_library

    library = load_library(args.folder)
    engine = (engine or _engine()).load().warm()
    cases = []
    for case in cases_of(engine, library, engine.corpus(library.passages)):
        cases.append(case)
        print(f"{len(cases)} of {len(library.queries)}: {case.query_id}", file=sys.stderr)
    made = board_of(cases, library, engine.encoder_card, engine.scorer_card)
    write_board(made, args.out)
    row = made.rows()[:1]
    means = f" Mean nDCG@3 {row[0].before:.3f} before, {row[0].after:.3f} after." if row else ""
    print(f"{args.out}: {_count(len(cases), 'query', 'queries')} at N = {made.n}.{means}")
    return 0


def _engine(*cards: ModelCard) -> TwoStage:
    """The embedded models, or those that a trace names where they are on the allow-list."""
    from rerank_core.models import KNOWN
    from rerank_core.pipeline import TwoStage

    return TwoStage(*(card.name if card.name in KNOWN else None for card in cards))


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def main(argv: Sequence[str] | None = None, engine: TwoStage | None = None) -> int:
    """Run one command; `engine` None means the embedded models, loaded when needed."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without arrows still gets the words
            stream.reconfigure(errors="replace")
    if getattr(args, "json", False) and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # a trace keeps every character
    try:
        code: int = args.run(args, engine)
        sys.stdout.flush()
    except RerankError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except KeyboardInterrupt:
        return 128 + 2
    return code


if __name__ == "__main__":
    sys.exit(main())
