"""Vectors on the disk: encoded once whatever file they come from, the same answers as in memory, damage made good,
a bound on the folder, and 100,000 passages in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, FakeScorer
from hypothesis import given
from hypothesis import strategies as st
from judged_sets import some_judged, write_beir

from rerank_core import stored_corpus as stored
from rerank_core.cache_folder import cache_bytes, cache_folder, make_room
from rerank_core.corpus_file import CorpusFile, text_key
from rerank_core.errors import FileError, InputError, RerankError
from rerank_core.limits import CACHE_GB, ENCODE_BATCH
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.stored_corpus import IndexCost, StoredCorpus, stored_corpus
from rerank_core.vectors_cache import VectorsCache

ROOT = Path(__file__).parents[1]
GB = 2**30


def corpus_file(folder: Path, texts: list[str], first: int = 0) -> CorpusFile:
    folder.mkdir(exist_ok=True)
    path = folder / "corpus.jsonl"
    rows = [{"_id": f"d{i:04d}", "text": text} for i, text in enumerate(texts, first)]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return CorpusFile(path)


def texts_of(n: int, first: int = 0) -> list[str]:
    return [f"thing {i} " + "more " * (i * 7 % 11) for i in range(first, first + n)]


def build(
    file: CorpusFile,
    encoder: FakeEncoder,
    folder: Path,
    say: Callable[[str], None] = pytest.fail,
    most: int = GB,
) -> tuple[StoredCorpus, IndexCost]:
    return stored_corpus(file, encoder, folder, most, say)


def test_the_same_answers_as_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored, "SEARCH_ROWS", 7)
    monkeypatch.setattr(stored, "ENCODE_WINDOW", 20)
    data = some_judged(passages=75)
    file = CorpusFile(write_beir(tmp_path / "set", data) / "corpus.jsonl")
    engine = TwoStage(FakeEncoder(), FakeScorer())
    corpus, cost = build(file, FakeEncoder(), tmp_path / "cache")
    assert (cost.encoded, cost.kept) == (len(set(data.passages.values())), 0)
    plain = engine.corpus([Passage(d, t) for d, t in data.passages.items()])
    assert len(corpus) == len(plain) == 75
    for query in data.queries.values():
        one, other = (engine.retrieve(query, c, 20, tail=55) for c in (corpus, plain))
        assert one.tail == other.tail
        assert [row.passage for row in one.ranking] == [row.passage for row in other.ranking]
        assert [row.score for row in one.ranking] == pytest.approx(
            [row.score for row in other.ranking], abs=1e-6
        )


def test_each_text_is_encoded_once_whatever_file_it_is_in(tmp_path: Path):
    encoder, cache = FakeEncoder(), tmp_path / "cache"
    build(corpus_file(tmp_path / "a", [*texts_of(40), *texts_of(10)]), encoder, cache)
    assert encoder.texts == 40
    assert max(map(len, encoder.calls)) == ENCODE_BATCH
    _, cost = build(corpus_file(tmp_path / "a", texts_of(40)), encoder, cache)
    assert (encoder.texts, cost.encoded, cost.kept) == (40, 0, 40)
    both = corpus_file(tmp_path / "b", texts_of(50, first=20)[::-1], first=7)
    corpus, cost = build(both, encoder, cache)
    assert (encoder.texts, cost.encoded, cost.kept) == (70, 30, 20)
    assert len(list(cache.glob("vectors/*/*.f32"))) == 2, "no run changes another's files"
    query = encoder.encode_queries(["thing 33"])[0]
    assert corpus.vectors @ query == pytest.approx(
        FakeEncoder().encode_passages([p.text for p in both]) @ query, abs=1e-6
    )


def test_models_do_not_share_vectors(tmp_path: Path):
    file = corpus_file(tmp_path / "a", texts_of(20))
    build(file, FakeEncoder("one"), tmp_path / "cache")
    other = FakeEncoder("two")
    build(file, other, tmp_path / "cache")
    assert other.texts == 20
    assert len(list((tmp_path / "cache" / "vectors").iterdir())) == 2


def test_a_run_that_is_cut_loses_a_batch_at_most(tmp_path: Path):
    class Cut(FakeEncoder):
        def encode_passages(self, texts):
            if len(self.calls) == 3:
                raise KeyboardInterrupt
            return super().encode_passages(texts)

    file, cache = corpus_file(tmp_path / "a", texts_of(100)), tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        build(file, Cut(), cache)
    (keys,) = cache.glob("vectors/*/*.keys")
    with keys.open("ab") as out:
        out.write(b"half a row")  # as a process that is killed may leave it
    encoder = FakeEncoder()
    _, cost = build(file, encoder, cache)
    assert (encoder.texts, cost.kept) == (100 - 3 * ENCODE_BATCH, 3 * ENCODE_BATCH)


def test_nothing_is_left_of_a_run_that_encoded_nothing(tmp_path: Path):
    encoder = FakeEncoder(error=RuntimeError("broken"))
    with pytest.raises(RuntimeError):
        build(corpus_file(tmp_path / "a", texts_of(5)), encoder, tmp_path / "cache")
    assert list((tmp_path / "cache").glob("vectors/*/*")) == []


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda keys, values: flip(values, 130), "row 2 does not have its checksum"),
        (lambda keys, values: flip(keys, -1), "row 20 does not have its checksum"),
        (lambda keys, values: keys.write_bytes(b"\0" * 5000), "no header of format 1"),
        (lambda keys, values: keys.write_bytes(b"[]\n"), "no header of format 1"),
        (lambda keys, values: keys.write_bytes(b'{"format": 2}\n'), "no header of format 1"),
        (
            lambda keys, values: keys.write_bytes(
                keys.read_bytes().replace(b"hash-of-fake-bi", b"hash-of-another")
            ),
            "it is of another model",
        ),
        (
            lambda keys, values: keys.write_bytes(
                keys.read_bytes().replace(b'"dims": 32', b'"dims": -1')
            ),
            "its header has no dims",
        ),
    ],
)
def test_a_damaged_file_is_made_anew_with_a_line(
    tmp_path: Path, damage: Callable[[Path, Path], object], why: str
):
    file, cache = corpus_file(tmp_path / "a", texts_of(20)), tmp_path / "cache"
    build(file, FakeEncoder(), cache)
    (keys,) = cache.glob("vectors/*/*.keys")
    damage(keys, keys.with_suffix(".f32"))
    encoder, said = FakeEncoder(), []
    corpus, cost = build(file, encoder, cache, said.append)
    assert said == [f"{keys} is damaged ({why}); it is deleted, and its texts are encoded anew."]
    assert (encoder.texts, cost.encoded) == (20, 20)
    assert not keys.exists()
    expected = FakeEncoder().encode_passages([p.text for p in file])
    query = expected[3]
    assert corpus.vectors @ query == pytest.approx(expected @ query, abs=1e-6)
    build(file, encoder, cache)
    assert encoder.texts == 20


def test_a_short_file_of_vectors_counts_as_far_as_it_goes(tmp_path: Path):
    file, cache = corpus_file(tmp_path / "a", texts_of(20)), tmp_path / "cache"
    build(file, FakeEncoder(), cache)
    (values,) = cache.glob("vectors/*/*.f32")
    os.truncate(values, 5 * 32 * 4 + 3)
    encoder = FakeEncoder()
    build(file, encoder, cache)
    assert encoder.texts == 15


def test_keys_without_their_vectors_are_no_vectors(tmp_path: Path):
    file, cache = corpus_file(tmp_path / "a", texts_of(20)), tmp_path / "cache"
    build(file, FakeEncoder(), cache)
    next(cache.glob("vectors/*/*.f32")).unlink()
    encoder = FakeEncoder()
    build(file, encoder, cache)
    assert encoder.texts == 20


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 4))
def test_any_split_over_runs_gives_back_each_vector(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[int], runs: int
):
    cache = VectorsCache(tmp_path_factory.mktemp("c"), "model", pytest.fail)
    rng = np.random.default_rng(1)
    vectors = {text_key(str(i)): rng.normal(size=6).astype(np.float32) for i in set(drawn)}
    keys = list(vectors)
    for run in range(runs):
        with cache.writer() as writer:
            for key in keys[run::runs]:
                writer.append([key], vectors[key][None])
    wanted = {key: slot for slot, key in enumerate(keys[::2])}
    found = {}
    for part in cache.find({**wanted, text_key("nothing like it"): len(wanted)}):
        assert (np.diff(part.rows) > 0).all()
        found |= {int(s): part.vectors[r] for r, s in zip(part.rows, part.slots, strict=True)}
    assert set(found) == set(wanted.values())
    for key, slot in wanted.items():
        assert (found[slot] == vectors[key]).all(), "to the last bit"


@pytest.mark.parametrize(
    "vectors", [np.zeros((1, 3)), np.zeros(2), np.full((2, 3), np.nan), np.full((2, 3), np.inf)]
)
def test_what_is_no_vector_is_not_kept(tmp_path: Path, vectors: np.ndarray):
    cache = VectorsCache(tmp_path, "model", pytest.fail)
    with (
        cache.writer() as writer,
        pytest.raises(RerankError, match="The bi-encoder gave vectors of"),
    ):
        writer.append([b"a" * 16, b"b" * 16], vectors)
    assert list(tmp_path.glob("vectors/*/*")) == []


# The folder


def test_where_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given, own, xdg = tmp_path / "given", tmp_path / "own", tmp_path / "xdg"
    env = {"RERANK_CACHE": str(own), "XDG_CACHE_HOME": str(xdg)}
    assert cache_folder(given, env) == given
    assert cache_folder(None, env) == own
    assert cache_folder(None, {"XDG_CACHE_HOME": str(xdg)}) == xdg / "rerank_core"
    for none in ({}, {"XDG_CACHE_HOME": "relative"}, {"XDG_CACHE_HOME": ""}):
        assert cache_folder(None, none) == tmp_path / "home" / ".cache" / "rerank_core"
    assert (own.stat().st_mode & 0o077) == 0, "what one evaluates is nobody else's"


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        FileError, match=r"cannot be written \(.*\); choose another with --cache or"
    ):
        cache_folder(tmp_path / "file" / "sub", {})
    with pytest.raises(FileError, match="cannot be written"):
        cache_folder(tmp_path / "file", {})


def test_the_bound():
    assert cache_bytes({}) == CACHE_GB * GB
    assert cache_bytes({"RERANK_CACHE_GB": "0.5"}) == GB // 2
    for wrong in ("x", "0", "-1", "nan", "inf", ""):
        with pytest.raises(InputError, match="RERANK_CACHE_GB is a number of gigabytes above 0"):
            cache_bytes({"RERANK_CACHE_GB": wrong})


def kept_file(folder: Path, name: str, size: int, age: int) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (10**9 - age, 10**9 - age))
    return path


def test_what_was_used_longest_ago_goes_first(tmp_path: Path):
    old = [kept_file(tmp_path, f"vectors/m/old.{end}", 50, 900) for end in ("keys", "f32")]
    scores = kept_file(tmp_path, "scores/s.jsonl", 100, 500)
    new = [kept_file(tmp_path, f"vectors/m/new.{end}", 50, 100) for end in ("keys", "f32")]
    foreign = kept_file(tmp_path, "vectors/m/thesis.txt", 10_000, 9999)
    assert make_room(tmp_path, 300, 0) == 0
    assert make_room(tmp_path, 300, 50) == 100
    assert not any(path.exists() for path in old), "a pair goes together"
    assert make_room(tmp_path, 200, 100, in_use=[scores]) == 100
    assert scores.exists()
    assert not any(path.exists() for path in new)
    assert foreign.exists(), "what this project did not make stays"
    with pytest.raises(InputError, match=r"The cache would hold .* more than the .* that it may"):
        make_room(tmp_path, 150, 100, in_use=[scores])
    assert scores.exists()


def test_the_bound_holds_after_a_build(tmp_path: Path):
    cache = tmp_path / "cache"
    row = 4 * 32 + 20
    most = 150 * row + 1000
    build(corpus_file(tmp_path / "a", texts_of(100)), FakeEncoder(), cache, most=most)
    build(corpus_file(tmp_path / "b", texts_of(100, first=500)), FakeEncoder(), cache, most=most)
    assert sum(p.stat().st_size for p in cache.rglob("*") if p.is_file()) <= most
    encoder = FakeEncoder()
    build(corpus_file(tmp_path / "b", texts_of(100, first=500)), encoder, cache, most=most)
    assert encoder.texts == 0, "the older ones went"
    with pytest.raises(InputError, match="set RERANK_CACHE_GB higher, or evaluate fewer passages"):
        build(corpus_file(tmp_path / "c", texts_of(200, 900)), encoder, cache, most=most)
    assert sum(p.stat().st_size for p in cache.rglob("*") if p.is_file()) <= most


PROGRAM = """
import json, resource, sys, zlib
from pathlib import Path
import numpy as np
sys.path[:0] = [{root!r}, {tests!r}]
from fakes import FakeScorer
from rerank_core.__main__ import main
from rerank_core.pipeline import TwoStage
from rerank_core.records import ModelCard

