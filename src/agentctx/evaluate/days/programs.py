"""Programs of the system that media are made with."""

import shutil
import subprocess

from agentctx.errors import ProgramError

_TOLD = 800


def run(program: str, *arguments: str, text: str | None = None, hint: str) -> None:
    """Run a program to its end; ``hint`` says how to install it.

    Raises ProgramError when it is absent or fails.
    """
    if shutil.which(program) is None:
        raise ProgramError(f"the program {program!r} is not on the PATH; {hint}")
    done = subprocess.run(
        [program, *arguments], input=text, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise ProgramError(
            f"{program} ended with {done.returncode}: {done.stderr.strip()[-_TOLD:]}"
        )
