"""The contract suites pass what is right, and fail what is wrong where it is wrong."""

import re
from textwrap import dedent, indent

import pytest

from agentctx.testing import contracts

pytest_plugins = ["pytester"]

PLUGIN = """
    import datetime, hashlib, uuid
    from agentctx import Media, Observation
    from agentctx.errors import SourceInvalid

    class Good:
        def __init__(self, services, *, prefix=""):
            self.prefix = prefix

        def accepts(self, source):
            return source.suffix == ".beacon"

        def observe(self, source):
            data = source.path.read_bytes()
            if not data:
                raise SourceInvalid(source.name, "it is empty")
            yield self.told(source, data)

        def told(self, source, data, **other):
            known = dict(
                text=self.prefix + data.decode(),
                captured_at=source.captured_at,
                session=source.session,
                source=source.name,
                attributes=source.attributes,
                media=[Media.of_bytes("original", "text/plain", data)],
            )
            return Observation(**{**known, **other})
"""

ENCODER = """
    import numpy as np
    from agentctx.records import Embeddings
    from agentctx.testing.doubles import HashEncoder as Good
"""

RERANKER = """
    import numpy as np

    class Good:
        floor = 0.2

        def __init__(self, services):
            pass

        def score(self, query, candidates):
            wanted = set(query.text.lower().split())
            shares = [len(wanted & set(c.text.lower().split())) / len(wanted) for c in candidates]
            return np.array(shares, np.float32)
"""

WATCHER = """
    import pathlib, threading, time
    from agentctx import Observation
    from agentctx.contracts import Arrival
    from agentctx.errors import SourceNotFound

    class Good:
        def __init__(self, services, *, log: pathlib.Path | None = None, wait: float = 0.01):
            self.log, self.wait = log, wait

        def watch(self, stop):
            yield from self.lines(stop)

        def lines(self, stop):
            if self.log is None or not self.log.exists():
                raise SourceNotFound(f"log {self.log}", "there is none; check --log")
            while not stop.wait(self.wait):
                while self.log.read_text():
                    line = self.log.read_text().splitlines()[0]
                    yield self.told(line)

        def told(self, line):
            return Arrival(
                item=Observation(text=line, source="log"), source="log", done=self.shorten)

        def shorten(self):
            lines = self.log.read_text().splitlines(keepends=True)
            self.log.write_text("".join(lines[1:]))
"""

SUITES = {
    "plugin": """
        import pytest
        from agentctx.testing.contracts import PluginContract

        class TestIt(PluginContract):
            factory = {factory}

            @pytest.fixture
            def sources(self, tmp_path):
                path = tmp_path / "a.beacon"
                path.write_text("harbour light on")
                return [path]

            @pytest.fixture
            def foreign(self, tmp_path):
                path = tmp_path / "a.docx"
                path.write_bytes(b"PK")
                return [path]

            @pytest.fixture
            def damaged(self, tmp_path):
                path = tmp_path / "cut.beacon"
                path.write_bytes(b"")
                return [path]
        """,
    "encoder": """
        from agentctx.testing.contracts import TextEncoderContract

        class TestIt(TextEncoderContract):
            factory = {factory}
        """,
    "reranker": """
        from agentctx.testing.contracts import RerankerContract

        class TestIt(RerankerContract):
            factory = {factory}
        """,
    "watcher": """
        import itertools
        import pytest
        from agentctx.testing.contracts import WatcherContract

        class TestIt(WatcherContract):
            factory = {factory}
            remembers = True

            @pytest.fixture
            def reachable(self, tmp_path):
                (tmp_path / "log").touch()
                return {{"log": tmp_path / "log"}}

            @pytest.fixture
            def unreachable(self, tmp_path):
                return {{"log": tmp_path / "none"}}

            @pytest.fixture
            def happen(self, tmp_path):
                def happen():
                    with (tmp_path / "log").open("a") as log:
                        log.write("the light is on\\n")
                return happen
        """,
}
GOOD = {"plugin": PLUGIN, "encoder": ENCODER, "reranker": RERANKER, "watcher": WATCHER}

