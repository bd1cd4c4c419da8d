"""The twin: the same checkpoint fine-tuned as a bi-encoder on the same blocks, steps and losses.

Each text is encoded alone, so its logit is a cosine: a.cos(q, p) + b, with a and b trained as in the wired
model. What the wired model gains over it is what reading together is worth. Not shipped. Left out: any
head beyond the cosine, since a bi-encoder's vectors must be comparable without the other text.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rerank_core.pair_tokens import Encoded, PairTokenizer
from rerank_core.wire import WiredEncoder
from training.blocks import MAX_PASSAGE, MAX_QUERY, Block, chunks
from training.export import base_folder, start_model
from training.train import arguments, materials, train


class Twin:
    """Scores blocks by cosine; every query and passage is encoded once."""

    name = "twin"

    def __init__(self, model: AloneEncoder, tokenizer: PairTokenizer):
        self.model, self.tokenizer = model, tokenizer

    def encode(self, texts: Sequence[Encoded]) -> Tensor:
        """Texts, each alone in its row -> (n, D) unit vectors, order kept."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i].ids))
        parts, device = [], self.model.w.device
        for chunk in chunks(order, lambda i: len(texts[i].ids)):
            length = len(texts[chunk[-1]].ids)
            ids, mask = torch.zeros(2, len(chunk), length, dtype=torch.long)
            for row, i in enumerate(chunk):
                ids[row, : len(texts[i].ids)] = torch.tensor(texts[i].ids)
                mask[row, : len(texts[i].ids)] = 1
            position = torch.arange(length).expand(len(chunk), length)
            parts.append(
                self.model.encode_alone(ids.to(device), position.to(device), mask.to(device))
            )
        return torch.cat(parts)[torch.argsort(torch.tensor(order)).to(device)]

    def __call__(self, blocks: Sequence[Block]) -> list[Tensor]:
        texts: list[Encoded] = []
        for block in blocks:
            texts += [self.tokenizer.encode_query(query) for query in block.queries]
            texts += self.tokenizer.encode_passages(block.passages)
        vectors = self.encode(texts).split(
            [n for block in blocks for n in (len(block.queries), len(block.passages))]
        )
        return [self.model.a * q.float() @ p.float().T + self.model.b
                for q, p in zip(vectors[::2], vectors[1::2], strict=True)]  # fmt: skip


class AloneEncoder(WiredEncoder):
    """The wired encoder reading one text: no other text, so the wire carries nothing."""

    def encode_alone(self, ids: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """(B, L) tensors -> (B, D) unit vectors: the mean over all tokens, as the base's pooling."""
        x = self.norm(self.word(ids) + self.position(position) + self.side(torch.zeros_like(ids)))
        padding = (1.0 - mask.to(x.dtype))[:, None, None, :] * -10_000.0
        for layer in self.layers:
            x = layer(x, padding)
        weights = mask.to(torch.float32).unsqueeze(2)
        return F.normalize((x.float() * weights).sum(dim=1) / weights.sum(dim=1), dim=1)


def start_twin() -> AloneEncoder:
    base = base_folder()
    model = AloneEncoder({})
    model.load_state_dict(start_model(base).state_dict())
    for part in (model.head_in, model.head_out):
        nn.Module.requires_grad_(part, False)
    for parameter in (model.gate, model.w, model.w2):
        parameter.requires_grad_(False)
    return model


def main() -> None:
    options = arguments("twin")
    model = start_twin().to(options.device).train()
    tokenizer = PairTokenizer(base_folder() / "tokenizer.json", MAX_QUERY, MAX_PASSAGE)
    train(Twin(model, tokenizer), *materials(options), options)


if __name__ == "__main__":
    main()
