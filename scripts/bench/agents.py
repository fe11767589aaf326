"""What the adapters of agents cost over the calls of a memory that they are made of.

    python scripts/bench/agents.py MEMORY "a question that it can answer" [--repeats 30]

Each way of asking is timed in turn, round after round, and told as the median difference to its
plain call in the same round: `Memory.search` with its hits cleaned and flagged (of which the first
line tells the cost) for retrievers, `ToolSet.call`, which does both, for tools and the middleware,
`Memory.score` for rerankers. Prints JSON, in milliseconds of processor time, of all
threads, since other work on a machine shows in the time of the clock.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx2
from langchain.agents import create_agent
from langchain_core.documents import Document
from llama_index.core.schema import NodeWithScore, TextNode
from mcp import Client

from agentctx import Memory
from agentctx.agents import ToolSet
from agentctx.agents import langchain as lc
from agentctx.agents import llamaindex as li
from agentctx.agents.documents import document_of
from agentctx.agents.http import application
from agentctx.agents.mcp import server
from agentctx.agents.openai import dispatch
from agentctx.testing.langchain import ScriptedPlanner

Call = Callable[[], Any]


def ways(memory: Memory, question: str) -> dict[str, tuple[Call, Call]]:
    """Name, plain call, and the call through an adapter."""
    tools = ToolSet(memory)
    given = {"query": question, "limit": 8}
    search = {one.name: one for one in lc.context_tools(tools)}["search_context"]
    (spec,) = li.ContextToolSpec(tools).to_tool_list(["search_context"])
    as_model = {"name": search.name, "args": given, "id": "1", "type": "tool_call"}
    texts = [hit.text for hit in memory.search(question, limit=5)]
    documents = [Document(text) for text in texts]
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
    retriever = lc.ContextRetriever(memory=memory, k=10)
    other = li.ContextRetriever(memory, similarity_top_k=10)
    reranker, scorer = lc.ContextReranker(memory=memory), li.ContextPostprocessor(memory=memory)
    served = application(tools, "token", ("localhost",))
    http = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=served),
        base_url="http://localhost",
        headers={"Authorization": "Bearer token"},
    )
    client = run(connected(tools))
    function = {"name": "search_context", "arguments": json.dumps(given)}
    asked: Any = {"messages": [("user", question)]}
    bare = create_agent(ScriptedPlanner(), [])
    helped = create_agent(ScriptedPlanner(), [], middleware=[lc.ContextMiddleware(tools)])

    def searched() -> Any:  # noqa: ANN401
        return memory.search(question, limit=10)

    def called() -> Any:  # noqa: ANN401
        return tools.call("search_context", given)

    def scored() -> Any:  # noqa: ANN401
        return memory.score(question, texts)

    def quoted() -> Any:  # noqa: ANN401
        return [document_of(hit) for hit in searched()]

    return {
        "hits cleaned and flagged": (searched, quoted),
        "langchain retriever": (quoted, lambda: retriever.invoke(question)),
        "langchain retriever, async": (quoted, lambda: run(retriever.ainvoke(question))),
        "langchain tool": (called, lambda: search.invoke(as_model)),
        "langchain tool, async": (called, lambda: run(search.ainvoke(as_model))),
        "langchain reranker": (scored, lambda: reranker.compress_documents(documents, question)),
        "langchain middleware": (
            lambda: (bare.invoke(asked), called()),
            lambda: helped.invoke(asked),
        ),
        "llamaindex retriever": (quoted, lambda: other.retrieve(question)),
        "llamaindex tool": (called, lambda: spec(**given)),
        "llamaindex tool, async": (called, lambda: run(spec.acall(**given))),
        "openai functions": (called, lambda: dispatch(tools, {"id": "1", "function": function})),
        "mcp, in memory": (called, lambda: run(client.call_tool("search_context", given))),
        "http, in memory": (
            called,
            lambda: run(http.post("/tools/search_context", json=given)).raise_for_status(),
        ),
        "llamaindex postprocessor": (
            scored,
            lambda: scorer.postprocess_nodes(nodes, query_str=question),
        ),
    }


async def connected(tools: ToolSet) -> Client:
    """A session with the MCP server in this process, for as long as the event loop lasts."""
    ready: asyncio.Future[Client] = LOOP.create_future()

    async def hold() -> None:
        # With framing, as over a real connection.
        async with Client(server(tools), mode="legacy") as client:
            ready.set_result(client)
            await LOOP.create_future()

    HELD.append(LOOP.create_task(hold()))
    return await ready


def run(awaited: Any) -> Any:  # noqa: ANN401
    """What is awaited, in an event loop that is there already."""
    return LOOP.run_until_complete(awaited)


LOOP = asyncio.new_event_loop()
HELD: list[asyncio.Task[None]] = []


def milliseconds(call: Call) -> float:
    """The processor time of a call."""
    start = time.process_time()
    call()
    return 1000 * (time.process_time() - start)


def main() -> None:
    """Time each way in turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("memory")
    parser.add_argument("question")
    parser.add_argument("--repeats", type=int, default=30)
    given = parser.parse_args()
    with Memory.open(given.memory) as memory:
        named = ways(memory, given.question)
        for plain, adapted in named.values():
            plain(), adapted()
        rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in named}
        for number in range(given.repeats):
            for name, (plain, adapted) in named.items():
                # In turns, so that neither always comes after the other.
                calls = (plain, adapted) if number % 2 else (adapted, plain)
                first, second = (milliseconds(call) for call in calls)
                rounds[name].append((first, second) if number % 2 else (second, first))
    print(
        json.dumps(
            {
                name: {
                    "plain": round(statistics.median(plain for plain, _ in pairs), 2),
                    "adapter": round(statistics.median(through for _, through in pairs), 2),
                    "overhead": round(statistics.median(b - a for a, b in pairs), 2),
                }
                for name, pairs in rounds.items()
            },
            indent=2,
        )
    )
    for held in HELD:
        held.cancel()
    LOOP.run_until_complete(asyncio.gather(*HELD, return_exceptions=True))
    LOOP.close()


if __name__ == "__main__":
    main()
