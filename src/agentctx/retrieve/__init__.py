"""Search: candidates, their signals, and the order these make."""

from agentctx.retrieve.retriever import Retriever

__all__ = ["Retriever"]
