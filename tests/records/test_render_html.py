"""What a notebook shows of hits, moments and contexts."""

import base64
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from agentctx import Citation, Context, Hit, Media, Memory, Moment, Observation

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e&amp;"
MARKUP = {"div", "b", "table", "tr", "td", "bdi", "details", "summary", "pre", "ul", "li", "img"}
MARKUP |= {"svg", "polyline", "path"}


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def window(minute: int, mean: float) -> Observation:
    """A minute of a channel as the sensor plugin writes it."""
    return Observation(
        modality="sensor",
        text=f"vibration at {mean}",
        captured_at=NINE + timedelta(minutes=minute),
        duration=60.0,
        attributes={
            "channel": "vibration",
            "unit": "mm/s",
            "mean": mean,
            "std": 0.5,
            "shape": (-1.0, 0.0, 1.0, 2.0),
        },
    )


def html(record: Hit | Moment | Context) -> str:
    return record._repr_html_()


def test_a_hit_shows_its_picture_and_why(incident: Memory) -> None:
    (found,) = incident.search("Which alarm was raised?", limit=1, modality="screenshot")
    shown = html(found)
    assert "V-417" in shown
    assert f"{found.score:.2f} · " in shown
    assert found.id[:10] in shown
    thumbnail = found.observation.find_media("thumbnail")
    assert thumbnail is not None
    data = base64.b64encode(thumbnail.read()).decode()
    assert f'src="data:image/webp;base64,{data}"' in shown
    assert str(incident.directory) not in shown


def test_a_moment_shows_pictures_and_curves(incident: Memory) -> None:
    (moment,) = incident.moments("the seal is leaking", limit=1)
    shown = html(moment)
    assert shown.count("<img ") == 1
    channels = {o.attributes["channel"] for o in moment.companions if "shape" in o.attributes}
    assert shown.count("<polyline ") == len(channels) == 4
    assert shown.count("<tr>") == len(moment.hits) + len(moment.companions)
    assert shown.count("font-weight:bold") == len(moment.hits)


def test_a_context_shows_its_text_and_marks(incident: Memory) -> None:
    question = "What did the operator decide?"
    numbered = html(incident.context(question))
    assert "<li>[1] " in numbered
    context = incident.context(question, cite="id")
    assert f"<li>[{context.citations[0].id}] " in html(context)
    assert f"{context.tokens} tokens" in numbered or f"{context.tokens} tokens" in html(context)


def test_a_curve_is_the_course_of_the_channel() -> None:
    windows = [window(minute, mean) for minute, mean in enumerate((2.0, 4.0))]
    moment = Moment(NINE, NINE, 1.0, (Hit(windows[0], 1.0),), (windows[1],))
    shown = html(moment)
    assert "<bdi>vibration</bdi> 1.5 to 5 <bdi>mm/s</bdi>" in shown
    points = re.search(r'points="([^"]+)"', shown)
    assert points is not None
    places = [tuple(map(float, pair.split(","))) for pair in points[1].split()]
    assert len(places) == 8
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert places[0][1] == 28.0, "the lowest value is at the bottom"
    assert places[-1] == (160.0, 0.0), "and the highest, at the end, at the top"
    flat = Observation(attributes={"channel": "a", "mean": 1.0, "std": 0.0, "shape": (0.0,)})
    assert "a</bdi> 1 to 1 " in html(Hit(flat, 1.0))


@given(st.text(max_size=60) | st.just(EVIL))
def test_nothing_from_outside_becomes_markup(text: str) -> None:
    picture = Media.of_bytes("thumbnail", f"text/html{text}", b"<script>alert(1)</script>")
    one = Observation(
        modality=text,
        text=text,
        captured_at=NINE,
        session=text,
        source=text,
        attributes={"channel": text, "unit": text, "mean": 1, "std": 1, "shape": (0, 1)},
        media=(picture,),
    )
    hit = Hit(one, 0.5, passage=text)
    moment = Moment(NINE, NINE, 0.5, (hit,), (one,))
    context = Context(text, (Citation(1, one, text),), (), 3)
    for record in (hit, moment, context):
        for tag, attributes in Tags(html(record)).found:
            assert tag in MARKUP - {"img"}
            assert not any(name.startswith("on") for name in attributes)


def test_records_stay_light() -> None:
    code = "import agentctx.records, sys; print('agentctx.render_html' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# -- waveforms --------------------------------------------------------------------------------


def said(packed: bytes) -> Hit:
    wave = Media.of_bytes("waveform", "application/json", packed)
    return Hit(Observation(modality="speech", text="stop", captured_at=NINE, media=(wave,)), 0.5)


def test_a_peak_is_as_high_as_it_is_loud() -> None:
    shown = html(said(b"[0, 50, 100]"))
    assert re.findall(r"v([\d.]+)", shown) == ["0.0", "14.0", "28.0"]


@given(st.binary(max_size=40) | st.sampled_from([b"[]", b"{}", b'["<b>"]', b"[NaN, 1e999, -4]"]))
def test_a_waveform_that_is_none_shows_nothing_bad(packed: bytes) -> None:
    assert {tag for tag, _ in Tags(html(said(packed))).found} <= MARKUP
