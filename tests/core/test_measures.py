from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.assistant import Assistant
from aftercare.understanding.measures import Measures

WEDNESDAY = date(2024, 5, 15)


@pytest.mark.parametrize(
    ("text", "fahrenheit"),
    [
        ("my temp is 101.3", 101.3),
        ("temperature 101", 101),
        ("I have a fever of 102", 102),
        ("100.4 F", 100.4),
        ("100.4F", 100.4),
        ("it says 100.4°F", 100.4),
        ("100.4 degrees", 100.4),
        ("38.0 C", 100.4),
        ("38C", 100.4),
        ("38 °C", 100.4),
        ("38,5", 101.3),
        ("38,5 C", 101.3),
        ("my temp is 38.5", 101.3),
        ("39 celsius", 102.2),
        ("99.5 on the thermometer", 99.5),
        ("thermometer says 98.6", 98.6),
        ("102", 102),
        ("what if I spike 102", 102),
        ("101.2", 101.2),
        ("temp of a hundred and one", 101),
        ("fever, one hundred two", 102),
        ("my temp is one oh one", 101),
        ("my temp is one oh one point five", 101.5),
        ("fever of a hundred point four", 100.4),
        ("temp is ninety nine point five", 99.5),
        ("ninety-nine point nine on the thermometer", 99.9),
        ("thirty eight point five", 101.3),
        ("temp 1o1", 101),
        ("TEMP: 103", 103),
        ("forehead is hot, 101", 101),
        ("My temp was 101.", 101),
    ],
)
def test_a_temperature_is_read(measures: Measures, text: str, fahrenheit: float) -> None:
    found = measures.temperatures(text)
    assert [round(each.value, 1) for each in found] == [fahrenheit]


@pytest.mark.parametrize(
    "text",
    [
        "my blood pressure is 102/80",
        "bp 100/60, no fever",
        "BP is 101 over 60",
        "my pulse is 101, no fever",
        "heart rate of 102 and feeling hot",
        "oxygen is 98 and temp is normal",
        "o2 sat 97%, no fever",
        "98% oxygen, feeling warm",
        "spo2 of 96 with no temp",
        "I am in room 101, feeling hot",
        "the room temp is 101",
        "I weigh 102 pounds and feel warm",
        "she weighs 99 lbs, temp fine",
        "my weight is 41 kg, no fever",
        "I am 100 years old with no fever",
        "she is 99 years old and has no fever",
        "my sugar was 105 and I feel hot",
        "glucose of 101 and no fever",
        "took 100 mg, no fever",
        "it is 101 outside and hot",
        "bath water at 102 degrees",
        "oven at 100 degrees",
        "waited 40 minutes, no fever",
        "walked 100 steps and got warm",
        "procedure was 38 hours ago, no fever",
        "I have no fever",
        "call 555-0100, no fever",
        "paid $101, no temp",
        "room 102, no fever",
        "it is 101 degrees outside",
        "temp 12",
        "temp 200",
        "",
    ],
)
def test_another_figure_is_no_temperature(measures: Measures, text: str) -> None:
    assert measures.temperatures(text) == []


TELEPHONE_NUMBERS = (
    *("(312) 555-0177", "312-555-0177", "312.555.0177", "312 555 0177", "3125550177", "312/555/0177", "312 - 555 - 0177"),
    *("+1 312 555 0177", "1-312-555-0177", "+13125550177", "1 (312) 555 0177", "555-0101", "tel:312-555-0142,", ",312-555-0142"),
)


@pytest.mark.parametrize("number", TELEPHONE_NUMBERS)
def test_a_telephone_number_is_no_measure(measures: Measures, number: str) -> None:
    text = f"I am hot, pain is bad, call me {number} please"
    assert measures.numbers(text) == ()
    assert measures.days_answered(text, WEDNESDAY) is None
    assert measures.temperatures(text) == []
    assert measures.pain_scores(text) == []


@pytest.mark.parametrize("number", TELEPHONE_NUMBERS)
def test_what_is_measured_stands_beside_a_telephone_number(measures: Measures, number: str) -> None:
    text = f"{number} is my number, fever 101.5, 3 days ago"
    assert [(each.value, text[each.start : each.end]) for each in measures.temperatures(text)] == [(101.5, "101.5")]
    assert measures.days_answered(text, WEDNESDAY) == 3


@pytest.mark.parametrize(
    ("text", "values"),
    [("temp 101 0400", [101]), ("temps 101 102 1030", [101, 102]), ("fever 101-102", [101]), ("101.5 555-0100", [101.5])],
)
def test_a_temperature_is_no_telephone_number(measures: Measures, text: str, values: list[float]) -> None:
    assert [each.value for each in measures.temperatures(text)] == values


