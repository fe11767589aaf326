"""LlamaIndex over a memory: a query engine with citations, a question by picture, an agent.

Shows the retriever (pictures come as image nodes), the postprocessor that scores text and pictures
alike, and the tools in a `FunctionAgent`. It runs without a key: the models are scripts that
quote (no language models); put your own in their place.

    pip install 'agentctx[default,llama-index]' && python examples/llamaindex_query.py
"""

import asyncio
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.schema import QueryBundle

from agentctx import Memory, Observation
from agentctx.agents.llamaindex import ContextPostprocessor, ContextRetriever, ContextToolSpec
from agentctx.testing.llamaindex import QuotingLLM, ScriptedPlanner

SAMPLES = Path(str(files("agentctx.demo"))) / "samples"
SCREEN = SAMPLES / "2026-03-14T091212Z_dashboard-alarm.png"


def main() -> None:
    """Fill a memory, and ask it in three ways."""
    with TemporaryDirectory() as folder, Memory.open(folder) as memory:
        when = datetime.fromisoformat("2026-03-14T09:14:55Z")
        text = "Control room, I have decided to stop pump alpha."
        said = Observation(modality="speech", text=text, captured_at=when, source="radio")
        memory.add([SCREEN, said])
        retriever = ContextRetriever(memory, similarity_top_k=6)

        engine = CitationQueryEngine(
            retriever,
            llm=QuotingLLM(),
            node_postprocessors=[ContextPostprocessor(memory=memory, top_n=3)],
        )
        question = "Which alarm did the dashboard raise?"
        answer = engine.query(question)
        print(f"? {question}\n{answer}")
        for number, one in enumerate(answer.source_nodes, 1):
            name = Path(one.metadata["source"]).name
            print(f"  [{number}] is {one.metadata['citation']}, {name}")

        print("\n? (a picture, and no words)")
        for one in retriever.retrieve(QueryBundle("", image_path=str(SCREEN)))[:2]:
            print(f"  {one.score:.2f} {type(one.node).__name__} [{one.metadata['citation']}]")

        question = "What was decided about the pump?"
        agent = FunctionAgent(tools=ContextToolSpec(memory).to_tool_list(), llm=ScriptedPlanner())

        async def ask() -> str:
            return str((await agent.run(question)).response.content)

        print(f"\n? {question}\n{asyncio.run(ask())}")


if __name__ == "__main__":
    main()
