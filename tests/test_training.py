"""Training's pure parts: readers, negatives, splits, losses, calibration. No data sets, no network."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from rerank_core.metrics import ndcg_at_k
from rerank_core.pair_tokens import PairTokenizer
from training import overlap, splits
from training.augment import keywords, typo, vary
from training.blocks import Block, Steps, chunks, group_block, loss_of
from training.calibrate import expected_calibration_error, fit, sigmoid, threshold
from training.export import base_folder, start_model
from training.folds import deal
from training.negatives import Bm25, keep_wrong, nearest
from training.readers import Group, contrast, data_folder, has_answer, windows
from training.results import paired_interval
from training.sets import average_precision, order_by
from training.train import GATE_START, Wired, parameter_groups
from training.twin import Twin, start_twin

GROUPS = [
    Group(f"a:{i}", "negation" if i % 2 else "direction", "test",
          (f"first text {i}", f"second text {i}", f"third text {i}"),
          ((f"query one {i}", {0: 2}), (f"query two {i}", {1: 2, 2: 1})))
    for i in range(40)
]  # fmt: skip


def test_absent_data_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"training data is not at .* --data or RERANK_DATA"):
        data_folder(str(tmp_path))


def test_windows_keep_every_word_and_the_bound() -> None:
    text = "One two three. Four five? Six seven eight nine! " * 9
    parts = windows(text, 12)
    assert " ".join(parts).split() == text.split()
    assert max(len(part.split()) for part in parts) <= 12


def test_answers_are_whole_words() -> None:
    assert has_answer("It cost 40 pounds (in 1990).", ("1990",))
    assert not has_answer("It cost 1990s money", ("1990",))


def test_own_contrast_groups_are_sound() -> None:
    here = contrast(Path("no-such-folder"))
    assert len(here) >= 200
    for group in here:
        assert group.group_id.startswith("own-")
        assert len(group.passages) >= 2
        for query, relevant in group.queries:
            assert query.strip()
            assert 2 in relevant.values()
            assert all(0 <= i < len(group.passages) for i in relevant)


def test_committed_splits_are_disjoint_and_own_groups_are_not_reported_on() -> None:
    parts = {n: json.loads((splits.FOLDER / f"{n}.json").read_text()) for n in splits.NAMES}
    every = [i for ids in parts.values() for i in ids]
    assert len(every) == len(set(every))
    assert not any(i.startswith("own-") for i in parts["report"])
    own_tune = [i for i in parts["tune"] if i.startswith("own-")]
    assert all(i.startswith(splits.WEB_TUNE) for i in own_tune)
    given = [i for i in every if not i.startswith("own-")]
    assert len(given) == 700
    assert len(parts["tune"]) - len(own_tune) == len(parts["report"]) == 72


def test_splits_keep_near_duplicates_together() -> None:
    parts = splits.clusters(len(GROUPS), {(0, 2), (2, 4), (1, 3)})
    split = splits.assign(GROUPS, parts)
    place = {i: name for name, ids in split.items() for i in ids}
    assert place["a:1"] == place["a:3"]
    assert place["a:0"] == place["a:2"] == place["a:4"] == "train"
    assert len(split["tune"]) == len(split["report"]) == 4
    assert split == splits.assign(GROUPS, parts)


def test_bm25_by_hand_and_in_order() -> None:
    texts = ["red cat", "red red dog", "blue bird sings"]
    scores = Bm25(texts, k1=0.9, b=0.4).scores(["red", "bird", "unheard"])
    mean = 8 / 3
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    assert scores[0, 0] == pytest.approx(idf * 1.9 / (1 + 0.9 * (0.6 + 0.4 * 2 / mean)), rel=1e-5)
    assert nearest(scores, 1)[:2].ravel().tolist() == [1, 2]
    assert not scores[2].any()


def test_false_negatives_are_dropped() -> None:
    texts = ["right", "holds Paris", "close to right", "far"]
    cosines = np.array([0.8, 0.7, 0.79, 0.2])
    order = [0, 2, 1, 3]
    assert keep_wrong(order, texts, cosines, ["right"], 0.8, ("paris",), 3) == [
        "close to right",
        "far",
    ]
    assert keep_wrong(order, texts, cosines, ["right"], 0.8, (), 3) == ["holds Paris", "far"]


def test_variants_keep_negations_and_most_letters() -> None:
    rng = random.Random(3)
    assert keywords("What is the capital of France?") == "capital France"
    for _ in range(200):
        varied = vary("Which cheeses do not freeze well?", rng)
        assert "not" in varied.lower().split()
        assert abs(len(typo("freezing", rng)) - len("freezing")) <= 1


def test_steps_can_be_taken_again_and_every_group_is_read() -> None:
    outsiders = {group.group_id: ["far away text", "another one"] for group in GROUPS}
    one, two = (Steps(GROUPS, LISTS, outsiders, seed=4) for _ in range(2))
    for step in (0, 7, 70, 3):
        assert [b.queries for b in one.blocks(step)] == [b.queries for b in two.blocks(step)]
    read = {b.passages[0] for step in range(2 * len(GROUPS)) for b in one.blocks(step)[:2]}
    assert len(read) == len(GROUPS)


def _lists() -> list:
    from training.mix import TrainingList

    return [TrainingList("squad", f"q {i}", ("x", "y"), (1.0, 0.0)) for i in range(30)]


LISTS = _lists()


def test_loss_prefers_the_right_order_and_reads_unanswerable_lists() -> None:
    block = group_block(GROUPS[0], (), random.Random(0), plain=True)
    good = torch.tensor([[4.0, -4.0, -4.0], [-4.0, 4.0, 0.0]])
    assert loss_of(block, good) < loss_of(block, -good)
    none = Block("squad_unanswerable", ("q",), ("x", "y"), np.zeros((1, 2), dtype=np.float32))
    assert loss_of(none, torch.tensor([[-5.0, -5.0]])) < loss_of(none, torch.tensor([[5.0, -5.0]]))


def test_chunks_hold_everything_within_the_budget() -> None:
    lengths = sorted(random.Random(1).choices(range(8, 150), k=300))
    parts: list[Sequence[int]] = list(chunks(range(300), lengths.__getitem__))
    assert [i for part in parts for i in part] == list(range(300))
    assert max(len(part) * lengths[part[-1]] for part in parts) <= 3000


@pytest.mark.real
def test_both_ways_start_from_the_same_cosines() -> None:
    base = base_folder()
    tokenizer = PairTokenizer(base / "tokenizer.json", 40, 112)
    model = start_model(base, gate=-10_000.0)
    blocks = [group_block(group, (), random.Random(0), plain=True) for group in GROUPS[:2]]
    with torch.inference_mode():
        together = Wired(model, tokenizer)(blocks)
        apart = Twin(start_twin().eval(), tokenizer)(blocks)
    for one, other in zip(together, apart, strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_calibration_finds_what_made_the_data() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 4, 20_000)
    relevant = rng.random(20_000) < sigmoid(logits / 3 - 1)
    temperature, offset = fit(logits, relevant)
    assert temperature == pytest.approx(3, rel=0.06)
    assert offset == pytest.approx(-1, abs=0.1)
    before = expected_calibration_error(sigmoid(logits), relevant)
    after = expected_calibration_error(sigmoid(logits / temperature + offset), relevant)
    assert after < 0.02 < before


def test_threshold_marks_where_half_are_wrong() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.6, 0.9])
    assert threshold(p, np.array([0, 1, 0, 1, 1]), 0.5) == 0.9
    assert threshold(p, np.array([0, 1, 1, 1, 1]), 0.5) == 0.3
    assert threshold(p, np.ones(5)) == 0.0


def test_map_and_ndcg_agree_with_ir_measures() -> None:
    import ir_measures
    from ir_measures import AP, nDCG

    rng = random.Random(9)
    for _ in range(60):
        ids = [f"d{i}" for i in range(12)]
        grades = {i: rng.choice((0, 0, 1, 2, 3)) for i in ids} | {"unseen": 2}
        ranked = order_by(np.array([rng.choice((1.0, 2.0, 3.0)) for _ in ids]), ids)
        qrels = [ir_measures.Qrel("q", i, g) for i, g in grades.items()]
        run = [ir_measures.ScoredDoc("q", i, -float(r)) for r, i in enumerate(ranked)]
        measures = [AP(rel=2), nDCG(gains={0: 0, 1: 1, 2: 3, 3: 7}) @ 10]
        found = ir_measures.calc_aggregate(measures, qrels, run)
        assert average_precision(ranked, grades) == pytest.approx(found[measures[0]], abs=1e-9)
        assert ndcg_at_k(ranked, grades, 10) == pytest.approx(found[measures[1]], abs=1e-9)


def test_paired_interval_holds_the_mean_and_counts_wins() -> None:
    a, b = np.array([1.0, 1, 0, 1] * 20), np.array([0.0, 1, 0, 0] * 20)
    found = paired_interval(a, b)
    assert found.low <= found.mean == 0.5 <= found.high
    assert (found.wins, found.ties, found.losses) == (40, 40, 0)
    assert found == paired_interval(a, b)


def test_overlap_finds_grams_queries_and_short_texts() -> None:
    long = "the quick brown fox jumps over the lazy dog while seven cats are watching it"
    index = overlap.Index.over([long, "What is a lease?", "closed on Monday"])
    assert index.hits(
        "So THE quick brown fox jumps over the lazy dog, while seven cats are watching!"
    )
    assert index.hits("what is a lease")
    assert index.hits("Closed on Monday.")
    assert not index.hits("the quick brown fox jumps over the lazy cat")


def test_folds_hold_every_group_once_and_every_slice() -> None:
    dealt = deal(GROUPS)
    assert sorted(g.group_id for fold in dealt for g in fold) == sorted(g.group_id for g in GROUPS)
    assert {len(fold) for fold in dealt} == {8}
    assert all({g.slice for g in fold} == {"negation", "direction"} for fold in dealt)


def test_the_gate_learns_and_word_embeddings_do_not() -> None:
    model = start_model(base_folder(), GATE_START)
    learned = {id(p) for group in parameter_groups(model) for p in group["params"]}
    assert id(model.gate) in learned
    assert id(model.word.weight) not in learned
    assert not model.word.weight.requires_grad
