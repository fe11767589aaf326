"""The memory's reranker for LlamaIndex's nodes, of text and of pictures, wherever they are from."""

from llama_index.core.bridge.pydantic import Field
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle

from agentctx.agents.documents import texts_of
from agentctx.app import Memory
from agentctx.errors import QueryError


class ContextPostprocessor(BaseNodePostprocessor):
    """Scores nodes by how well their words answer the question; keeps the best ``top_n``.

    The words of a picture are the text of its node, or else what the memory read on the observation
    with its id; a picture without words comes last. As many as came are kept when ``top_n`` is
    None. Raises QueryError without words to score by.
    """

    memory: Memory = Field(exclude=True, repr=False)
    top_n: int | None = Field(default=None, ge=1)

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises it."""
        return "ContextPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None or not query_bundle.query_str.strip():
            raise QueryError("nodes are scored by the words of a question, and there are none")
        given = [(one.node.node_id, one.node.get_content()) for one in nodes]
        texts = texts_of(self.memory, given)
        scores = self.memory.score(query_bundle.query_str, texts)
        scored = [
            NodeWithScore(node=one.node, score=score)
            for one, score in zip(nodes, scores, strict=True)
        ]
        return sorted(scored, key=NodeWithScore.get_score, reverse=True)[: self.top_n]
