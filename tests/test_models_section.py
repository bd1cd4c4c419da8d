"""The Models section and what Explore does with a choice: handlers called as functions, fakes for models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer

from rerank_core.errors import RerankError
from rerank_core.models import EMBEDDED_CROSS_ENCODER, Known
from rerank_core.pipeline import TwoStage
from rerank_core.shelf import ModelShelf
from ui import models_views
from ui.handlers import Explore
from ui.model_choice import Choice
from ui.model_jobs import Step
from ui.model_service import Models
from ui.model_settings import ModelSettings
from ui.models import build_models
from ui.models_handlers import ModelHandlers, ModelsView
from ui.service import Service
from ui.third import agreement
from ui.view import SKIP, View

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FIRST, TEXT = "python-pet-care", "python pet care"
L6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
L12 = "cross-encoder/ms-marco-MiniLM-L12-v2"
BGE = "BAAI/bge-small-en-v1.5"


class Hub:
    """A hub that has every model, or none: `asked` holds what was fetched."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    def fetch(self, known: Known, progress: Any) -> None:
        self.asked.append(known.name)
        progress(0, 90 * 1024 * 1024)
        if self.error:
            raise self.error


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return Hub()


@pytest.fixture(scope="module")
def service() -> Service:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer()))
    service.start()
    service.wait(60)
    return service


@pytest.fixture
def models(service: Service, hub: Hub) -> Models:
    shelf = ModelShelf(
        load_encoder=lambda name, allow_any: FakeEncoder(name),
        load_scorer=lambda name, allow_any: FakeScorer(name),
    )
    return Models(service, shelf=shelf, fetch=hub.fetch)


@pytest.fixture
def explore(service: Service, models: Models) -> Explore:
    return Explore(service, models)


def request(**params: str) -> Any:
    return SimpleNamespace(query_params=params, session_hash="visitor")


def shown(views: Iterable[View]) -> View:
    seen = View()
    for view in views:
        given = {k: v for k, v in view._asdict().items() if isinstance(v, str | list) or v != SKIP}
        seen = seen._replace(**given)
    return seen


# The section


def test_every_field_is_a_component(models: Models) -> None:
    import gradio as gr

    with gr.Blocks():
        parts = build_models(models)
        own = build_models(models, part="own-")
    assert set(ModelsView._fields) <= set(parts.by_name)
    assert own.by_name["use"].elem_id == "own-use-models"


def test_a_choice_comes_into_use_once_all_of_it_is_there(models: Models, hub: Hub) -> None:
    *steps, last = ModelHandlers(models).use(BGE, L6, L12)
    assert hub.asked == [BGE, L6, L12]
    assert all(view.models == SKIP for view in steps), "not in use before it is there"
    assert last.models == f"{BGE},{L6},{L12}"
    assert last.section["label"] == (
        "Models: bge-small-en-v1.5, then ms-marco-MiniLM-L6-v2, compared with ms-marco-MiniLM-L12-v2"
    )
    assert "“Represent this sentence for searching relevant passages:” before a query" in last.facts
    assert last.facts.count("not calibrated: no probability shown") == 2


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        (("someone/else", L6, ""), "&#39;someone/else&#39; is not on the list of models"),
        ((BGE, BGE, ""), f"{BGE} is a bi-encoder, not a cross-encoder"),
        ((BGE, L6, L6), f"Both cross-encoders are {L6}; choose another one to compare with, or none."),
        ((7, L6, ""), "A bi-encoder is chosen by name, not by &#39;7&#39;."),
        (("x" * 201, L6, ""), "A model&#39;s name has 1 to 200 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_one_sentence_and_nothing_changes(
    models: Models, boxes: tuple[Any, ...], sentence: str
) -> None:
    (view,) = ModelHandlers(models).use(*boxes)
    assert sentence in view.working
    assert "The models in use stay in use." in view.working
    assert view.models == view.bi_encoder == view.facts == SKIP
    assert view.use["interactive"] is True


def test_a_hub_out_of_reach_is_one_sentence_and_nothing_changes(models: Models, hub: Hub) -> None:
    hub.error = RerankError("No hub; choose the embedded model.")
    *_, view = ModelHandlers(models).use("embedded", L6, "")
    assert "No hub; choose the embedded model. The models in use stay in use." in view.working
    assert view.models == SKIP


def test_an_unexpected_fault_gives_nothing_away(models: Models, hub: Hub) -> None:
    hub.error = ValueError("secret detail")
    *_, view = ModelHandlers(models).use("embedded", L6, "")
    assert "secret" not in view.working
    assert "Something went wrong on our side" in view.working


