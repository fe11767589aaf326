"""How a process of our own is started: same Python, same modules, nothing from where it runs."""

import os
import sys

_BOOT = (
    "import sys; sys.path[:] = sys.argv.pop(1).split({separator!r}); "
    "from {module} import main; sys.exit(main(*sys.argv[1:]))"
)


def command(module: str, *arguments: str) -> list[str]:
    """The command that calls ``main(*arguments)`` of a module; the exit code is what that gives.

    It imports what this process can, and nothing from the directory it happens to be in.
    """
    boot = _BOOT.format(separator=os.pathsep, module=module)
    return [sys.executable, "-P", "-c", boot, os.pathsep.join(sys.path), *arguments]
