"""The wired encoder on the base's real weights: shut it is the bi-encoder, open it reads together."""

import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import pytest
import torch

from rerank_core.embedded import file_sha256
from rerank_core.errors import WeightsError
from rerank_core.pair_tokens import PreparedPair
from rerank_core.wire import WiredScorer, collate, load_wired, shift_for
from rerank_core.wired_model import SHUT, model_hash
from training.export import base_folder, start_model, write_weights

QUERY = "how are bridges kept from freezing?"
PASSAGES = [
    "Brine is sprayed on the deck before a frost, since bridges ice over earlier than roads.",
    "The bridge was opened in 1931.",
    "Freezing rain closed three schools. " * 12,
    "",
]
BASE = base_folder()
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder that holds the untrained model."""
    folder = tmp_path_factory.mktemp("start")
    write_weights(start_model(BASE), folder, "start", BASE)
    return folder


@pytest.fixture(scope="module")
def scorer(start: Path) -> WiredScorer:
    """The base exactly (fp32: the shards' fp16 is not what these tests are about)."""
    scorer = WiredScorer.load(start, BASE)
    scorer.model = start_model(BASE)
    return scorer


@pytest.fixture(scope="module")
def cosines() -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    vectors = SentenceTransformer(str(BASE), device="cpu").encode(
        [QUERY, *PASSAGES], normalize_embeddings=True
    )
    return vectors[1:] @ vectors[0]


def test_shut_it_is_the_bi_encoder(scorer: WiredScorer, cosines: np.ndarray) -> None:
    batch = collate(scorer.prepare(QUERY, PASSAGES))
    with torch.inference_mode():
        u, v = scorer.model.embed(**batch, gate_shift=SHUT)
    assert np.abs((u * v).sum(dim=1).numpy() - cosines).max() < 1e-5


def test_wire_zero_ranks_by_cosine_and_wire_one_does_not_score_by_it(
    scorer: WiredScorer, cosines: np.ndarray
) -> None:
    prepared = scorer.prepare(QUERY, PASSAGES)
    cut, whole = scorer.score(prepared, wire=0.0), scorer.score(prepared)
    assert np.abs((cut + 8) / 16 - cosines).max() < 1e-5
    assert (np.argsort(cut) == np.argsort(cosines)).all()
    assert np.abs(whole - cut).max() > 0.1


def test_a_thinner_wire_lies_between(scorer: WiredScorer) -> None:
    prepared = scorer.prepare(QUERY, PASSAGES[:1])
    cut, thin, whole = (scorer.score(prepared, wire=w)[0] for w in (0.0, 1e-4, 1.0))
    assert abs(thin - cut) < 0.05 * abs(whole - cut)
    assert shift_for(1.0) == 0.0
    assert shift_for(0.0) == SHUT


def test_shut_queries_and_passages_cannot_see_each_other(scorer: WiredScorer) -> None:
    one, other = (scorer.prepare(query, PASSAGES[:1]) for query in (QUERY, "tea"))
    with torch.inference_mode():
        _, v = scorer.model.embed(**collate(one), gate_shift=SHUT)
        _, w = scorer.model.embed(**collate(other), gate_shift=SHUT)
        _, x = scorer.model.embed(**collate(one))
    assert torch.allclose(v, w, atol=1e-6)
    assert not torch.allclose(v, x, atol=1e-3)


def test_a_score_does_not_depend_on_who_shares_the_batch(start: Path) -> None:
    scorer = WiredScorer.load(start, BASE)
    torch.manual_seed(0)
    torch.nn.init.normal_(scorer.model.head_out.weight)  # the mlp is silent in the untrained model
    prepared = scorer.prepare(QUERY, PASSAGES)
    together = scorer.score(prepared)
    alone = np.concatenate([scorer.score([pair]) for pair in prepared])
    turned = scorer.score(prepared[::-1])[::-1]
    assert together.dtype == np.float32
    assert np.abs(together - alone).max() < 1e-4
    assert np.abs(together - turned).max() < 1e-4


def test_pairs_are_bounded_apart_and_say_what_was_cut(scorer: WiredScorer) -> None:
    query, passage = "bridge " * 200, "frost " * 300
    pair = scorer.prepare(query, [passage])[0]
    assert (len(pair.query.ids), len(pair.passage.ids)) == (128, 256)
    assert pair.tokens == 384
    assert pair.cut == (200 + 2 - 128) + (300 + 2 - 256)
    assert pair.query.ids[-1] == pair.passage.ids[-1] == scorer.prepare("a", ["b"])[0].query.ids[-1]
    short = scorer.prepare(QUERY, PASSAGES[:1])[0]
    assert short.cut == 0
    assert np.isfinite(scorer.score([pair])).all()


def test_tokens_are_the_packages_own(scorer: WiredScorer) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(str(BASE))
    for text in (QUERY, "naïve Ærø 東京 — “quotes” <b>x</b>", "Half a\nline"):
        assert list(scorer.tokenizer.encode_passage(text).ids) == theirs(text)["input_ids"]


def test_collate_restarts_positions(scorer: WiredScorer) -> None:
    pair = scorer.prepare("a b", ["c d e"])[0]
    batch = collate([pair, PreparedPair(pair.query, pair.query)])
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    assert batch["segment"][0].tolist() == [0] * 4 + [1] * 5
    assert batch["attention_mask"][1].tolist() == [1] * 8 + [0]


def test_nothing_to_score_and_odd_texts(scorer: WiredScorer) -> None:
    assert scorer.score([]).shape == (0,)
    assert scorer.prepare(QUERY, []) == []
    assert np.isfinite(scorer.score(scorer.prepare("\ud800", ["", "\x00", "🙂" * 500]))).all()


def test_what_is_written_is_what_is_read(start: Path) -> None:
    model, config = load_wired(start, BASE)
    assert config["model_hash"] == model_hash(config)
    assert config["base_sha256"] == file_sha256(BASE / "model.safetensors")
    sizes = [file.stat().st_size for file in start.glob("*.safetensors")]
    assert max(sizes) < 10_000_000
    assert sum(sizes) < 25_000_000
    again = start_model(BASE).state_dict()
    stored = {n: t for n, t in model.state_dict().items() if not n.startswith("head_in")}
    assert all(torch.allclose(t, again[n], atol=2e-3) for n, t in stored.items())


def test_calibration_is_read_and_leaves_the_hash_alone(start: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(start, tmp_path / "weights")
    config = json.loads((folder / "config.json").read_text())
    config["calibration"] = {"temperature": 2.0, "offset": -1.0, "not_confident_below": 0.4}
    (folder / "config.json").write_text(json.dumps(config))
    scorer = WiredScorer.load(folder, BASE)
    assert scorer.calibration is not None
    assert scorer.calibration.temperature == 2.0
    assert scorer.model_hash == json.loads((start / "config.json").read_text())["model_hash"]


def damage(folder: Path, how: str) -> None:
    shard, config = folder / "rest.safetensors", folder / "config.json"
    if how == "truncated shard":
        shard.write_bytes(shard.read_bytes()[:-1])
    elif how == "missing shard":
        shard.unlink()
    elif how == "no config":
        config.unlink()
    elif how == "broken config":
        config.write_text("{")
    else:
        config.write_text(
            config.read_text().replace('"max_query_tokens": 128', '"max_query_tokens": 64')
        )


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("truncated shard", "has sha256 .* not .* as expected; restore rerank_core/weights"),
        ("missing shard", "rest.safetensors is missing; restore"),
        ("no config", "config.json cannot be read"),
        ("broken config", "config.json cannot be read"),
        ("changed config", "states model hash .* but what it lists has .*; restore"),
    ],
)
def test_damage_is_one_sentence(start: Path, tmp_path: Path, how: str, words: str) -> None:
    folder = shutil.copytree(start, tmp_path / "weights")
    damage(folder, how)
    with pytest.raises(WeightsError, match=words):
        WiredScorer.load(folder, BASE)


def test_another_base_is_refused(start: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the base")
    with pytest.raises(WeightsError, match=r"has sha256 .*pip install"):
        WiredScorer.load(start, tmp_path)
