"""A small working day in a boatyard, for asking about: screens, talk and two sensors.

Every observation has a short name, so that a test can say which ones it expects. In a second
session of the same morning, a galley, the same kinds of things happen about other matters.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from agentctx import Hit, Observation

DAY = datetime(2026, 3, 18, tzinfo=UTC)
# The reference time of the questions: a Wednesday afternoon.
NOW = DAY + timedelta(hours=16, minutes=20)
YARD, GALLEY = "boatyard", "galley"


def clock(time: str, day: datetime = DAY) -> datetime:
    """The time of a clock on that day: "9:12", "9:12:30"."""
    hours, minutes, seconds = (*map(int, time.split(":")), 0)[:3]
    return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def screen(time: str, text: str, app: str = "Firefox", session: str = YARD) -> Observation:
    return Observation(
        modality="screenshot",
        text=text,
        captured_at=clock(time),
        session=session,
        source=f"{session}/screen-{time.replace(':', '')}.png",
        attributes={"app": app},
    )


def said(
    time: str, text: str, speaker: str = "Ann", session: str = YARD, seconds: float = 5.0
) -> Observation:
    return Observation(
        modality="speech",
        text=text,
        captured_at=clock(time),
        duration=seconds,
        session=session,
        source=f"{session}/talk.wav",
        attributes={"speaker": speaker},
    )


def window(
    time: str, channel: str, unit: str, low: float, high: float, session: str = YARD
) -> Observation:
    """Five minutes of a channel, with words and attributes as the sensor plugin makes them."""
    start, mean = clock(time), (low + high) / 2
    end, low_at, high_at = (start + timedelta(minutes=m) for m in (5, 1, 4))
    return Observation(
        modality="sensor",
        text=(
            f"{channel.capitalize()} from {start:%H:%M} to {end:%H:%M} UTC on {start:%Y-%m-%d}: "
            f"mean {mean:g} {unit}, lowest {low:g} at {low_at:%H:%M:%S}, "
            f"highest {high:g} at {high_at:%H:%M:%S}, last {mean:g}, steady."
        ),
        captured_at=start,
        duration=300.0,
        session=session,
        source=f"{session}/log.csv",
        attributes={
            "channel": channel,
            "unit": unit,
            "count": 300,
            "min": low,
            "max": high,
            "mean": mean,
            "min_at": low_at.isoformat(),
            "max_at": high_at.isoformat(),
            "events": (),
        },
    )


def event(
    time: str, channel: str, unit: str, kind: str, text: str, seconds: float = 0.0
) -> Observation:
    return Observation(
        modality="sensor",
        text=f"{text} at {clock(time):%H:%M:%S} UTC on {DAY:%Y-%m-%d}.",
        captured_at=clock(time),
        duration=seconds,
        session=YARD,
        source=f"{YARD}/log.csv",
        attributes={"channel": channel, "unit": unit, "event": kind, "size": 4.0},
    )


STORY: Mapping[str, Observation] = {
    # -- the boatyard: what was shown
    "rota": screen("8:55", "Duty rota for March. Wednesday: Ann on the slip, Bob in the shed."),
    "overview 9": screen(
        "9:10", "Workshop overview. Kiln drying 12 planks. Orders open 4. Glue 31 kg.", "Board"
    ),
    "varnish order": screen("9:20", "Order 8812: marine varnish, 6 tins, supplier Holt & Sons."),
    "keel ticket": screen("9:32", "Ticket T-204: crack along the keel of the ferry, urgent."),
    "tide page": screen("9:41", "Tide tables for the harbour. High water 13:05, low water 19:20."),
    "crane manual": screen("9:52", "Crane manual, chapter 4: how to lift a hull with two slings."),
    "insurance mail": screen("10:25", "Email from the insurer: the mast claim is accepted."),
    "overview 14": screen(
        "14:00", "Workshop overview. Kiln drying 7 planks. Orders open 9. Glue 18 kg.", "Board"
    ),
    "paint shop": screen("14:30", "Paint shop: antifouling in red, blue and black, 2.5 litres."),
    # -- what was said
    "hello": said("9:00", "Good morning, the coffee machine is running again.", "Bob"),
    "varnish talk": said("9:22", "We are short of varnish, so I am ordering some more tins."),
    "keel talk": said("9:35", "There is a crack in the keel of the ferry, we must weld it.", "Bob"),
    "keel answer": said("9:35:07", "Then the ferry stays on land until Friday."),
    "pump talk": said("9:44", "The bilge pump is making a terrible noise.", "Cleo"),
    "sling talk": said("9:53", "Put the second sling behind the rudder before you lift.", "Bob"),
    "visitor talk": said("10:15", "A school class is visiting us in the afternoon.", "Cleo"),
    "mast talk": said("10:28", "The insurance pays for the broken mast, I just read it."),
    "varnish again": said("14:10", "The varnish has arrived, all six tins of it.", "Cleo"),
    # -- what was measured
    **{
        f"kiln {time}": window(time, "kiln temperature", "°C", low, high)
        for time, low, high in (
            ("9:30", 61.0, 63.5),
            ("9:35", 61.5, 64.0),
            ("9:40", 58.0, 63.0),
            ("9:45", 60.5, 71.5),
            ("9:50", 61.0, 63.0),
        )
    },
    "kiln spike": event(
        "9:47:20", "kiln temperature", "°C", "spike",
        "Spike of kiln temperature from 62 to 71.5 °C",
    ),
    "water 9:30": window("9:30", "bilge water level", "cm", 3.0, 4.0),
    "water 9:40": window("9:40", "bilge water level", "cm", 4.0, 19.0),
    "water step": event(
        "9:43:50", "bilge water level", "cm", "step",
        "Sudden step up of bilge water level from 4 to 18 cm",
    ),
    # -- the galley, at the same time
    "galley menu": screen("9:34:30", "Menu of the week: fish soup, curry.", session=GALLEY),
    "galley soup": said("9:36", "The soup needs more salt and a bay leaf.", "Dora", GALLEY),
    "galley shop": screen("9:43:40", "Grocer's list: onions, rice, two lemons.", session=GALLEY),
    "galley knife": said("9:45", "Somebody has taken my bread knife.", "Dora", GALLEY),
}  # fmt: skip
NAMES: Mapping[str, str] = {observation.id: name for name, observation in STORY.items()}


def names(found: Iterable[Hit | Observation]) -> list[str]:
    """What the observations are called in the story, in their order."""
    return [NAMES[one.id] for one in found]