# What is wrong: the body of a subclass of Good, which test fails, and what it says.
BAD_PLUGINS = {
    "naive times": (
        """
        def told(self, source, data):
            noon = datetime.datetime(2026, 3, 14, 12)
            return super().told(source, data, captured_at=noon)
        """,
        {"times_follow_the_hint_and_no_zone": "not by 1:00:00"},
    ),
    "the hint's zone is dropped": (
        """
        def told(self, source, data):
            naive = source.captured_at.replace(tzinfo=None)
            return super().told(source, data, captured_at=naive)
        """,
        {"times_follow_the_hint_and_no_zone": "not by 1:00:00"},
    ),
    "the time of reading": (
        """
        def told(self, source, data):
            now = datetime.datetime.now(datetime.UTC)
            return super().told(source, data, captured_at=now)
        """,
        {
            "times_follow_the_hint_and_no_zone": "not by 1:00:00",
            "the_same_file_gives_the_same_ids": "is then",
        },
    ),
    "unstable ids": (
        """
        def told(self, source, data):
            return super().told(source, data, text=uuid.uuid4().hex)
        """,
        {"the_same_file_gives_the_same_ids": "is then"},
    ),
    "a wrong media digest": (
        """
        def told(self, source, data):
            media = Media("original", "text/plain", "0" * 64, len(data), data=data)
            return super().told(source, data, media=[media])
        """,
        {"observations_are_whole": "wrong digest"},
    ),
    "a wrong media size": (
        """
        def told(self, source, data):
            digest = hashlib.sha256(data).hexdigest()
            media = Media("original", "text/plain", digest, 1, data=data)
            return super().told(source, data, media=[media])
        """,
        {"observations_are_whole": "wrong size"},
    ),
    "another session": (
        """
        def told(self, source, data):
            return super().told(source, data, session="mine")
        """,
        {"observations_are_whole": "the session is 'mine'"},
    ),
    "only the file's name as source": (
        """
        def told(self, source, data):
            import dataclasses
            return dataclasses.replace(super().told(source, data), source=source.path.name)
        """,
        {"observations_are_whole": "source is 'a.beacon'"},
    ),
    "attributes of the caller lost": (
        """
        def told(self, source, data):
            return super().told(source, data, attributes={"size": len(data)})
        """,
        {"observations_are_whole": "attribute 'place' of the caller is None"},
    ),
    "nested attributes": (
        """
        def told(self, source, data):
            nested = {**source.attributes, "box": {"left": 1}}
            return super().told(source, data, attributes=nested)
        """,
        dict.fromkeys(
            (
                "observations_are_whole",
                "the_same_file_gives_the_same_ids",
                "times_follow_the_hint_and_no_zone",
            ),
            "attribute 'box' is {'left': 1}; it must be",
        ),
    ),
    "an attribute that is no JSON": (
        """
        def told(self, source, data):
            endless = {**source.attributes, "peak": float("inf")}
            return super().told(source, data, attributes=endless)
        """,
        {"observations_are_whole": "attributes are no JSON"},
    ),
    "the latest first": (
        """
        def observe(self, source):
            for one in super().observe(source):
                earlier = one.captured_at - datetime.timedelta(seconds=1)
                yield one
                yield self.told(source, b"before", captured_at=earlier)
        """,
        {"observations_are_whole": "out of order"},
    ),
    "ValueError on damage": (
        """
        def observe(self, source):
            if not source.path.read_bytes():
                raise ValueError("it is empty")
            yield from super().observe(source)
        """,
        {"damaged_files_are_refused_by_name": r"ValueError\('it is empty'\) is no SourceError"},
    ),
    "damage that goes unnoticed": (
        """
        def observe(self, source):
            yield self.told(source, source.path.read_bytes())
        """,
        {"damaged_files_are_refused_by_name": "DID NOT RAISE"},
    ),
    "an error that does not name the file": (
        """
        def observe(self, source):
            if not source.path.read_bytes():
                raise SourceInvalid("a file", "it is empty")
            yield from super().observe(source)
        """,
        {"damaged_files_are_refused_by_name": "the error names 'a file'"},
    ),
    "accepting everything": (
        """
        def accepts(self, source):
            return True
        """,
        {"it_accepts_its_own_and_nothing_else": "a.docx is accepted"},
    ),
    "accepting raises": (
        """
        def accepts(self, source):
            return super().accepts(source) and bool(source.head.decode())
        """,
        {"accepting_never_raises_and_remembers_nothing": "UnicodeDecodeError"},
    ),
    "accepting once": (
        """
        def accepts(self, source):
            known, self.known = getattr(self, "known", None), source.path
            return super().accepts(source) and known != source.path
        """,
        {"accepting_never_raises_and_remembers_nothing": "True, then False"},
    ),
    "weights read by the factory": (
        """
        def __init__(self, services):
            super().__init__(services)
            try:
                services.weights.find("beacon")
            except Exception:
                pass
        """,
        {"the_factory_is_cheap_and_keeps_the_protocol": "weights are asked for"},
    ),
    "a positional option": (
        """
        def __init__(self, services, prefix=""):
            super().__init__(services)
        """,
        {"options_are_keywords": "prefix must be keyword-only"},
    ),
    "requires in words": (
        """
        requires = ("numpy",)
        """,
        {"requires_is_a_tuple_of_requirements": "numpy"},
    ),
}

