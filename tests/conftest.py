"""Shared by all tests: the network of the Hugging Face libraries is off, engines are made of fakes."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

import pytest
from fakes import FakeEncoder, FakeScorer
from hypothesis import settings

from rerank_core.pipeline import TwoStage

settings.register_profile("any machine", deadline=None)  # a busy one is slow, not wrong
settings.load_profile("any machine")


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def scorer() -> FakeScorer:
    return FakeScorer()


@pytest.fixture
def engine(encoder: FakeEncoder, scorer: FakeScorer) -> TwoStage:
    """An engine of the two fakes of the same test."""
    return TwoStage(encoder, scorer)
