"""The cross-encoder leaves torch: as ONNX, by OpenVINO's converter, and as the graph that the int8 backend builds."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from rerank_core.embedded import WEIGHTS_FOLDER, package_folder
from rerank_core.errors import WeightsError
from rerank_core.pair_tokens import Encoded, PreparedPair
from rerank_core.quantised import (
    FILE,
    Ranges,
    integers_of,
    product_of,
    read_quantised,
    write_quantised,
)
from rerank_core.wire import DEFAULT_ARCHITECTURE, WiredEncoder, collate
from rerank_core.wired_model import SHUT

TINY = {**DEFAULT_ARCHITECTURE, "layers": 2, "heads": 2, "width": 16, "inner": 32, "positions": 64,
        "vocabulary": 50, "head_hidden": 8}  # fmt: skip
PAIRS = [
    PreparedPair(Encoded((1, 5, 7, 2), 0), Encoded((1, 8, 9, 10, 11, 2), 0)),
    PreparedPair(Encoded((1, 4, 2), 0), Encoded((1, 3, 2), 0)),
]


@pytest.fixture(scope="module")
def tiny() -> WiredEncoder:
    """A small one with open, half-open and nearly shut gates, and a head that says something."""
    torch.manual_seed(0)
    model = WiredEncoder(TINY).eval()
    torch.nn.init.normal_(model.head_out.weight)
    torch.nn.init.normal_(model.w, std=0.1)
    model.gate.data = torch.tensor([[0.0, -2.0], [-1.0, -8.0]])
    return model.requires_grad_(False)


def logits(model: WiredEncoder, shift: float = 0.0) -> np.ndarray:
    with torch.inference_mode():
        return model(**collate(PAIRS), gate_shift=shift).numpy()


@pytest.mark.parametrize("shift", [0.0, SHUT])
def test_to_onnx_the_wire_still_movable(tiny: WiredEncoder, tmp_path: Path, shift: float):
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path = tmp_path / "wired.onnx"
    example = collate(PAIRS[:1])
    names = [*example, "gate_shift"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tiny, (*example.values(), torch.tensor(0.0)), str(path), input_names=names, output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in example}, opset_version=17, dynamo=False,
        )  # fmt: skip
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {name: tensor.numpy() for name, tensor in collate(PAIRS).items()}
    (found,) = session.run(None, {**feed, "gate_shift": np.array(shift, dtype=np.float32)})
    assert np.allclose(found, logits(tiny, shift), atol=1e-4)


def test_through_openvinos_converter(tiny: WiredEncoder):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed")
    made = openvino.convert_model(tiny, example_input=collate(PAIRS[:1]))
    feed = {name: tensor.numpy() for name, tensor in collate(PAIRS).items()}
    run = openvino.compile_model(made, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert np.allclose(run(feed)[0], logits(tiny), atol=1e-4)


def ranges_for(state: dict[str, np.ndarray], seed: int = 0) -> dict[tuple[int, str], Ranges]:
    """Wide enough for what a random model reads, so that what is left is rounding."""
    found = {}
    for layer in range(2):
        for name in ("qkv", "mixed", "up", "down"):
            weight, bias = product_of(state, layer, name)
            low = np.full(weight.shape[1], -4.0, dtype=np.float32)
            found[layer, name] = Ranges(low, np.full_like(low, 8.0), bias + weight @ low)
    return found


@pytest.mark.parametrize(("quantise", "most"), [(False, 1e-4), (True, 0.5)])
def test_the_graph_says_what_torch_says(tiny: WiredEncoder, quantise: bool, most: float):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed")
    from rerank_core.openvino_scorer import Head
    from rerank_core.wired_graph import build

    state = {name: tensor.numpy() for name, tensor in tiny.state_dict().items()}
    model = build(state, TINY, ranges_for(state) if quantise else {})
    batch = {name: tensor.numpy() for name, tensor in collate(PAIRS).items()}
    embedded = (
        state["word.weight"][batch["input_ids"]] + state["position.weight"][batch["position_ids"]]
    )
    embedded += state["side.weight"][batch["segment"]]
    inputs = [
        embedded,
        batch["segment"] * batch["attention_mask"],
        (1 - batch["attention_mask"]) * SHUT,
    ]
    run = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    hidden = run([np.asarray(part, dtype=np.float32) for part in inputs])[0]
    found = Head(openvino.Core(), state)(hidden, PAIRS)
    assert np.abs(found - logits(tiny)).max() < most
    assert (found != logits(tiny)).any() or not quantise


def test_each_row_is_rounded_by_its_largest_number():
    weight = np.array([[1.27, -0.635, 0.0], [0.0, 0.0, 0.0], [-2.54, 0.02, 1.0]], dtype=np.float32)
    integers, scale = integers_of(weight)
    assert integers.dtype == np.int8
    assert integers.tolist() == [[127, -64, 0], [0, 0, 0], [-127, 1, 50]]
    assert np.abs(integers * scale[:, None] - weight).max() <= 0.5 * scale.max() + 1e-6


def test_ranges_are_for_the_weights_that_they_were_made_of(tmp_path: Path):
    one = Ranges(*(np.ones(3, dtype=np.float32) * i for i in range(3)))
    write_quantised(tmp_path, {(1, "up"): one}, "hash-a")
    read = read_quantised(tmp_path, "hash-a")
    assert list(read.products) == [(1, "up")]
    assert read.products[1, "up"].bias.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(
        WeightsError,
        match=r"is for weights with hash hash-a, not format 1 and hash-b; make it with",
    ):
        read_quantised(tmp_path, "hash-b")
    (tmp_path / FILE).write_bytes(b"broken")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_quantised(tmp_path, "hash-a")
    (tmp_path / FILE).unlink()
    with pytest.raises(
        WeightsError, match=r"is missing; make it with python -m training\.quantize"
    ):
        read_quantised(tmp_path, "hash-a")


@pytest.mark.real
def test_the_shipped_ranges_are_for_the_shipped_weights():
    from rerank_core.wired_model import read_weights

    _, config = read_weights(WEIGHTS_FOLDER, package_folder())
    assert read_quantised(WEIGHTS_FOLDER, config["model_hash"]).products
