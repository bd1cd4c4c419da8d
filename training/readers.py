"""Every data set as examples: a query, passages of 20-90 words, a grade for each (2, 1 or 0).

Passages that a source itself offers as wrong (another paragraph, another answer on the same focus) come
along with grade 0; mined ones are added by ``negatives.py``. Left out: measuring-only sets (see
``evaluate.py``), splitting, and any mixing. Sentences stay where they are: nothing is written.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_DATA = "../shared/data"
OWN_CONTRAST = Path(__file__).parent / "contrast"
WINDOW_WORDS = 80
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")


@dataclass(frozen=True)
class Example:
    """``pool`` names the texts among which further negatives may be looked for (e.g. one article)."""

    source: str
    query: str
    passages: tuple[str, ...]
    grades: tuple[int, ...]
    answers: tuple[str, ...] = ()
    pool: str = ""


@dataclass(frozen=True)
class Group:
    """A contrast group: close passages, and queries whose right answers differ among them."""

    group_id: str
    slice: str
    domain: str
    passages: tuple[str, ...]
    queries: tuple[tuple[str, dict[int, int]], ...]

    @property
    def own(self) -> bool:
        """Whether it is one of ``training/contrast/``, not of the data folder."""
        return self.group_id.startswith("own-")


def data_folder(option: str | None = None) -> Path:
    """--data, else RERANK_DATA, else ../shared/data; ends with one sentence when it is absent."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(option or os.environ.get("RERANK_DATA") or root / DEFAULT_DATA)
    if not (folder / "contrast").is_dir():
        raise SystemExit(
            f"The training data is not at {folder}: give its folder with --data or RERANK_DATA. "
            "It is not part of this repository; the weights that it made are."
        )
    return folder


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", help="folder of the data sets (default: RERANK_DATA, " + DEFAULT_DATA
    )


def windows(text: str, words: int = WINDOW_WORDS) -> list[str]:
    """Whole sentences, joined up to about ``words`` words.

    >>> windows("One two. Three four. Five.", words=4)
    ['One two. Three four.', 'Five.']
    """
    out: list[str] = []
    for sentence in SENTENCE_END.split(" ".join(text.split())):
        if out and len(out[-1].split()) + len(sentence.split()) <= words:
            out[-1] += " " + sentence
        else:
            out.append(sentence)
    return out


def contrast(data: Path, own: Path | None = OWN_CONTRAST) -> list[Group]:
    """Groups of the data folder, then our own; ids are "<file>:<line from 0>", own with "own-"."""
    files = [("", f) for f in sorted((data / "contrast").glob("*.jsonl"))]
    files += [("own-", f) for f in sorted(own.glob("*.jsonl"))] if own else []
    groups = []
    for prefix, file in files:
        for number, line in enumerate(file.read_text("utf-8").splitlines()):
            raw = json.loads(line)
            queries = tuple(
                (query["q"], {int(i): int(grade) for i, grade in query["rel"].items()})
                for query in raw["queries"]
            )
            groups.append(
                Group(f"{prefix}{file.stem}:{number}", raw["slice"], raw.get("domain", ""),
                      tuple(raw["passages"]), queries)
            )  # fmt: skip
    return groups


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def has_answer(text: str, answers: tuple[str, ...]) -> bool:
    """Whether any answer string stands in the text as whole words, case apart."""
    return any(
        re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE) for answer in answers
    )


def squad(data: Path) -> Iterator[Example]:
    """Each question with the windows of its paragraph; unanswerable ones have no window above 0."""
    seen: set[str] = set()
    for version in ("1.1", "2.0"):
        with gzip.open(data / f"squad_dev/dev-v{version}.json.gz", "rt", encoding="utf-8") as file:
            articles = json.load(file)["data"]
        for article in articles:
            for paragraph in article["paragraphs"]:
                texts = tuple(windows(paragraph["context"], 60))
                for qa in paragraph["qas"]:
                    question, answers = qa["question"].strip(), tuple(dict.fromkeys(qa["answers"]))
                    if question in seen:
                        continue
                    seen.add(question)
                    grades = tuple(2 if has_answer(text, answers) else 0 for text in texts)
                    if any(grades) or not answers:
                        source = "squad" if answers else "squad_unanswerable"
                        yield Example(source, question, texts, grades, answers, article["title"])


def squad_sentences(data: Path) -> Iterator[Example]:
    """One right sentence each; the pool is a stretch of 150 lines, mostly of one article."""
    with gzip.open(data / "squad_sentences/src-test.txt.gz", "rt", encoding="utf-8") as file:
        sentences = file.read().splitlines()
    with gzip.open(data / "squad_sentences/tgt-test.txt.gz", "rt", encoding="utf-8") as file:
        questions = file.read().splitlines()
    for i, (sentence, question) in enumerate(zip(sentences, questions, strict=True)):
        if len(sentence.split()) >= 8 and question.strip():
            yield Example("squad_sentences", question.strip(), (sentence.strip(),), (2,),
                          pool=f"s{i // 150}")  # fmt: skip


def nq(data: Path) -> Iterator[Example]:
    for row in _json_lines(data / "nq/nq-open-oracle.jsonl.gz"):
        answers = tuple(row["answers"])
        texts = [" ".join(c["text"].split()[:110]) for c in row["ctxs"] if c.get("isgold")]
        right = [text for text in texts if has_answer(text, answers)][:1]
        if right:
            yield Example("nq", row["question"], tuple(right), (2,), answers, "wiki")


def qa_wiki(data: Path) -> Iterator[Example]:
    """Noisy: positives only contain an answer string. ``mix.py`` keeps those that the cosine backs."""
    for row in _json_lines(data / "qa_wiki/train.jsonl.gz"):
        grades = (2,) * len(row["pos"]) + (0,) * len(row["neg"])
        yield Example(f"qa_wiki_{row['src']}", row["q"], (*row["pos"], *row["neg"]), grades)


def medquad(data: Path) -> Iterator[Example]:
    """The first window of the answer; other questions' answers on the same focus are wrong here."""
    rows = [row for row in _json_lines(data / "medquad/medquad.jsonl.gz") if row["a"].strip()]
    by_focus: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        by_focus.setdefault(row["focus"], []).append((row["q"], windows(row["a"])[0]))
    for pairs in by_focus.values():
        for question, text in pairs:
            query = re.sub(r"\s+\?", "?", question.replace("(are)", "").replace("  ", " ")).strip()
            others = tuple({t for q, t in pairs if q != question and t != text})[:3]
            if 8 <= len(text.split()) <= 110:
                yield Example("medquad", query, (text, *others), (2,) + (0,) * len(others),
                              pool="medquad")  # fmt: skip


def fairytaleqa(data: Path) -> Iterator[Example]:
    """Explicit questions with one section; the window that holds most of the answer's words is right."""
    for row in _json_lines(data / "fairytaleqa/train.jsonl.gz"):
        for question in row["questions"]:
            if not question["explicit"] or len(question["section"]) != 1:
                continue
            texts = windows(row["sections"].get(question["section"][0], ""))
            answers = (question["answer"].strip(" ."),)
            grades = tuple(2 if has_answer(text, answers) else 0 for text in texts)
            if sum(grades) == 2:
                yield Example("fairytaleqa", question["q"], tuple(texts), grades, answers,
                              row["story"])  # fmt: skip


BREADTH = {f.__name__: f for f in (squad, squad_sentences, nq, qa_wiki, medquad, fairytaleqa)}
