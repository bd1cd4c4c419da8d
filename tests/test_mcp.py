"""The endpoints as MCP tools, through a real client over a running page; and what is said where they are off."""

from __future__ import annotations

import ast
import importlib.util
import logging
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from fakes import FakeEncoder, FakeScorer
from waiting import finished

from rerank_core.pipeline import TwoStage
from ui import agents
from ui.agents import PATH, say_how_it_went, wants_mcp
from ui.layout import build_app
from ui.server import launch_settings
from ui.service import Service

SCENARIOS = Path(__file__).parents[1] / "scenarios"
T = TypeVar("T")
installed = pytest.mark.skipif(
    importlib.util.find_spec("mcp") is None, reason="the package mcp is not installed"
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer()))
    service.start()
    app = build_app(service)
    _, local, _ = app.launch(prevent_thread_lock=True, **launch_settings())
    yield local.rstrip("/")
    app.close()


def asked(address: str, ask: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """What `ask` answers of a session with the page's MCP server."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def session() -> T:
        async with (
            streamable_http_client(address + PATH) as (read, write, _),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            return await ask(client)

    return finished(session())


@installed
def test_the_endpoints_are_tools_with_schemas_and_words(address: str) -> None:
    async def ask(client: Any) -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in asked(address, ask)}
    assert set(tools) == {"compare", "rerank", "evaluate", "scenarios"}
    schema = tools["evaluate"].inputSchema
    assert schema["required"] == ["queries", "passages", "grades"]
    assert schema["properties"]["queries"]["type"] == "array"
    assert "up to 20 texts" in schema["properties"]["queries"]["description"]
    assert "null unjudged" in schema["properties"]["grades"]["description"]
    assert schema["properties"]["retrieve_k"]["default"] == 20
    for tool in tools.values():
        assert tool.description
        assert all(p.get("description") for p in tool.inputSchema["properties"].values()), tool.name


@installed
def test_a_tool_answers_and_an_error_is_its_sentence(address: str) -> None:
    async def ask(client: Any) -> Any:
        texts = ["one", "a python snake", "three"]
        good = await client.call_tool(
            "rerank", {"query": "python snake", "candidates": texts, "top_k": 2}
        )
        bad = await client.call_tool("rerank", {"query": "", "candidates": texts})
        return good, bad

    good, bad = asked(address, ask)
    assert not good.isError
    rows = ast.literal_eval(good.content[0].text)  # Gradio writes results as Python does
    assert [row["rank"] for row in rows] == [1, 2]
    assert bad.isError
    assert "The query has 0 characters, not 1 to 500; type a word or a question." in (
        bad.content[0].text
    )


@pytest.mark.parametrize(
    ("value", "wanted"), [("0", False), ("off", False), ("1", True), ("", True)]
)
def test_the_operator_decides(value: str, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "PACKAGE", "json")  # one that is certainly installed
    assert wants_mcp({"RERANK_MCP": value}) is wanted


@pytest.mark.parametrize(("environ", "level"), [({}, "INFO"), ({"RERANK_MCP": "1"}, "WARNING")])
def test_a_missing_package_is_said(
    environ: dict[str, str], level: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(agents, "PACKAGE", "no_such_package_here")
    caplog.set_level(logging.INFO)
    assert wants_mcp(environ) is False
    assert caplog.records[0].levelname == level
    assert "no MCP tools: the package no_such_package_here is not installed; pip install mcp==" in (
        caplog.text
    )


def test_what_gradio_keeps_to_itself_is_said(caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    say_how_it_went(SimpleNamespace(mcp_error="Error launching"))
    say_how_it_went(SimpleNamespace(mcp_error=None))
    assert "no MCP tools: Error launching" in caplog.text
    assert len(caplog.records) == 1