def test_two_temperatures_stand_in_order(measures: Measures) -> None:
    found = measures.temperatures("temp was 99.1 and now it is 101.5")
    assert [each.value for each in found] == [99.1, 101.5]


def test_a_temperature_lies_where_it_was_typed(measures: Measures) -> None:
    text = "My TEMP is 38,5 C today"
    (found,) = measures.temperatures(text)
    assert text[found.start : found.end] == "38,5"


@pytest.mark.parametrize(
    ("text", "finding", "status"),
    [
        ("my temp is 101.3", "fever", "present"),
        ("my temp is 100.4", "fever", "present"),
        ("temp 38.0 C", "fever", "present"),
        ("temp 38 C", "fever", "present"),
        ("temp 37.9 C", "low_temperature", "present"),
        ("temp 37.2 C", "low_temperature", "present"),
        ("my temp is 100.3", "low_temperature", "present"),
        ("my temp is 99.0", "low_temperature", "present"),
        ("my temp is 98.9", "fever", "absent"),
        ("my temp is 98.6", "fever", "absent"),
        ("temp 37.0 C", "fever", "absent"),
        ("temp 36,8 C", "fever", "absent"),
    ],
)
def test_the_limits_of_a_fever(assistant: Assistant, text: str, finding: str, status: str) -> None:
    found = assistant.read(text, WEDNESDAY).mentions
    assert (finding, status) in {(each.finding, each.status.value) for each in found}
    assert {each.finding for each in found if each.status.value == "present"} <= {finding}


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("pain is 8/10", 8),
        ("8 out of 10", 8),
        ("8 / 10 pain", 8),
        ("ten out of ten", 10),
        ("an eight out of ten", 8),
        ("zero out of 10", 0),
        ("pain is a 7", 7),
        ("pain level 6", 6),
        ("Pain: 9", 9),
        ("pain score of 3", 3),
        ("my pain is about 5", 5),
        ("7.5/10", 7),
        ("it went from 3/10 to 9/10", 9),
    ],
)
def test_a_pain_score_is_read(measures: Measures, text: str, score: float) -> None:
    assert max(each.value for each in measures.pain_scores(text)) == score


@pytest.mark.parametrize(
    "text",
    [
        "pain for 3 days",
        "pain 2 weeks now",
        "pain 4 hours after",
        "I had 2 pain pills",
        "pain 6 times a day",
        "took 5 of the 20 pills",
        "12/10/2024",
        "15 out of 10",
        "bp 120/10",
        "",
    ],
)
def test_another_figure_is_no_pain_score(measures: Measures, text: str) -> None:
    assert measures.pain_scores(text) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("my pain is 9/10", "severe_pain"),
        ("my pain is 7/10", "severe_pain"),
        ("my pain is 6/10", "moderate_pain"),
        ("my pain is 4/10", "moderate_pain"),
        ("my pain is 3/10", "mild_pain"),
        ("pain went from 2/10 to 8/10", "severe_pain"),
    ],
)
def test_what_a_pain_score_means(assistant: Assistant, text: str, finding: str) -> None:
    present = {each.finding for each in assistant.read(text, WEDNESDAY).mentions if each.status.value == "present"}
    assert finding in present
    assert len(present & {"severe_pain", "moderate_pain", "mild_pain"}) == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("I had the procedure today", 0),
        ("procedure was this morning", 0),
        ("I just had the injection", 0),
        ("procedure was yesterday", 1),
        ("Yesterday I had my vertebroplasty", 1),
        ("the day after the procedure", 1),
        ("the procedure was 2 days ago", 2),
        ("it has been three days", 3),
        ("they did it this am", 0),
        ("had it done this mornin", 0),
        ("sore since discharge last night", 1),
        ("the procedure was last night", 1),
        ("only four days passed", 4),
        ("a couple of days ago", 2),
        ("a few days since", 3),
        ("10 days after my surgery", 10),
        ("two weeks ago", 14),
        ("a week ago", 7),
        ("3 wks out", 21),
        ("one month ago", 30),
        ("12 hours ago", 0),
        ("36 hours since it was done", 1),
        ("48 hrs later", 2),
        ("72 hours ago", 3),
        ("post-op day 4", 4),
        ("post op day 2", 2),
        ("POD 5", 5),
        ("day 6", 6),
        ("the third day", 3),
        ("5th day now", 5),
        ("last week I had the procedure", 7),
        # The message is of a Wednesday.
        ("procedure was Monday", 2),
        ("had the procedure on Tuesday", 1),
        ("my surgery was on Friday", 5),
        ("Friday was my procedure", 5),
        ("I went in last Wednesday", 7),
        ("surgery on thurs", 6),
        ("procedure was Mon", 2),
        ("procedure 3 days ago and I went home 2 days ago", 3),
    ],
)
def test_days_since_the_procedure(measures: Measures, text: str, days: int) -> None:
    assert measures.days_answered(text, WEDNESDAY) == days


