"""The tools of a memory for any provider's function calling, without a framework.

Shows the whole loop: schemas out, tool calls in, results back. The model's side is played by
`ask`, which calls one tool and quotes what comes back, since there may be no key here; with one,
put ``client.chat.completions.create(model=..., messages=messages, tools=tools)`` in its place.

    pip install 'agentctx[default]' && python examples/function_calling.py
"""

import json
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import Any

from agentctx import Memory, Observation
from agentctx.agents import ToolSet
from agentctx.agents.openai import dispatch_all, functions

SAID = {
    "2026-03-14T09:12:08Z": "Vibration on pump A is above thirteen.",
    "2026-03-14T09:14:55Z": "Control room, I have decided to stop pump A.",
    "2026-03-14T09:20:00Z": "The mechanic comes on Monday.",
}


def ask(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """The model's next message: a call of the first tool, then the best of what it gave."""
    if messages[-1]["role"] == "user":
        arguments = json.dumps({"query": messages[-1]["content"], "limit": 1})
        function = {"name": tools[0]["function"]["name"], "arguments": arguments}
        call = {"id": "call-1", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    lines = messages[-1]["content"].splitlines()
    quotes = {
        lines[n + 1]: lines[n - 1].split()[0] for n, line in enumerate(lines) if line == "<data>"
    }
    asked = set(messages[0]["content"].lower().split())
    best = max(quotes, key=lambda quote: len(asked & set(quote.lower().split())))
    return {"role": "assistant", "content": f"“{best}” {quotes[best]}"}


def main() -> None:
    """Fill a memory, and answer a question by calling its tools."""
    with TemporaryDirectory() as folder, Memory.open(folder) as memory:
        memory.add(
            [
                Observation(modality="speech", text=text, captured_at=datetime.fromisoformat(when))
                for when, text in SAID.items()
            ]
        )
        tool_set = ToolSet(memory)
        tools = functions(tool_set)
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": "What have they decided to do?"}
        ]
        while (answer := ask(messages, tools)).get("tool_calls"):
            messages += [answer, *dispatch_all(tool_set, answer["tool_calls"])]
        print(f"? {messages[0]['content']}\n{answer['content']}")


if __name__ == "__main__":
    main()
