"""The doubles: the same in every process, and what they refuse."""

import doctest
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.errors import PluginError, WeightsNotFound
from agentctx.records import Observation
from agentctx.testing import doubles
from agentctx.testing.doubles import FixedServices, HashEncoder


def test_their_examples_hold() -> None:
    found = doctest.testmod(doubles)
    assert found.attempted >= 5
    assert found.failed == 0


def test_services_give_what_they_were_given(tmp_path: Path) -> None:
    encoder = HashEncoder()
    services = FixedServices({"model": tmp_path}, {"double": encoder})
    assert services.weights.find("model") == tmp_path
    assert services.encoder("double") is encoder
    assert services.asked == ["model"]


def test_services_have_nothing_else() -> None:
    services = FixedServices()
    with pytest.raises(WeightsNotFound, match="no weights for 'model'"):
        services.weights.find("model")
    assert services.asked == ["model"]
    with pytest.raises(PluginError, match="no encoder is called 'minilm'"):
        services.encoder("minilm")


def vector(text: str) -> list[float]:
    return HashEncoder().encode_query(Observation(text=text)).vectors[0].tolist()


@pytest.mark.parametrize("seed", ["0", "1"])
def test_vectors_do_not_depend_on_the_process(seed: str) -> None:
    """Python's own hash does: PYTHONHASHSEED changes it."""
    code = (
        "from agentctx import Observation\n"
        "from agentctx.testing.doubles import HashEncoder\n"
        "text = Observation(text='the seal leaks')\n"
        "print(HashEncoder().encode_query(text).vectors[0].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(vector("the seal leaks"))


def test_a_word_is_the_first_64_bits_of_its_sha256() -> None:
    """A change here is a change for those who pinned scores of their own."""
    bits = f"{int(hashlib.sha256(b'pump').hexdigest()[:16], 16):064b}"
    assert ["1" if value > 0 else "0" for value in vector("Pump.")] == list(bits)


@given(st.lists(st.sampled_from(["pump", "seal", "leak", "noon", "4711"]), min_size=1))
def test_order_and_punctuation_change_nothing(words: list[str]) -> None:
    assert vector(" ".join(words)) == vector(", ".join(sorted(words)).upper() + "!")


@given(st.text(), st.integers(1, 5))
def test_passages_have_at_most_max_words(text: str, limit: int) -> None:
    encoder = HashEncoder(max_words=limit)
    parts = [text[start:stop] for start, stop in encoder.split(text)]
    assert all(1 <= encoder.count_tokens(part) <= limit for part in parts)
    assert " ".join(parts).split() == text.split()


def test_the_package_itself_needs_no_pytest() -> None:
    code = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "import agentctx.app, agentctx.cli, agentctx.testing, agentctx.testing.doubles"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