def test_back_to_the_embedded_ones(models: Models) -> None:
    view = ModelHandlers(models).to_embedded()
    assert view.models == "embedded"
    assert view.second == ""
    assert view.embedded["visible"] is False


def test_what_the_operator_permits_is_said(service: Service) -> None:
    open_, offline = ModelSettings(any_name=True), ModelSettings(hub=False)
    assert "any folder of this machine" in models_views.head(open_)
    assert "any folder" not in models_views.head(ModelSettings())
    assert "keeps it off the network (HF_HUB_OFFLINE)" in models_views.head(offline)
    own = models_views.in_use(Choice("/models/<b>mine", L6))
    assert "/models/&lt;b&gt;mine" in own
    assert "A copied link opens without &lt;b&gt;mine" in own


def test_progress_in_words_and_as_a_bar() -> None:
    html = models_views.working(Step("Fetching x/y", 34, 91))
    assert "Fetching x/y: 34 of 91 MiB." in html
    assert 'max="91" value="34"' in html
    assert models_views.sentence_of(Step("Encoding the library with x", 1, 4)).endswith("(25 %) …")


# Explore


def test_the_chosen_pair_ranks_and_rereads(explore: Explore) -> None:
    *_, final = explore.just_show(
        FIRST, TEXT, 20, 5, TEXT, [], request(), f"{BGE},{L6}", f"{BGE},{L6}"
    )
    assert "bge-small-en-v1.5 · cosine · the first 20 of" in final.before
    assert "ms-marco-MiniLM-L6-v2 · logit · read 20 pairs" in final.after
    assert "The lesson was written for the embedded models" in final.lesson
    assert "robability that rank 1" not in final.verdict
    assert "Not confident" not in final.verdict
    assert "This model is not calibrated: no probability." in final.trace


def test_the_embedded_pair_says_its_kind_and_has_its_mark() -> None:
    calibrated = FakeScorer(EMBEDDED_CROSS_ENCODER, temperature=1.0, not_confident_below=0.99)
    engine = TwoStage(FakeEncoder("embedded/all-MiniLM-L6-v2"), calibrated)
    service = Service(SCENARIOS, engine)
    service.start()
    *_, final = Explore(service).just_show(FIRST, TEXT, 20, 5, TEXT, [], request())
    assert "bi-encoder · cosine · the first 20" in final.before
    assert "Not confident" in final.verdict


def test_one_visitors_choice_is_not_anothers(explore: Explore) -> None:
    list(explore.change(FIRST, TEXT, 20, 5, f"{BGE},{L6}"))
    *_, other = explore.just_show(FIRST, TEXT, 20, 5, TEXT, [], request())
    assert "fake-bi · cosine" in other.before
    assert "fake-cross · logit" in other.after


def test_two_cross_encoders_add_a_third_list(explore: Explore, hub: Hub) -> None:
    text = f"embedded,{L6},{L12}"
    before = shown(explore.change(FIRST, TEXT, 20, 5, text))
    assert before.third_place["visible"] is True
    assert "has not read these 20 pairs yet" in before.third
    views = list(explore.just_show(FIRST, TEXT, 20, 5, TEXT, [], request(), text, text))
    final = shown(views)
    assert final.third.count("<li class=") == 20
    assert "ms-marco-MiniLM-L12-v2 · logit · read 20 pairs" in final.third
    assert "ms-marco-MiniLM-L6-v2 · logit · read 20 pairs" in final.after
    assert 'data-side="third"' in final.third
    assert "top-3 lift" in final.two
    assert "compare ranks, not scores" in final.two
    first_done = next(i for i, v in enumerate(views) if 'data-state="final"' in str(v.after))
    assert any("of 20 pairs read" in str(v.third) for v in views[first_done + 1 :])


def test_one_cross_encoder_has_no_third_list(explore: Explore) -> None:
    view = shown(explore.change(FIRST, TEXT, 20, 5))
    assert view.third_place["visible"] is False
    assert view.third == view.two == ""


def test_a_second_one_that_cannot_be_had_is_said_in_its_column(explore: Explore, hub: Hub) -> None:
    text = f"embedded,embedded,{L12}"
    list(explore.change(FIRST, TEXT, 20, 5, text))
    hub.error = RerankError("No hub; choose the embedded model.")
    final = shown(explore.just_show(FIRST, TEXT, 20, 5, TEXT, [], request(), text, text))
    assert "No hub; choose the embedded model." in final.third
    assert 'data-state="final"' in final.after, "all else goes on"