BAD_ENCODERS = {
    "vectors that are not of length 1": (
        """
        def encode(self, passages):
            return Embeddings(2 * super().encode(passages).vectors, super().encode(passages).tokens)
        """,
        {"rows_are_float32_of_length_1": "not 1", "splitting_covers_the_text": "not 1",
         "nothing_is_cut_off_silently": "not 1"},
    ),
    "double precision": (
        """
        def encode(self, passages):
            found = super().encode(passages)
            return Embeddings(found.vectors.astype(float), found.tokens)
        """,
        {"rows_are_float32_of_length_1": "float64", "splitting_covers_the_text": "float64",
         "nothing_is_cut_off_silently": "float64"},
    ),
    "silent truncation": (
        """
        def split(self, text):
            return [(0, len(text))] if text.strip() else []

        def encode(self, passages):
            import dataclasses
            cut = [dataclasses.replace(p, text=" ".join(p.text.split()[:64])) for p in passages]
            return super().encode(cut)
        """,
        {"nothing_is_cut_off_silently": "is truncated"},
    ),
    "a split that loses the rest": (
        """
        def split(self, text):
            return super().split(text)[:1]
        """,
        {"splitting_covers_the_text": "left out"},
    ),
    "rows that depend on the batch": (
        """
        def encode(self, passages):
            found = super().encode(passages)
            vectors = found.vectors - 0.5 * found.vectors.mean(axis=0) if len(passages) > 1 else (
                found.vectors)
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            return Embeddings(vectors.astype(np.float32), found.tokens)
        """,
        {"a_row_does_not_depend_on_its_batch": "row 0 alone has cosine"},
    ),
    "rows sorted by length": (
        """
        def encode(self, passages):
            return super().encode(sorted(passages, key=lambda p: len(p.text)))
        """,
        {"a_row_does_not_depend_on_its_batch": "to itself",
         "queries_live_in_the_same_space": "is nearer to the query"},
    ),
    "queries in a space of their own": (
        """
        def encode_query(self, query):
            found = super().encode_query(query)
            return Embeddings(-found.vectors, found.tokens)
        """,
        {"queries_live_in_the_same_space": "is nearer to the query"},
    ),
    "Python's hash, another in every process": (
        """
        def __init__(self, services, *, seed=None):
            super().__init__(services)
            self.signs = np.sign(np.random.default_rng(seed).normal(size=64)).astype(np.float32)

        def encode(self, passages):
            found = super().encode(passages)
            return Embeddings(found.vectors * self.signs, found.tokens)
        """,
        {"two_instances_agree": "vectors differ"},
    ),
    "no token vectors in spite of the card": (
        """
        def encode(self, passages):
            return Embeddings(super().encode(passages).vectors)
        """,
        {"rows_are_float32_of_length_1": "no token vectors",
         "splitting_covers_the_text": "no token vectors",
         "nothing_is_cut_off_silently": "no token vectors"},
    ),
    "a card that changes": (
        """
        encoded = 0

        @property
        def card(self):
            import dataclasses
            return dataclasses.replace(super().card, revision=f"after {self.encoded}")

        def encode(self, passages):
            self.encoded += 1
            return super().encode(passages)
        """,
        {"the_card_is_complete_and_constant": "now it is"},
    ),
    "a card without a licence": (
        """
        @property
        def card(self):
            import dataclasses
            return dataclasses.replace(super().card, licence="")
        """,
        {"the_card_is_complete_and_constant": "leaves out"},
    ),
    "white space taken": (
        """
        def accepts(self, observation):
            return True
        """,
        {"accepting_agrees_with_the_card": "accepted: "},
    ),
}  # fmt: skip

