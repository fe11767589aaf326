"""An MCP client that starts a memory's server, as any MCP client does, and calls its tools.

Shows what a client gets: text for the model, a thumbnail beside it, an error that says what to do,
and the original of what was cited. No language model is in it: what it asks stands in the script.

    pip install 'agentctx[default,mcp]' && python examples/mcp_client.py
"""

import asyncio
import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from mcp import Client, StdioServerParameters

from agentctx import Memory

SCREEN = Path(str(files("agentctx.demo"))) / "samples/2026-03-14T091212Z_dashboard-alarm.png"
SERVE = ["-c", "from agentctx.cli import main; main()", "serve", "--mcp", "--memory"]


async def ask(folder: str) -> None:
    """One session: list the tools, call two of them, read an original."""
    # In a client's configuration this is: agentctx serve --mcp --memory DIR
    server = StdioServerParameters(command=sys.executable, args=[*SERVE, folder])
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        print("tools:", ", ".join(tool.name for tool in tools))

        question = {"query": "Which alarm did the dashboard raise?", "limit": 1}
        result = await client.call_tool("search_context", question)
        print("blocks:", ", ".join(block.type for block in result.content))
        text = result.content[0].text
        print("\n".join(line for line in text.splitlines() if "ALARM" in line or "[" in line))

        wrong = await client.call_tool("read_sensor", {"channel": "vibration"})
        print("error:", wrong.is_error, wrong.content[0].text)

        (link,) = [block for block in result.content if block.type == "resource_link"]
        (original,) = (await client.read_resource(link.uri)).contents
        print(f"original: {original.mime_type}, {len(original.blob)} letters of base64")


def main() -> None:
    """Fill a memory, and ask it over MCP."""
    with TemporaryDirectory() as folder:
        with Memory.open(folder) as memory:
            memory.add(SCREEN, session="pump-a")
        asyncio.run(ask(folder))


if __name__ == "__main__":
    main()
