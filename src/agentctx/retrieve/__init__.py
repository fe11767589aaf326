"""Search: candidates, their signals, and the order these make; and carrying out plans."""

from agentctx.retrieve.names import Names
from agentctx.retrieve.request import Request
from agentctx.retrieve.retriever import Retriever

__all__ = ["Names", "Request", "Retriever"]
