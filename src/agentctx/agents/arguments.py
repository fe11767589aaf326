"""What each tool is called with: pydantic models, whose JSON schemas the models are shown.

Nothing is nullable and nothing is nested: some providers' function calling takes neither. An
empty string or list means that the argument does not restrict.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from agentctx.errors import QueryError

_WHEN = "ISO 8601, such as 2026-03-14T09:12:00Z; local time without a zone; empty: not restricted."


class Arguments(BaseModel):
    """Base of all: unknown arguments are refused, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# The first argument is what a tool called with nothing but a string takes, so these come later.
_SINCE = Field("", description=f"From this time on. {_WHEN}")
_UNTIL = Field("", description=f"Before this time. {_WHEN}")


class SearchContext(Arguments):
    """Arguments of ``search_context``."""

    query: str = Field(
        min_length=1,
        max_length=2000,
        description="The question in plain words. Times and places in it are understood: "
        "'what was on the screen when she said that the valve was stuck?'",
    )
    modality: list[str] = Field(
        [], description="Only these kinds: text, screenshot, picture, speech, sensor. Empty: all."
    )
    since: str = _SINCE
    until: str = _UNTIL
    session: str = Field("", description="Only this session (a meeting, a day). Empty: all.")
    limit: int = Field(8, ge=1, le=30, description="How many pieces of evidence to look at.")
    offset: int = Field(0, ge=0, le=300, description="Skip so many; the last answer says which.")


class RecallMoment(Arguments):
    """Arguments of ``recall_moment``."""

    around: str = Field(
        min_length=1, description="A time (ISO 8601), or the id in the brackets of a citation."
    )
    window: float = Field(
        60.0, ge=0, le=86_400, description="How many seconds before and after to look at."
    )
    modality: list[str] = Field(
        [], description="Only these kinds: text, screenshot, picture, speech, sensor. Empty: all."
    )
    offset: int = Field(0, ge=0, description="Skip so many; the last answer says which.")


class ReadSensor(Arguments):
    """Arguments of ``read_sensor``."""

    channel: str = Field(
        "", max_length=200, description="The channel's name. Empty: list the channels there are."
    )
    since: str = _SINCE
    until: str = _UNTIL
    aggregate: str = Field(
        "",
        max_length=20,
        description="One exact number: count, sum, min, max, mean, median, std, first or last. "
        "Empty: the readings themselves.",
    )
    offset: int = Field(0, ge=0, description="Skip so many readings; the last answer says which.")


class WhatChanged(Arguments):
    """Arguments of ``what_changed``."""

    since: str = Field(min_length=1, description=f"Compare the state at this time. {_WHEN}")
    until: str = Field(min_length=1, description=f"With the state at this time. {_WHEN}")
    subject: str = Field(
        "",
        max_length=500,
        description="Which screen (what it is about) or which sensor channel. Empty: all of them.",
    )
    session: str = Field("", description="Only this session. Empty: all.")
    offset: int = Field(0, ge=0, description="Skip so many lines; the last answer says which.")


class Expand(Arguments):
    """Arguments of ``expand``."""

    id: str = Field(min_length=4, max_length=40, description="The id in the brackets.")
    offset: int = Field(0, ge=0, description="Skip so many characters; the last answer says which.")


class Remember(Arguments):
    """Arguments of ``remember``."""

    text: str = Field(min_length=1, max_length=20_000, description="What to remember, in words.")
    session: str = Field("", description="The session it belongs to.")


class RememberFile(Arguments):
    """Arguments of ``remember_screenshot``, ``remember_speech`` and ``remember_sensor``."""

    path: str = Field(min_length=1, description="The file's path on this machine.")
    session: str = Field("", description="The session it belongs to.")
    captured_at: str = Field(
        "", description=f"When it was captured, if the file does not say. {_WHEN}"
    )


class Forget(Arguments):
    """Arguments of ``forget``."""

    ids: list[str] = Field([], description="The ids in the brackets of citations.")
    session: str = Field("", description="Everything of this session.")
    since: str = _SINCE
    until: str = _UNTIL
    modality: list[str] = Field([], description="Only these kinds.")
    confirm: bool = Field(
        False,
        description="False: only say what would be forgotten. True: forget it for good; only after "
        "the user has agreed.",
    )


def time_of(text: str, name: str) -> datetime | None:
    """The time that an argument gives; None for an empty one. Raises QueryError."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise QueryError(
            f"{name} is {text[:60]!r}; give an ISO 8601 time such as 2026-03-14T09:12:00Z"
        ) from error
