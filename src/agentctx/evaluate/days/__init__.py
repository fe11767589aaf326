"""Working days: screens, speech and sensor logs from a seed, and questions with known answers.

`write` makes a set of days in a folder, `read` gives its records, `evaluate` measures on it.
"""

from agentctx.evaluate.days.files import read, write
from agentctx.evaluate.days.measuring import DaysResult, evaluate

__all__ = ["DaysResult", "evaluate", "read", "write"]