def test_new_models_rank_anew_and_the_same_do_nothing(explore: Explore) -> None:
    assert list(explore.change_models(FIRST, TEXT, 20, 5, "embedded", "embedded")) == [View()]
    view = shown(explore.change_models(FIRST, TEXT, 20, 5, f"embedded,{L6}", "embedded"))
    assert view.ranked_models == view.models == f"embedded,{L6}"
    assert f"models=embedded%2C{L6.replace('/', '%2F')}" in view.before


def test_a_commit_is_refused_while_the_list_is_of_other_models(explore: Explore) -> None:
    args = (FIRST, TEXT, 20, 5, TEXT, [], request(), f"embedded,{L6}", "embedded")
    *_, view = explore.just_show(*args)
    assert "The list shown is of other models; press Enter in the query" in view.message


@pytest.mark.parametrize("models", ["gpt", "a,b,c,d", "", None, 3, "/etc", f"{L6},{L6}"])
def test_a_choice_that_a_page_made_up_is_refused(explore: Explore, models: Any) -> None:
    *_, view = explore.change(FIRST, TEXT, 20, 5, models)
    if models == "":
        assert view.bars != SKIP, "nothing means the embedded ones"
    else:
        assert 'role="alert"' in view.message
        assert view.before == SKIP


def test_the_round_is_of_the_models_that_were_predicted(explore: Explore) -> None:
    def commit(models: str, record: list[Any]) -> View:
        return shown(
            explore.commit(
                FIRST, TEXT, 20, 5, TEXT, "yes", 80, None, None, None, record, request(), models, models
            )
        )  # fmt: skip

    first = commit("embedded", [])
    other = commit(f"embedded,{L6}", first.record)
    assert len(other.record) == 2
    again = commit(f"embedded,{L6},{L12}", other.record)
    assert again.record == SKIP, "a second cross-encoder beside it makes no new round"


def test_a_link_whose_models_are_here_opens_with_them(explore: Explore, models: Models) -> None:
    list(explore.change(FIRST, TEXT, 20, 5, f"embedded,{L6}"))  # fetched and on the shelf
    view = shown(explore.load([], request(models=f"embedded,{L6}", reveal="1", n="20", k="5")))
    assert view.models == f"embedded,{L6}"
    assert view.cross_encoder == L6
    assert "ms-marco-MiniLM-L6-v2 · logit" in view.after


def test_a_link_fetches_nothing_and_offers_what_it_names(explore: Explore, hub: Hub) -> None:
    view = shown(explore.load([], request(models=f"{BGE},{L6}")))
    assert hub.asked == []
    assert view.models == "embedded"
    assert (view.bi_encoder, view.cross_encoder) == (BGE, L6)
    assert view.section["open"] is True
    assert (
        f"The link names {BGE} and {L6}, not all of which are on this machine; press Use these models to fetch them."
        in view.message
    )


def test_a_link_with_models_off_the_list_opens_with_the_embedded_ones(explore: Explore) -> None:
    view = shown(explore.load([], request(models="someone/else")))
    assert (
        "The link names models &#39;someone/else&#39;; the embedded ones are in use."
        in view.message
    )


def test_agreement_in_words(explore: Explore, service: Service) -> None:
    result = service.engine.compare(TEXT, service.corpus, 20, 3)
    assert agreement(result, result).startswith(
        "Both put the same passage first; of the first 10 of either list, 10 are in both."
    )
    nothing = service.engine.compare(TEXT, [], 20, 3)
    assert agreement(nothing, nothing) == ""


def test_a_typed_name_counts_where_permitted(service: Service, hub: Hub) -> None:
    shelf = ModelShelf(load_scorer=lambda name, allow_any: FakeScorer(name))
    models = Models(service, ModelSettings(any_name=True), shelf=shelf, fetch=hub.fetch)
    *_, view = ModelHandlers(models).use("embedded", L6, "", "", "someone/else", "")
    assert view.models == "embedded,someone/else"
    assert (view.cross_encoder, view.other_cross_encoder) == (None, "someone/else")
    assert hub.asked == ["someone/else"]


def test_a_typed_name_is_refused_where_it_is_not(models: Models, hub: Hub) -> None:
    *_, view = ModelHandlers(models).use("embedded", L6, "", "", "someone/else", "")
    assert "is not on the list of models" in view.working
    assert hub.asked == []
