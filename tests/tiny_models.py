"""Tiny models made on the spot: a BERT of two layers with random weights, saved as anyone might publish it."""

from __future__ import annotations

from pathlib import Path

from rerank_core import embedded


def tiny_cross_encoder(folder: Path, seed: int = 0, labels: int = 1) -> Path:
    """A folder that sentence-transformers reads as a cross-encoder."""
    from transformers import BertForSequenceClassification

    return _save(folder, BertForSequenceClassification, seed, labels)


def tiny_bi_encoder(folder: Path, seed: int = 0) -> Path:
    """A folder that sentence-transformers reads as a bi-encoder with mean pooling, its modules spelled out."""
    from sentence_transformers import SentenceTransformer
    from transformers import BertModel

    bare = _save(folder / "bare", BertModel, seed, 1)
    SentenceTransformer(str(bare), device="cpu").save_pretrained(str(folder / "whole"))
    return folder / "whole"


def _save(folder: Path, kind: type, seed: int, labels: int) -> Path:
    import torch
    from transformers import AutoTokenizer, BertConfig

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, num_labels=labels, initializer_range=0.5,
    )  # fmt: skip
    kind(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(embedded.package_folder()).save_pretrained(folder)
    return folder
