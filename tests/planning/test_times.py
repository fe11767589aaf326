"""When: absolute and relative times, and whether they are about capture or only told."""

import pytest

from .asking import CHAT, outline

# Each is asked as "What was on the screen ...?": then a time is firmly about capture.
TIMES = {
    "yesterday": "03-17 00:00 .. 03-18 00:00",
    "today": "03-18 00:00 .. 03-19 00:00",
    "the day before yesterday": "03-16 00:00 .. 03-17 00:00",
    "this morning": "03-18 05:00 .. 03-18 12:00",
    "yesterday afternoon": "03-17 12:00 .. 03-17 18:00",
    "last night": "03-17 18:00 .. 03-18 06:00",
    "last Tuesday": "03-17 00:00 .. 03-18 00:00",
    "last Friday": "03-13 00:00 .. 03-14 00:00",
    "on Monday": "03-16 00:00 .. 03-17 00:00",
    "on Wednesday": "03-18 00:00 .. 03-19 00:00",
    "Monday morning": "03-16 05:00 .. 03-16 12:00",
    "last week": "03-09 00:00 .. 03-16 00:00",
    "this week": "03-16 00:00 .. 03-23 00:00",
    "last month": "02-01 00:00 .. 03-01 00:00",
    "last year": "2025-01-01 00:00 .. 01-01 00:00",
    "last weekend": "03-14 00:00 .. 03-16 00:00",
    "over the weekend": "03-14 00:00 .. 03-16 00:00",
    "in the week of 2 March": "03-02 00:00 .. 03-09 00:00",
    "in March 2026": "03-01 00:00 .. 04-01 00:00",
    "in June": "2025-06-01 00:00 .. 2025-07-01 00:00",
    "in early February": "02-01 00:00 .. 02-11 00:00",
    "in late February": "02-21 00:00 .. 03-01 00:00",
    "in 2024": "2024-01-01 00:00 .. 2025-01-01 00:00",
    "in the first quarter of 2025": "2025-01-01 00:00 .. 2025-04-01 00:00",
    "in Q4 2025": "2025-10-01 00:00 .. 01-01 00:00",
    "last quarter": "2025-10-01 00:00 .. 01-01 00:00",
    "on 14 March": "03-14 00:00 .. 03-15 00:00",
    "on March 14th": "03-14 00:00 .. 03-15 00:00",
    "on the 14th of March, 2025": "2025-03-14 00:00 .. 2025-03-15 00:00",
    "on the 14th": "03-14 00:00 .. 03-15 00:00",
    "on the 20th": "02-20 00:00 .. 02-21 00:00",
    "on 2026-03-14": "03-14 00:00 .. 03-15 00:00",
    "on 14.03.2026": "03-14 00:00 .. 03-15 00:00",
    "on 3/14/2026": "03-14 00:00 .. 03-15 00:00",
    "at 09:12": "03-18 09:12 .. 03-18 09:13",
    "at 9:12:30": "03-18 09:12 .. 03-18 09:12",
    "at 23:30": "03-17 23:30 .. 03-17 23:31",
    "around 9:15": "03-18 09:10 .. 03-18 09:20",
    "at nine": "03-18 08:55 .. 03-18 09:05",
    "at two o'clock": "03-18 13:55 .. 03-18 14:05",
    "at 3 pm": "03-18 14:55 .. 03-18 15:05",
    "at 11 p.m. yesterday": "03-17 22:55 .. 03-17 23:05",
    "at noon": "03-18 11:55 .. 03-18 12:05",
    "at half past two": "03-18 14:30 .. 03-18 14:31",
    "at a quarter to ten": "03-18 09:45 .. 03-18 09:46",
    "between two and three": "03-18 14:00 .. 03-18 15:00",
    "between two and three o'clock yesterday": "03-17 14:00 .. 03-17 15:00",
    "from 9 to 10": "03-18 09:00 .. 03-18 10:00",
    "yesterday from 11 to 1": "03-17 11:00 .. 03-17 13:00",
    "between 9:40 and 10:05 on Monday": "03-16 09:40 .. 03-16 10:05",
    "from Monday to Tuesday": "03-16 00:00 .. 03-18 00:00",
    "between 3 and 5 March": "03-03 00:00 .. 03-06 00:00",
    "from Monday 9:00 to Tuesday 17:30": "03-16 09:00 .. 03-17 17:30",
    "yesterday at 9:12": "03-17 09:12 .. 03-17 09:13",
    "on 14 March at 09:12": "03-14 09:12 .. 03-14 09:13",
    "on the morning of 14 March": "03-14 05:00 .. 03-14 12:00",
    "this morning at nine": "03-18 08:55 .. 03-18 09:05",
    "at 2026-03-14T09:12:05Z": "03-14 10:12 .. 03-14 10:12",
    "at 2026-03-14 09:12": "03-14 09:12 .. 03-14 09:13",
    "two hours ago": "03-18 14:05 .. 03-18 14:35",
    "an hour ago": "03-18 15:05 .. 03-18 15:35",
    "ten minutes ago": "03-18 16:08 .. 03-18 16:12",
    "three days ago": "03-15 00:00 .. 03-16 00:00",
    "two months ago": "01-01 00:00 .. 02-01 00:00",
    "in the last 30 minutes": "03-18 15:50 .. 03-18 16:20",
    "within the past two hours": "03-18 14:20 .. 03-18 16:20",
    "in the last hour": "03-18 15:20 .. 03-18 16:20",
    "over the last three days": "03-15 16:20 .. 03-18 16:20",
    "since Monday": "03-16 00:00 ..",
    "since 9:30": "03-18 09:30 ..",
    "since yesterday": "03-17 00:00 ..",
    "before noon": "03-18 00:00 .. 03-18 12:00",
    "after 9:30": "03-18 09:30 .. 03-19 00:00",
    "yesterday after 3 pm": "03-17 15:00 .. 03-18 00:00",
    "after Monday": "03-17 00:00 ..",
    "before Monday": ".. 03-16 00:00",
    "until ten": "03-18 00:00 .. 03-18 10:00",
}


