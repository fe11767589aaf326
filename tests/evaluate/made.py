"""Results made by hand, whose figures are known, for what is said and drawn of them."""

from collections.abc import Sequence

from agentctx.evaluate.abstention import Abstention, Refusal
from agentctx.evaluate.leakage import Form, Leakage
from agentctx.evaluate.metrics import Estimate, Latency
from agentctx.evaluate.results import METRICS, Method, Pair, Scores
from agentctx.evaluate.retrieval import RetrievalResult
from agentctx.evaluate.speech import Clip, SpeechResult

SEARCH = Latency(40, 21.4, 34.6)


def around(mean: float, half: float = 0.1) -> Estimate:
    """A mean with an interval of that half width."""
    return Estimate(mean, mean - half, mean + half)


def scored(
    mean: float, questions: int = 20, unanswered: int = 0, *, grouped: bool = True
) -> Scores:
    """Scores that are all the same, with or without groups."""
    means = {name: around(mean) for name in METRICS}
    if not grouped:
        del means["session_recall_at_10"]
    return Scores(questions, unanswered, **means)


def retrieval(
    methods: Sequence[Method] = (),
    pairs: Sequence[Pair] = (),
    *,
    skipped: int = 0,
    collections: int = 2,
    abstention: Abstention | None = None,
    leakage: Leakage | None = None,
) -> RetrievalResult:
    """A result with those methods; without any, agentctx at 0.8 and BM25 at 0.5."""
    categories = {"multi-hop": scored(0.4, 5), "temporal": scored(0.9, 15)}
    both = [Method("agentctx", scored(0.8), categories), Method("BM25", scored(0.5), {})]
    return RetrievalResult(
        "made",
        collections,
        100,
        20,
        skipped,
        0,
        methods or both,
        pairs,
        SEARCH,
        12.0,
        abstention,
        None,
        leakage,
    )


def refusals() -> Abstention:
    """Twenty answerable questions; gibberish is told from them, and much of what is off topic."""
    kinds = [
        Refusal("gibberish", 20, around(0.9), 1.0, 1.0),
        Refusal("off topic", 20, around(0.5), 0.875, 0.6),
    ]
    return Abstention(20, around(0.1), kinds)


def leak(after: int = 0, traces: int = 0, opaque: int = 0) -> Leakage:
    """Five observations forgotten, of which searches and files may have something left."""
    forms = [Form("its words", 5, 5, after), Form("moments", 5, 4, 0)]
    return Leakage(5, after, forms, 1200, 30, traces, opaque, 4_500_000)


def heard() -> SpeechResult:
    """Two recordings, one of them heard without an error."""
    clips = [Clip("a.wav", 10, 0, 6.0, 1.0, "..."), Clip("b.wav", 30, 6, 10.0, 1.0, "...")]
    return SpeechResult(clips, 40, 6, 0.15, 16.0, 2.0, 8.0)
