"""Evaluations as tables for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentctx.evaluate.locomo import LocomoResult, Scores
from agentctx.evaluate.screens import ScreensResult
from agentctx.evaluate.speech import SpeechResult

if TYPE_CHECKING:
    from rich.console import RenderableType


def locomo_table(found: LocomoResult) -> "RenderableType":
    """Every method over all questions, and the first (agentctx) by category too."""
    rows = [(method.name, method.overall) for method in found.methods]
    rows += [(f"  {name}", scores) for name, scores in found.methods[0].categories.items()]
    return _table(
        f"LoCoMo: {found.questions} questions on {found.turns} turns of {found.conversations} "
        f"conversations ({found.skipped} without evidence skipped)",
        (
            "",
            "questions",
            "unanswered",
            "turn recall@10 (95 %)",
            "recall@50",
            "MRR",
            "session recall@10",
        ),
        [(name, *_scores(scores)) for name, scores in rows],
        f"search: {found.search}",
    )


def _scores(scores: Scores) -> tuple[str, ...]:
    return (
        str(scores.questions),
        str(scores.unanswered),
        str(scores.recall_at_10),
        f"{scores.recall_at_50.mean:.3f}",
        f"{scores.mrr.mean:.3f}",
        f"{scores.session_recall_at_10.mean:.3f}",
    )


def screens_table(found: ScreensResult) -> "RenderableType":
    """Every method over all tasks."""
    return _table(
        f"Screens: {len(found.tasks)} tasks, {found.screens} screenshots "
        f"({found.without_text} without text)",
        ("", "task at 1 (95 %)", "in 5 hits (95 %)", "MRR (95 %)"),
        [(m.name, str(m.found_at_1), str(m.found_at_5), str(m.mrr)) for m in found.methods],
        f"adding: {found.seconds:.2f} s a screenshot (median); search: {found.search}",
    )


def speech_table(found: SpeechResult) -> "RenderableType":
    """Every recording, and all together."""
    clips = [
        (
            clip.file,
            str(clip.words),
            f"{clip.error_rate:.3f}",
            f"{clip.audio_seconds:.1f}",
            f"{clip.seconds:.2f}",
            f"{clip.audio_seconds / clip.seconds:.1f}",
        )
        for clip in found.clips
    ]
    overall = (
        "all",
        str(found.words),
        f"{found.word_error_rate:.3f}",
        f"{found.audio_seconds:.1f}",
        f"{found.seconds:.2f}",
        f"{found.times_real_time:.1f}",
    )
    columns = ("", "words", "word error rate", "sound (s)", "adding (s)", "x real time")
    return _table("Speech", columns, [*clips, overall])


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str | None = None
) -> "RenderableType":
    from rich.table import Table

    table = Table(
        title=title, caption=caption, title_justify="left", caption_justify="left", box=None
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
