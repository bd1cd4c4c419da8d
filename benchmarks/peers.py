"""What the library is measured against: a cross-encoder of the very same size, as others run it.

A BERT of 6 layers and width 384: the base package's weights with a head of random numbers, since speed does not depend
on what the head says and none needs to be fetched. Each peer is a function of (query, texts), tokenising included.
Left out: measuring (rerank.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertForSequenceClassification, BertTokenizerFast

from rerank_core.embedded import package_folder

Peer = Callable[[str, Sequence[str]], object]
MAX_LENGTH = 384
"""As many tokens as our own model reads of a pair."""
BATCH = 16
"""Pairs a pass of ONNX Runtime, sorted by length."""


def save_peer(folder: Path) -> None:
    """The peer as sentence-transformers loads it."""
    torch.manual_seed(0)
    logging.getLogger("transformers").setLevel(
        logging.ERROR
    )  # it says at length that the head is new
    model = BertForSequenceClassification.from_pretrained(str(package_folder()), num_labels=1)
    model.save_pretrained(folder)
    BertTokenizerFast.from_pretrained(str(package_folder())).save_pretrained(folder)


def default_peer(folder: Path) -> Peer:
    """sentence-transformers as it comes."""
    cross = CrossEncoder(str(folder), device="cpu", max_length=MAX_LENGTH)
    return lambda query, texts: cross.predict([(query, t) for t in texts], show_progress_bar=False)


def tuned_peer(folder: Path, query: str, texts: Sequence[str]) -> tuple[Peer, str]:
    """sentence-transformers sorted by length, with the batch size and precision that are fastest on these texts."""

    def made(dtype: torch.dtype, size: int) -> Peer:
        cross = CrossEncoder(
            str(folder), device="cpu", max_length=MAX_LENGTH, model_kwargs={"dtype": dtype}
        )

        def predict(query: str, texts: Sequence[str]) -> object:
            pairs = sorted(((query, t) for t in texts), key=lambda pair: len(pair[1]))
            return cross.predict(pairs, batch_size=size, show_progress_bar=False)

        return predict

    tried = {
        f"{str(dtype).removeprefix('torch.')}, batches of {size}": made(dtype, size)
        for dtype in (torch.float32, torch.bfloat16)
        for size in (8, 16)
    }
    times: dict[str, list[float]] = {name: [] for name in tried}
    for _ in range(3):
        for name, peer in tried.items():
            start = perf_counter()
            peer(query, texts)
            times[name].append(perf_counter() - start)
    best = min(times, key=lambda name: min(times[name]))
    return tried[best], best


class _Logits(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        return self.model(input_ids=ids, attention_mask=mask, token_type_ids=kinds).logits


def onnx_peer(folder: Path, threads: int) -> Peer:
    """ONNX Runtime with weights and activations in 8 bits, ranges found as it runs: what FlashRank and fastembed do."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, small = folder / "plain.onnx", folder / "int8.onnx"
    model = BertForSequenceClassification.from_pretrained(str(folder), attn_implementation="eager")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = tuple(torch.ones(2, 8, dtype=torch.long) for _ in names)
    torch.onnx.export(
        _Logits(model.eval()), example, str(plain), input_names=names, output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in names}, opset_version=17, dynamo=False,
    )  # fmt: skip
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(small), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_LENGTH)
    tokenizer.enable_padding()

    def predict(query: str, texts: Sequence[str]) -> object:
        ordered, out = sorted(texts, key=len), []
        for start in range(0, len(ordered), BATCH):
            read = tokenizer.encode_batch([(query, t) for t in ordered[start : start + BATCH]])
            arrays = ([r.ids for r in read], [r.attention_mask for r in read], [r.type_ids for r in read])  # fmt: skip
            feed = {n: np.array(a, dtype=np.int64) for n, a in zip(names, arrays, strict=True)}
            out.append(session.run(None, feed)[0])
        return np.concatenate(out)

    return predict
