"""The memory's reranker for LangChain's documents, wherever they come from."""

import asyncio
from collections.abc import Sequence

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field

from agentctx.agents.documents import texts_of
from agentctx.app import Memory

SCORE = "relevance_score"


class ContextReranker(BaseDocumentCompressor):
    """Puts documents in the order in which they answer a question; keeps the best ``top_n``.

    Each is scored by its words, of a length as they are: its best passage counts. A picture that
    comes as base64 has no words to be scored by, so it goes by those of the memory's observation
    with its id; one that the memory does not know comes last. The score is in the metadata as
    ``relevance_score``. As many as came are kept when ``top_n`` is None.
    """

    memory: Memory = Field(exclude=True, repr=False)
    top_n: int | None = Field(default=None, ge=1)
    model_config = ConfigDict(arbitrary_types_allowed=True)

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """The documents, best first, each a copy with its score."""
        del callbacks  # one step, of which the retriever around it tells
        texts = texts_of(self.memory, [(one.id, one.page_content) for one in documents])
        scored = zip(self.memory.score(query, texts), documents, strict=True)
        best = sorted(scored, key=lambda pair: -pair[0])[: self.top_n]
        return [
            one.model_copy(update={"metadata": {**one.metadata, SCORE: score}})
            for score, one in best
        ]

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """`compress_documents`, in a thread of its own."""
        return await asyncio.to_thread(self.compress_documents, documents, query, callbacks)
