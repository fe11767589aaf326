"""Two runs against each other: kept, read again, compared; and what cannot be."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentctx.errors import ConfigError, SourceInvalid
from agentctx.evaluate import saved
from agentctx.evaluate.comparison import compare
from agentctx.evaluate.metrics import Latency
from agentctx.evaluate.report import comparison_tables
from agentctx.evaluate.results import Detail, Question
from agentctx.evaluate.saved import Run


def detail(recalls: list[float], first: int = 0, mrr: float = 0.5) -> Detail:
    questions = [
        Question(f"talk/q{n}", f"What is {n}?", "odd" if n % 2 else "even")
        for n in range(first, first + len(recalls))
    ]
    columns = {
        "recall_at_10": recalls,
        "mrr": [mrr] * len(recalls),
        "session_recall_at_10": [None] * len(recalls),
    }
    others = {name: [0.0] * len(recalls) for name in columns}
    return Detail(
        "recall_at_10", questions, {"agentctx": columns, "BM25": others}, Latency(4, 20.0, 30.0)
    )


def test_differences_are_paired_by_question() -> None:
    a = Run("a.json", {"talks": detail([0.0, 0.5, 1.0, 1.0])})
    b = Run("b.json", {"talks": detail([1.0, 0.0, 1.0, 0.5], first=1, mrr=0.75)})
    found = compare(a, b)
    (part,) = found.parts
    # Shared are q1, q2, q3: 0.5 to 1, 1 to 0, 1 to 1.
    assert (part.questions, part.only_a, part.only_b) == (3, 1, 1)
    recall, mrr = part.differences
    assert (recall.metric, recall.a, recall.b) == ("recall_at_10", 2.5 / 3, 2 / 3)
    assert recall.difference.mean == pytest.approx(-0.5 / 3)
    assert recall.difference.low <= recall.difference.mean <= recall.difference.high
    assert not recall.clear
    assert (mrr.metric, mrr.clear) == ("mrr", True)
    assert [(one.question.id, one.a, one.b) for one in part.won] == [("talk/q1", 0.5, 1.0)]
    assert [(one.question.id, one.a, one.b) for one in part.lost] == [("talk/q2", 1.0, 0.0)]


def test_a_run_against_itself_is_a_draw() -> None:
    run = Run("a.json", {"talks": detail([0.0, 0.5, 1.0])})
    (part,) = compare(run, run).parts
    assert (part.won, part.lost) == ([], [])
    assert {one.difference.mean for one in part.differences} == {0.0}
    assert not any(one.clear for one in part.differences)


def test_parts_that_only_one_has_are_named() -> None:
    a = Run("a.json", {"talks": detail([0.0]), "screens": detail([1.0])})
    b = Run("b.json", {"talks": detail([1.0]), "signs": detail([1.0], first=7)})
    assert compare(a, b).unmatched == ["screens", "signs"]
    with pytest.raises(SourceInvalid, match=r"no question in it was asked in a\.json"):
        compare(a, Run("c.json", {"talks": detail([1.0], first=7)}))


def test_the_tables_say_who_is_better() -> None:
    runs = [Run(name, {"talks": detail([float(n), 0.0, 1.0 - n])}) for n, name in enumerate("ab")]
    differences, won, lost = comparison_tables(compare(*runs))
    assert differences.title == "talks: B less A on 3 questions"
    assert differences.rows[0][:3] == ("recall@10", "0.333", "0.333")
    assert "p50 20 ms" in differences.note
    assert won.rows == [("0.00", "1.00", "even", "What is 0?")]
    assert lost.title == "talks: 1 question lost by recall@10"


# -- kept and read again --------------------------------------------------------------------------


def test_a_run_is_what_it_was(tmp_path: Path, evaluation: Any) -> None:
    saved.save(evaluation, tmp_path / "a.json")
    again = saved.read(tmp_path / "a.json")
    before = saved.run_of(evaluation, "a.json")
    assert again.name == "a.json"
    assert list(again.details) == list(before.details) == ["locomo"]
    old, new = before.details["locomo"], again.details["locomo"]
    assert new.questions == old.questions
    assert new.latency == old.latency
    for method, columns in old.values.items():
        for metric, values in columns.items():
            assert new.values[method][metric] == pytest.approx(values, abs=1e-4)
    plain = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert plain["locomo"] == json.loads(json.dumps(saved.summary(evaluation)["locomo"]))
    (part,) = compare(before, again).parts
    assert not part.won + part.lost


def test_a_run_that_cannot_be_written(tmp_path: Path, evaluation: Any) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        saved.save(evaluation, tmp_path / "there" / "is" / "no.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(kind="another"), "it is no run of this version"),
        (lambda d: d.pop("details"), "'details'"),
        (lambda d: d["details"]["talks"].update(values={}), "there is no method"),
        (lambda d: d["details"]["talks"]["questions"].pop(), "3 figures for 2 questions"),
        (
            lambda d: d["details"]["talks"]["questions"][0].update(id=1, more=2),
            "unexpected keyword",
        ),
        (lambda d: d["details"]["talks"].update(latency=3), "the figures of a run"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    document: dict[str, Any] = {
        "kind": "agentctx evaluation 1",
        "details": {
            "talks": {
                "primary": "recall_at_10",
                "questions": [{"id": f"q{n}", "text": "?", "category": ""} for n in range(3)],
                "values": {"agentctx": {"recall_at_10": [0.0, 0.5, 1.0]}},
                "latency": None,
            }
        },
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    assert list(saved.read(path).details) == ["talks"]
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(SourceInvalid, match=message):
        saved.read(path)


def test_a_run_of_another_version_of_a_metric_is_compared_by_what_both_have() -> None:
    a = detail([0.0, 1.0])
    b = replace(a, values={"agentctx": {"mrr": [1.0, 1.0]}})
    (part,) = compare(Run("a", {"talks": a}), Run("b", {"talks": b})).parts
    assert [one.metric for one in part.differences] == ["mrr"]
    assert not part.won + part.lost