@pytest.mark.parametrize(("text", "days"), [("it has hurt for 5 days", 5), ("two weeks ago", 14), ("procedure was 4 days ago", None)])
def test_how_long_something_lasts_is_not_when_the_procedure_was(measures: Measures, text: str, days: int | None) -> None:
    assert measures.days_lasting(text) == days
    assert (measures.days_since_procedure(text, WEDNESDAY) is None) is (days is not None)


@pytest.mark.parametrize(
    "text",
    [
        "my back hurts",
        "2 days before the procedure",
        "the day before the surgery",
        "a week prior to surgery",
        "every 4 hours",
        "take it twice a day",
        "in 3 days I see the doctor",
        "within 2 weeks",
        "the next 2 days",
        "a 5 day course of pills",
        "once a week",
        "I take a pill 3 times a day",
        "my back has hurt for 3 hours",
        "I took a pill 2 hours ago",
        "chest pain for an hour",
        "I slept 8 hours",
        "I see her on Monday",
        "",
    ],
)
def test_other_times_are_not_the_procedure(measures: Measures, text: str) -> None:
    assert measures.days_since_procedure(text, WEDNESDAY) is None


@pytest.mark.parametrize("day", range(13, 20))
def test_a_weekday_is_within_the_last_seven_days(measures: Measures, day: int) -> None:
    found = [
        days
        for name in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        if (days := measures.days_since_procedure(f"procedure was {name}", date(2024, 5, day))) is not None
    ]
    assert sorted(found) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("8", (8.0,)),
        ("about 7 I think", (7.0,)),
        ("38,5", (38.5,)),
        ("two", (2.0,)),
        ("a few", (3.0,)),
        ("oh no", ()),
        ("a", ()),
        ("1 or 2", (1.0, 2.0)),
        ("none", ()),
    ],
)
def test_plain_numbers(measures: Measures, text: str, values: tuple[float, ...]) -> None:
    assert measures.numbers(text) == values


_WORDS = "temp 101 38,5 98.6 pain 8/10 is day 3 hundred point four two weeks ago o 1o1 ° F C % before procedure monday"
WORDS = _WORDS.split()


@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=120))
def test_measures_hold_for_any_text(measures: Measures, text: str) -> None:
    for found in (*measures.temperatures(text), *measures.pain_scores(text)):
        assert 0 <= found.start < found.end <= len(text)
    assert all(94 <= found.value <= 110 for found in measures.temperatures(text))
    assert all(0 <= found.value <= 10 for found in measures.pain_scores(text))
    days = measures.days_since_procedure(text, WEDNESDAY)
    assert days is None or days >= 0
    assert all(isinstance(value, float) for value in measures.numbers(text))


@pytest.mark.parametrize("text", ["Nan's feeling fine", "inf", "infinity", "9" * 400])
def test_a_name_or_an_endless_figure_is_no_number(measures: Measures, text: str) -> None:
    assert measures.numbers(text) == ()
    assert measures.days_answered(text, WEDNESDAY) is None


def test_a_figure_stands_where_it_was_typed(measures: Measures) -> None:
    (found,) = measures.temperatures("İİİ 101 F")
    assert (found.start, found.end) == (4, 7)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("procedure was yesterday", 1),
        ("procedure\nyesterday", None),
        ("yesterday they did the kyphoplasty", 1),
        ("surgery " + "x" * 24 + " Monday", None),
        ("surgery " + "x" * 22 + " Monday", 2),
        ("Monday " + "x" * 13 + " surgery", 2),
        ("Monday " + "x" * 15 + " surgery", None),
        ("last week " + "x" * 38 + " surgery", 7),
        ("last week " + "x" * 40 + " surgery", None),
        ("the needle spot hurt last night", None),
        ("last night it hurt where the needle was", None),
    ],
)
def test_a_day_counts_from_the_procedure_where_both_stand_near(measures: Measures, text: str, days: int | None) -> None:
    assert measures.days_since_procedure(text, WEDNESDAY) == days
