"""What is to be evaluated, from the files that a command line names: judged queries and where candidates come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rerank_core.beir import read_beir
from rerank_core.corpus_file import CorpusFile
from rerank_core.errors import InputError
from rerank_core.first_stage import FirstStage, FromLists, FromRun
from rerank_core.judged import JudgedQuery
from rerank_core.lists_file import ListsFile
from rerank_core.trec_run import TrecRun


@dataclass(frozen=True)
class Given:
    """Exactly one of `stage`, a first stage that is given, and `corpus`, which is to be searched.

    `sha256` is of all files, `searched` of those that decide what the models say: not of the judgements.
    """

    name: str
    queries: Sequence[JudgedQuery]
    sha256: str
    searched: str
    passages_cut: int
    corpus: CorpusFile | None = None
    stage: FirstStage | None = None


def read_inputs(path: Path | str, run: Path | str | None = None, limit: int | None = None) -> Given:
    """A BEIR folder, with or without a run file, or a file of lists; the first `limit` judged queries.

    Raises FileError naming file, line and fix, InputError for arguments that do not go together.
    """
    path = Path(path)
    if limit is not None and limit < 1:
        raise InputError(f"The limit is a whole number of at least 1, not {limit}.")
    if path.is_file():
        if run:
            raise InputError(
                f"A run goes with a BEIR folder, and {path} is a file; give one of them."
            )
        lists = ListsFile(path)
        return Given(
            path.name, lists.queries[:limit], lists.sha256, lists.texts_sha256, lists.cut,
            stage=FromLists(lists),
        )  # fmt: skip
    beir = read_beir(path)
    queries, corpus = beir.queries[:limit], beir.corpus
    if not run:
        return Given(beir.name, queries, beir.sha256, corpus.sha256, corpus.cut, corpus=corpus)
    ranked = TrecRun(run, corpus, [q.query_id for q in queries])
    return Given(
        beir.name,
        queries,
        hashlib.sha256(f"{beir.sha256} {ranked.sha256}".encode()).hexdigest(),
        f"{corpus.sha256} {ranked.sha256}",
        corpus.cut,
        stage=FromRun(ranked, corpus),
    )
