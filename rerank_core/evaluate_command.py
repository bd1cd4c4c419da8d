"""`python -m rerank_core evaluate`: files in, progress on stderr, a report on stdout and as JSON.

Thin: which first stage the arguments mean, where things are kept, and what is said meanwhile.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rerank_core.cache_folder import cache_bytes, cache_folder, make_room
from rerank_core.errors import FileError, InputError
from rerank_core.judged import RELEVANT_FROM
from rerank_core.limits import EVALUATE_RETRIEVE_K, EVALUATE_TOP_K
from rerank_core.progress_line import ProgressLine

if TYPE_CHECKING:
    from rerank_core.evaluate_inputs import Given
    from rerank_core.evaluation import Plan
    from rerank_core.first_stage import FirstStage
    from rerank_core.kept_scores import KeptScores
    from rerank_core.pipeline import TwoStage
    from rerank_core.records import ModelCard
    from rerank_core.report import Index, Report

EMBEDDED = "embedded"


def add_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "folder", metavar="FOLDER",
        help="a BEIR folder, or a .jsonl file with query, passages and grades a line",
    )  # fmt: skip
    one.add_argument(
        "--run", dest="run_file", metavar="FILE",
        help="a TREC run over the folder's corpus, instead of the bi-encoder",
    )  # fmt: skip
    one.add_argument(
        "--retrieve-k", type=int, default=EVALUATE_RETRIEVE_K, metavar="N",
        help="candidates that the cross-encoder reads (default: %(default)s)",
    )  # fmt: skip
    one.add_argument(
        "--top-k", type=int, default=EVALUATE_TOP_K, metavar="K",
        help="rows handed on: the depth of recall@K (default: %(default)s)",
    )  # fmt: skip
    one.add_argument(
        "--relevant", type=int, default=RELEVANT_FROM, metavar="G",
        help="the lowest grade that counts as relevant (default: %(default)s)",
    )  # fmt: skip
    one.add_argument("--limit", type=int, metavar="N", help="only the first N judged queries")
    one.add_argument("--json", dest="out", metavar="OUT", help="write the report here, too")
    for kind in ("bi-encoder", "cross-encoder"):
        one.add_argument(
            f"--{kind}", default=EMBEDDED, metavar="M",
            help="embedded, a name on the list, or a folder (default: %(default)s)",
        )  # fmt: skip
    one.add_argument("--cache", metavar="DIR", help="where vectors and scores are kept")
    one.add_argument("--fresh", action="store_true", help="score every query anew")


def evaluate(args: argparse.Namespace, engine: TwoStage | None) -> int:
    """Read, encode, score, print; goes on where an earlier run with the same inputs, models and N was cut."""
    from rerank_core.evaluate_inputs import read_inputs
    from rerank_core.evaluation import Plan
    from rerank_core.report_file import write_report
    from rerank_core.report_text import render

    plan = Plan(args.retrieve_k, args.top_k, args.relevant)
    if args.out:
        _check_place(Path(args.out))
    folder, most = cache_folder(args.cache), cache_bytes()
    _say(f"Reading {args.folder} ...")
    given = read_inputs(args.folder, args.run_file, args.limit)
    report = _evaluate(args, plan, given, engine or _engine(args, given), folder, most)
    if args.out:
        write_report(report, args.out)
        _say(f"{args.out}: the report as JSON.")
    for line in render(report, shutil.get_terminal_size().columns):
        print(line)
    return 0


def _evaluate(
    args: argparse.Namespace,
    plan: Plan,
    given: Given,
    engine: TwoStage,
    folder: Path,
    most: int,
) -> Report:
    from rerank_core.evaluate_run import evaluate_stage
    from rerank_core.evaluation import Facts
    from rerank_core.kept_scores import KeptScores, key_of

    stage, index = given.stage, None
    if stage is None:
        stage, index = _searched(given, engine, folder, most)
    key = key_of(
        inputs=given.searched,
        bi_encoder=stage.model.model_hash if stage.model else None,
        cross_encoder=engine.scorer_card.scores_hash,
        n=plan.retrieve_k,
    )
    facts = Facts(given.name, given.sha256, given.passages_cut, index)
    kept = KeptScores(folder, key, _say, fresh=args.fresh)
    _say(_resuming(kept, given))
    line = ProgressLine("Scoring queries", sys.stderr)
    try:
        report = evaluate_stage(engine, stage, given.queries, plan, facts, kept, line)
    except KeyboardInterrupt:
        line.close()
        _say(f"Stopped with {len(kept)} queries kept; the same command goes on from there.")
        raise
    finally:
        line.close()
        kept.close()
    make_room(folder, most, 0)
    return _without_folders(report)


def _resuming(kept: KeptScores, given: Given) -> str:
    known = sum(query in kept for query in given.queries)
    if not known:
        return f"Each scored query is kept in {kept.path}: if this run is cut, the same command goes on from there."
    return (
        f"{known:,} of {len(given.queries):,} queries were scored by an earlier run with the same inputs, models and N "
        f"({kept.path}); they are not scored again."
    )


def _searched(given: Given, engine: TwoStage, folder: Path, most: int) -> tuple[FirstStage, Index]:
    from rerank_core.first_stage import Searched, searched_by
    from rerank_core.report import Index
    from rerank_core.stored_corpus import stored_corpus

    assert given.corpus is not None, "without a given first stage there is a corpus"
    engine.load().warm().size_batches()
    line = ProgressLine("Encoding passages", sys.stderr)
    try:
        corpus, cost = stored_corpus(given.corpus, engine.encoder, folder, most, _say, line)
        line.close()
        line = ProgressLine("Building the index", sys.stderr)
        corpus = corpus.indexed(line)
    except KeyboardInterrupt:
        line.close()
        _say("Stopped; the vectors so far are kept, and the same command goes on from there.")
        raise
    finally:
        line.close()
    index = Index(encoded=cost.encoded, kept=cost.kept, ms=cost.ms, **searched_by(corpus))
    return Searched(engine, corpus, given.corpus.row_of), index


def _engine(args: argparse.Namespace, given: Given) -> TwoStage:
    """The models named; no bi-encoder is loaded where the first stage is given."""
    from rerank_core.models import KNOWN, find_known, known_names, load_encoder, load_scorer
    from rerank_core.pipeline import TwoStage

    def known(name: str, kind: str) -> str | None:
        if name == EMBEDDED:
            return None
        if name not in KNOWN:
            raise InputError(
                f"{name!r} is neither a folder nor on the list of models; choose a folder, {EMBEDDED}, or one of "
                f"{', '.join(known_names(kind))}."
            )
        return find_known(name, kind).name

    def is_folder(name: str) -> bool:
        return name not in KNOWN and name != EMBEDDED and Path(name).is_dir()

    bi, cross = (EMBEDDED if given.stage else args.bi_encoder), args.cross_encoder
    return TwoStage(
        load_encoder(bi, allow_any=True) if is_folder(bi) else known(bi, "bi-encoder"),
        load_scorer(cross, allow_any=True) if is_folder(cross) else known(cross, "cross-encoder"),
    )


def _without_folders(report: Report) -> Report:
    """Models that were read from a folder are called by its name: a report travels, a machine's paths do not."""

    def named(name: str) -> str:
        return Path(name).resolve().name if Path(name).is_dir() else name

    def card(of: ModelCard | None) -> ModelCard | None:
        return of and replace(of, name=named(of.name))

    return report.model_copy(
        update={
            "first_stage_name": named(report.first_stage_name),
            "bi_encoder": card(report.bi_encoder),
            "cross_encoder": card(report.cross_encoder),
        }
    )


def _check_place(path: Path) -> None:
    """A place that cannot be written is said before hours of work, not after."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise FileError(f"{path}: not a file in a folder that can be written; give another place.")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