@pytest.mark.parametrize(("time", "expected"), TIMES.items(), ids=TIMES)
def test_a_time(time: str, expected: str) -> None:
    asked = outline(f"What was on the screen {time}?")
    assert asked == {"words": "", "modality": "screenshot", "time": expected}
    assert outline(f"{time[0].upper()}{time[1:]}, what was on the screen?") == asked


# What looks like a time, and is none: all of it stays words.
WORDS = [
    "May I see the second report on sun damage?",
    "What may have happened in the march on Rome?",
    "Who won second place?",
    "Which sun cream does Ann use on Sundays out?",
    "How did they march on after the rain?",
    "Which of the two pumps is at 50 percent?",
    "How do I choose between two and three pumps?",
    "Is the tank between 5 and 10 bar?",
    "What is good at three things?",
    "What does John 3:16 mean?",
    "What is in version 2.4.2026?",
    "Is April coming to the party?",
    "When does August finish his thesis?",
    "What is the second hand for?",
    "Which valve has a ratio of 1:10?",
    "How many minutes does a restart take?",
    "What is the room number, 2024 or 2025?",
    "Who was Friday in Robinson Crusoe?",
    "What happened on 32 March 2026?",
    "What will happen next Friday?",
    "Which day is it on 3/4/2026?",
]


@pytest.mark.parametrize("question", WORDS)
def test_no_time(question: str) -> None:
    assert outline(question) == {"words": question}


# A time in a question about what was told is a preference, and the words keep it.
TOLD = {
    "What did Ann do in June 2022?": "2022-06-01 00:00 .. 2022-07-01 00:00",
    "Which shop did she visit on 14 March?": "03-14 00:00 .. 03-15 00:00",
    "Where did Bob park the car yesterday?": "03-17 00:00 .. 03-18 00:00",
    "Who went to the fair last weekend?": "03-14 00:00 .. 03-16 00:00",
    "Which car did they buy two weeks before 11 February 2026?": "01-25 00:00 .. 02-01 00:00",
    "What happened to the blue van in August 2023?": "2023-08-01 00:00 .. 2023-09-01 00:00",
    "Who comes at 3 pm?": "03-18 14:55 .. 03-18 15:05",
}


@pytest.mark.parametrize(("question", "expected"), TOLD.items(), ids=TOLD)
def test_a_told_time(question: str, expected: str) -> None:
    assert outline(question, CHAT) == {"words": question, "told": expected}


FIRM = {
    "What did she say yesterday?": "03-17 00:00 .. 03-18 00:00",
    "What happened this morning?": "03-18 05:00 .. 03-18 12:00",
    "What was I working on last Friday?": "03-13 00:00 .. 03-14 00:00",
    "What did we discuss on Monday?": "03-16 00:00 .. 03-17 00:00",
    "What changed between two and three?": "03-18 14:00 .. 03-18 15:00",
    "Show me the screenshots from yesterday": "03-17 00:00 .. 03-18 00:00",
    "What did Ann say about the valve this morning?": "03-18 05:00 .. 03-18 12:00",
    "Yesterday, what did Ann say about the trip in June?": "03-17 00:00 .. 03-18 00:00",
}


@pytest.mark.parametrize(("question", "expected"), FIRM.items(), ids=FIRM)
def test_a_time_of_capture(question: str, expected: str) -> None:
    assert outline(question)["time"] == expected


# Said when, or happening when? Then it is no more than a preference.
AMBIGUOUS = {
    "What did Ann say about the trip in June?": "2025-06-01 00:00 .. 2025-07-01 00:00",
    "What did she mention about the audit on Monday?": "03-16 00:00 .. 03-17 00:00",
}


@pytest.mark.parametrize(("question", "expected"), AMBIGUOUS.items(), ids=AMBIGUOUS)
def test_a_time_that_may_be_either(question: str, expected: str) -> None:
    found = outline(question, CHAT)
    assert found["told"] == expected
    assert "time" not in found
