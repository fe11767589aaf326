"""Writing the Chroma index in a process of its own: ``python -m agentctx.memory.indexing``.

Chroma saves its graph together with memory that it never wrote to, and what a process has freed
before, such as a text that was just forgotten, can be in it. A fresh process has none of that.
"""

import sys
from pathlib import Path

from agentctx.errors import AgentctxError
from agentctx.memory.store import Store


def main(verb: str, directory: str) -> int:
    """Do ``flush`` or ``rebuild``, print the number of rows written; 0 is success."""
    try:
        store = Store(Path(directory), exact_limit=0)
        written = store.remake() if verb == "rebuild" else store.flush()
        store.close()
    except AgentctxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{written}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