BAD_RERANKERS = {
    "scores out of range": (
        """
        def score(self, query, candidates):
            return super().score(query, candidates) * 10 - 1
        """,
        {"scores_are_float32_within_0_and_1": r"not in 0\.\.1"},
    ),
    "no numbers": (
        """
        def score(self, query, candidates):
            return super().score(query, candidates) * np.float32("nan")
        """,
        {"scores_are_float32_within_0_and_1": r"not in 0\.\.1",
         "the_order_of_candidates_does_not_matter": "differ by"},
    ),
    "ranks for scores": (
        """
        def score(self, query, candidates):
            return np.linspace(1, 0, len(candidates), dtype=np.float32)
        """,
        {"the_order_of_candidates_does_not_matter": "differ by"},
    ),
    "a list": (
        """
        def score(self, query, candidates):
            return super().score(query, candidates).astype(float)
        """,
        {"scores_are_float32_within_0_and_1": "float64"},
    ),
    "no candidates fail": (
        """
        def score(self, query, candidates):
            return super().score(query, candidates) / max(len(c.text) + 1 for c in candidates)
        """,
        {"scores_are_float32_within_0_and_1": "ValueError"},
    ),
    "a floor above every score": (
        """
        floor = 2.5
        """,
        {"the_floor_is_a_score": "floor is 2.5"},
    ),
}  # fmt: skip

BAD_WATCHERS = {
    "an option for programs only": (
        """
        def __init__(self, services, *, log: dict | None = None):
            super().__init__(services, log=log)
        """,
        {"its_options_fit_the_command_line": "'log' is annotated dict"},
    ),
    "an iterator that cannot be closed": (
        """
        def watch(self, stop):
            return iter(list(zip("ab")))
        """,
        dict.fromkeys(
            (
                "a_file_is_there_until_the_next_is_asked_for",
                "a_watch_that_is_stopped_before_gives_nothing_new",
                "closing_lets_go_of_everything",
                "it_ends_when_told",
                "what_arrives_can_be_added",
            ),
            "no generator",
        )
        | {"nothing_is_opened_before_it_is_asked_for": "close",
           "what_is_not_done_comes_again": "no generator"},
    ),
    "opened at once": (
        """
        def watch(self, stop):
            if not self.log.exists():
                raise SourceNotFound("log", "there is none")
            return super().watch(stop)
        """,
        {"nothing_is_opened_before_it_is_asked_for": "there is none"},
    ),
    "an error of the system": (
        """
        def watch(self, stop):
            self.log.stat()
            yield from super().watch(stop)
        """,
        {"nothing_is_opened_before_it_is_asked_for": "is no SourceError"},
    ),
    "no source": (
        """
        def told(self, line):
            return Arrival(item=Observation(text=line, source="log"), source="", done=self.shorten)
        """,
        {"what_arrives_can_be_added": "has no source"},
    ),
    "another source": (
        """
        def told(self, line):
            return Arrival(item=Observation(text=line), source="log", done=self.shorten)
        """,
        {"what_arrives_can_be_added": "names another source"},
    ),
    "files that no plugin knows": (
        """
        def told(self, line):
            path = self.log.with_name("line.docx")
            path.write_text(line)
            return Arrival(item=path, source="log", done=lambda: (self.shorten(), path.unlink()))
        """,
        {"what_arrives_can_be_added": "no plugin knows files like this"},
    ),
    "files that stay": (
        """
        def told(self, line):
            path = self.log.with_name("line.txt")
            path.write_text(line)
            return Arrival(item=path, source="log", done=self.shorten)
        """,
        {"a_file_is_there_until_the_next_is_asked_for": "files are left behind"},
    ),
    "a thread that stays": (
        """
        def watch(self, stop):
            threading.Thread(target=time.sleep, args=(1,)).start()
            yield from super().watch(stop)
        """,
        {"closing_lets_go_of_everything": "threads are left"},
    ),
    "what was not done is forgotten": (
        """
        def told(self, line):
            self.shorten()
            return Arrival(item=Observation(text=line + str(time.time()), source="log"),
                           source="log")
        """,
        {"what_is_not_done_comes_again": "was not done; what came then is"},
    ),
}  # fmt: skip

