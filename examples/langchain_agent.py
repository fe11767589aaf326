"""A LangChain agent that answers from a memory: a screen, an alarm log in words, sensor readings.

Shows `create_agent` with the tools of a memory, and the middleware that adds evidence unasked. It
runs without a key: the model is a scripted planner (rules, no language model). With a key, put
``init_chat_model("anthropic:claude-sonnet-4-5")`` in its place.

    pip install 'agentctx[default,langchain]' && python examples/langchain_agent.py
"""

from datetime import datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from langchain.agents import create_agent
from langchain_core.messages import ToolMessage

from agentctx import Memory, Observation
from agentctx.agents.langchain import ContextMiddleware, context_tools
from agentctx.testing.langchain import ScriptedPlanner

SAMPLES = Path(str(files("agentctx.demo"))) / "samples"
QUESTIONS = [
    "Which alarm did the dashboard raise, and with which code?",
    "How high did the vibration go?",
    "Who has the key of the pump house?",
    "Who won the chess tournament in Reykjavik?",
]


def main() -> None:
    """Fill a memory, and ask the agent."""
    with TemporaryDirectory() as folder, Memory.open(folder) as memory:
        screen, log = "2026-03-14T091212Z_dashboard-alarm.png", "2026-03-14_pump-a.csv"
        memory.add([SAMPLES / screen, SAMPLES / log], session="pump-a")
        when = datetime.fromisoformat("2026-03-14T09:20:00Z")
        text = "Ann has the key of the pump house until Monday."
        memory.add(Observation(text=text, captured_at=when, session="pump-a", source="handover"))

        agent = create_agent(ScriptedPlanner(), context_tools(memory))
        for question in QUESTIONS:
            messages = agent.invoke({"messages": [("user", question)]})["messages"]
            called = [one.name for one in messages if isinstance(one, ToolMessage)]
            print(f"? {question}\n  (called {', '.join(map(str, called))})")
            print(f"{messages[-1].text}\n")

        # Without tools: the evidence is there before the model is called.
        agent = create_agent(ScriptedPlanner(), [], middleware=[ContextMiddleware(memory)])
        messages = agent.invoke({"messages": [("user", QUESTIONS[2])]})["messages"]
        print(f"? {QUESTIONS[2]}\n  (evidence added by the middleware)\n{messages[-1].text}")


if __name__ == "__main__":
    main()
