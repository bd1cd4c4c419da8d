"""A choice of models as text, out and in, and what the operator permits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.errors import InputError
from rerank_core.models import BI_ENCODER, CROSS_ENCODER, KNOWN, known_names
from ui.model_choice import Choice, checked_choice, read_choice
from ui.model_settings import ModelSettings, model_settings

L6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
L12 = "cross-encoder/ms-marco-MiniLM-L12-v2"
BGE = "BAAI/bge-small-en-v1.5"


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (Choice(), "embedded"),
        (Choice(BGE), f"{BGE},embedded"),
        (Choice(cross_encoder=L6), f"embedded,{L6}"),
        (Choice(second=L6), f"embedded,embedded,{L6}"),
        (Choice(BGE, L6, L12), f"{BGE},{L6},{L12}"),
        (Choice(cross_encoder=L6, second="embedded/wired-MiniLM-L6"), f"embedded,{L6},embedded"),
    ],
)
def test_a_choice_is_written_and_read(choice: Choice, text: str) -> None:
    assert choice.text == choice.link == text
    assert read_choice(text) == choice


@given(
    st.sampled_from(known_names(BI_ENCODER)),
    st.sampled_from(known_names(CROSS_ENCODER)),
    st.sampled_from(("", *known_names(CROSS_ENCODER))),
)
def test_every_choice_of_the_list_survives(bi: str, cross: str, second: str) -> None:
    if second == cross:
        with pytest.raises(InputError, match="Both cross-encoders are"):
            checked_choice(bi, cross, second)
        return
    choice = checked_choice(bi, cross, second)
    assert read_choice(choice.text) == read_choice(choice.link) == choice


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("someone/else", "'someone/else' is not on the list of models; choose one of embedded/"),
        (f"embedded,{BGE}", f"{BGE} is a bi-encoder, not a cross-encoder"),
        ("embedded,embedded,embedded", "Both cross-encoders are embedded/wired-MiniLM-L6; choose another"),
        ("a,b,c,d", "4 models are named, and at most 3 are chosen."),
        ("x" * 700, "The choice of models cannot be read; choose them again under Models."),
        ("a\nb", "A model's name has 1 to 200 characters that can be printed and no comma, not 'a\\nb'."),
        (None, "The choice of models cannot be read"),
        (7, "The choice of models cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_one_sentence(text: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        read_choice(text)
    assert str(error.value).startswith(sentence)


@given(st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text())))
def test_whatever_a_browser_sends_is_read_or_refused(text: Any) -> None:
    try:
        names = read_choice(text).names
    except InputError:
        return
    assert set(names) <= set(KNOWN)


def test_any_name_where_permitted_and_never_in_a_link() -> None:
    choice = checked_choice("/models/mine", "someone/else", L6, any_name=True)
    assert choice.text == f"/models/mine,someone/else,{L6}"
    assert read_choice(choice.text, any_name=True) == choice
    assert choice.link == f"embedded,embedded,{L6}"
    assert list(choice.off_list()) == ["/models/mine", "someone/else"]
    with pytest.raises(InputError, match="is not on the list"):
        read_choice(choice.text)


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({}, ModelSettings()),
        ({"RERANK_ANY_MODEL": "1"}, ModelSettings(any_name=True)),
        ({"RERANK_ANY_MODEL": "0"}, ModelSettings()),
        ({"RERANK_ANY_MODEL": "yes", "SPACE_ID": "someone/space"}, ModelSettings()),
        ({"HF_HUB_OFFLINE": "1"}, ModelSettings(hub=False)),
        ({"HF_HUB_OFFLINE": "0"}, ModelSettings()),
        ({"TRANSFORMERS_OFFLINE": "true"}, ModelSettings(hub=False)),
        # app.py has kept what the operator said, and set the variable for its own process since:
        ({"RERANK_HUB_OFFLINE": "0", "HF_HUB_OFFLINE": "1"}, ModelSettings()),
        ({"RERANK_HUB_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}, ModelSettings(hub=False)),
    ],
)
def test_the_operators_settings(environ: dict[str, str], settings: ModelSettings) -> None:
    assert model_settings(environ) == settings