CASES = [
    pytest.param(kind, body, failing, id=f"{kind}: {what}")
    for kind, cases in (
        ("plugin", BAD_PLUGINS),
        ("encoder", BAD_ENCODERS),
        ("reranker", BAD_RERANKERS),
        ("watcher", BAD_WATCHERS),
    )
    for what, (body, failing) in cases.items()
]


@pytest.fixture(autouse=True)
def _pytest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest inside loads no plugins, which take longer than the tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def outcomes(pytester: pytest.Pytester, code: str) -> tuple[dict[str, str], int]:
    """Which checks of a suite fail, with all that each says; and how many pass."""
    path = pytester.makepyfile(code)
    recorder = pytester.inline_run(path, "-p", "no:cacheprovider", "-q")
    passed, skipped, failed = recorder.listoutcomes()
    assert not skipped
    names = [re.sub(r".*::test_|\[.*", "", report.nodeid) for report in failed]
    said = [report.longreprtext for report in failed]
    return dict(zip(names, said, strict=True)), len(passed)


@pytest.mark.parametrize("kind", sorted(SUITES))
def test_a_good_one_passes(kind: str, pytester: pytest.Pytester) -> None:
    suite = dedent(SUITES[kind]).format(factory="Good")
    failed, passed = outcomes(pytester, dedent(GOOD[kind]) + suite)
    assert failed == {}
    assert passed >= 6


@pytest.mark.parametrize(("kind", "body", "failing"), CASES)
def test_a_bad_one_fails(
    kind: str, body: str, failing: dict[str, str], pytester: pytest.Pytester
) -> None:
    bad = "\nclass Bad(Good):\n" + indent(dedent(body), "    ")
    suite = dedent(SUITES[kind]).format(factory="Bad")
    failed, passed = outcomes(pytester, dedent(GOOD[kind]) + bad + suite)
    assert failed.keys() == failing.keys()
    assert passed
    for name, words in failing.items():
        assert re.search(words, failed[name]), failed[name]


def test_the_example_in_the_documentation_passes(pytester: pytest.Pytester) -> None:
    example = dedent((contracts.__doc__ or "").split("\n\n", 2)[2].rpartition("\n\n")[0])
    pytester.makepyfile(my_package=dedent(PLUGIN).replace("class Good", "class Beacon"))
    pytester.syspathinsert()
    failed, passed = outcomes(pytester, example)
    assert failed == {}
    assert passed == 9


def test_a_suite_says_what_it_must_be_given(pytester: pytest.Pytester) -> None:
    code = """
        from agentctx.testing.contracts import PluginContract

        class TestIt(PluginContract):
            factory = Good
        """
    failed, _ = outcomes(pytester, dedent(PLUGIN) + dedent(code))
    assert "give the suite `sources`" in failed["observations_are_whole"]
    assert "give the suite `damaged`" in failed["damaged_files_are_refused_by_name"]
