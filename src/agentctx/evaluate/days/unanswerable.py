"""Questions that nothing answers: about what no day holds, and about nothing at all."""

from random import Random

from agentctx.evaluate.days.chance import seeded
from agentctx.evaluate.days.worlds import texts

_UNKNOWN = ("screen", "speech", "when_screen_speech", "just_after_screen", "during_speech_screen")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ONSETS = ("b", "br", "d", "fl", "g", "gr", "k", "kl", "m", "n", "p", "pl", "s", "sn", "t", "v",
           "w", "z", "zh", "qu")  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "oo", "ai", "y")
_CODAS = ("", "b", "ck", "g", "l", "mp", "n", "nk", "rt", "sk", "x", "zz")
_FRAMES = (
    "What did the {} say about the {}?",
    "When was the {} {}ed?",
    "which {} has a {} on it",
    "{} {} before the {}?",
)


def off_topic(count: int, seed: int) -> list[str]:
    """So many of the questions about what no day holds."""
    return seeded(f"off-topic {seed}").sample(texts("off_topic")["questions"], count)


def unknown(count: int, seed: int) -> list[str]:
    """So many questions of the same wording as those with an answer, on what no day holds."""
    rng = seeded(f"unknown {seed}")
    phrasings = texts("phrasings")
    matters = rng.sample(texts("off_topic")["matters"], count)
    kinds = [kind for names in phrasings["kind"].values() for kind in names]
    return [
        rng.choice(phrasings[rng.choice(_UNKNOWN)]).format(m=matter, kind=rng.choice(kinds))
        for matter in matters
    ]


def gibberish(count: int, seed: int) -> list[str]:
    """Keys hit at random, letters and digits, words that are none, and these as a question."""
    rng = seeded(f"gibberish {seed}")
    makers = (_mashed, _random_characters, _invented, _framed)
    return [makers[number % len(makers)](rng) for number in range(count)]


def _mashed(rng: Random) -> str:
    return " ".join("".join(rng.choices(rng.choice(_KEYS), k=rng.randrange(3, 9)))
                    for _ in range(rng.randrange(2, 6)))  # fmt: skip


def _random_characters(rng: Random) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return " ".join(
        "".join(rng.choices(letters, k=rng.randrange(4, 11))) for _ in range(rng.randrange(1, 5))
    )


def _word(rng: Random) -> str:
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)
        for _ in range(rng.randrange(2, 4))
    )


def _invented(rng: Random) -> str:
    return " ".join(_word(rng) for _ in range(rng.randrange(3, 7)))


def _framed(rng: Random) -> str:
    frame = rng.choice(_FRAMES)
    return frame.format(*(_word(rng) for _ in range(frame.count("{}"))))