class Encoder:
    card = ModelCard("quick", "bi-encoder", "quick")
    def encode_passages(self, texts):
        rows = np.stack([np.frombuffer(zlib.crc32(t.encode()).to_bytes(4, "big") * 96, np.uint8) for t in texts])
        rows = rows.astype(np.float32) - 127
        rows[:, :4] += 0.5
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
    encode_queries = encode_passages

code = main(sys.argv[1:], TwoStage(Encoder(), FakeScorer()))
# Not getrusage on Linux: its peak outlives exec, so that it is the test runner's own.
status = Path("/proc/self/status")
if status.exists():
    peak = next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(code, peak)
"""
MEMORY_BYTES = 400 * 2**20
"""What 100,000 passages may take beside the models: 252 MB where this was written, of which 154 MB are the vectors,
which the system can drop. With the embedded models, a run over a small folder took 643 MB; both stay below 2 GB."""


def test_100_000_passages_need_little_memory(tmp_path: Path):
    """The command itself, in a process of its own; only the models are fakes, with vectors of 384 numbers."""
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as out:
        for i in range(100_000):
            text = f"passage {i} " + "of a few words about nothing in particular " * 6
            out.write(json.dumps({"_id": f"doc-{i:06d}", "title": "Title", "text": text}) + "\n")
    queries = [{"_id": f"q{i}", "text": f"passage {i}"} for i in range(6)]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    rows = [f"q{i}\tdoc-{i:06d}\t1" for i in range(6)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]))
    program = PROGRAM.format(root=str(ROOT), tests=str(ROOT / "tests"))
    done = subprocess.run(
        [sys.executable, "-c", program, "evaluate", str(folder), "--cache", str(tmp_path / "c")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "set: 6 queries, 100,000 passages" in done.stdout
    code, peak = map(int, done.stdout.splitlines()[-1].split())
    assert code == 0
    assert peak < MEMORY_BYTES
