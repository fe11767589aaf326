"""Learning how to order hits from those that were accepted and rejected: weights, and no texts."""

from agentctx.learning.feedback import Learned, erase, learned, note
from agentctx.learning.ordering import reordered

__all__ = ["Learned", "erase", "learned", "note", "reordered"]
