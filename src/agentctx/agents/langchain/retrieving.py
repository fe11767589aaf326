"""A memory as a LangChain retriever."""

import asyncio
import base64
from datetime import datetime

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from agentctx.agents.documents import document_of
from agentctx.app import Memory
from agentctx.preferences import Prefer
from agentctx.records import Hit


class ContextRetriever(BaseRetriever):
    """Gives what `Memory.search` finds as documents, best first, at most ``k``.

    ``retriever.invoke(question, None, k=3)`` changes ``k`` for once. The other fields are the
    arguments of `Memory.search`. A document's id is the observation's; its ``page_content`` is the
    text (of a picture: what is to be read on it) without control and invisible characters. Its
    metadata say ``modality``, ``captured_at`` (ISO 8601), ``duration`` (seconds), ``session``,
    ``source``, ``score``, ``citation`` (the short id, which tools take), ``passage`` (the part that
    matched), ``attributes`` and ``suspicious`` (why the text reads like instructions, if it does);
    with ``thumbnails``, also ``thumbnail``, a data URL, for those that have one.
    """

    memory: Memory = Field(exclude=True, repr=False)
    k: int = Field(default=10, ge=1)
    modality: str | list[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    session: str | list[str] | None = None
    source: str | list[str] | None = None
    rerank: bool = True
    prefer: Prefer | None = None
    thumbnails: bool = False

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
    ) -> list[Document]:
        del run_manager  # a search has no steps to tell of
        return self._found(query, k)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
    ) -> list[Document]:
        del run_manager
        return await asyncio.to_thread(self._found, query, k)

    def _found(self, query: str, k: int | None) -> list[Document]:
        hits = self.memory.search(
            query,
            self.k if k is None else k,
            self.modality,
            self.since,
            self.until,
            self.session,
            self.source,
            self.rerank,
            prefer=self.prefer,
        )
        return [self._document(hit) for hit in hits]

    def _document(self, hit: Hit) -> Document:
        text, metadata = document_of(hit)
        picture = hit.observation.find_media("thumbnail") if self.thumbnails else None
        if picture is not None:
            data = base64.b64encode(picture.read()).decode("ascii")
            metadata["thumbnail"] = f"data:{picture.mime};base64,{data}"
        return Document(id=hit.id, page_content=text, metadata=metadata)
