"""What a question asks for: modalities, times, relations of time, names, and the words left."""

from agentctx.planning.planner import plan
from agentctx.planning.plans import Clause, Plan, Relation, Understood
from agentctx.planning.vocabulary import Vocabulary

__all__ = ["Clause", "Plan", "Relation", "Understood", "Vocabulary", "plan"]
