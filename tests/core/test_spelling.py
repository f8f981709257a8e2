from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.assistant import Assistant
from aftercare.protocol import Protocol
from aftercare.understanding.spelling import Spelling, vocabulary

pytestmark = pytest.mark.slow

LEXICON = ["fever", "chills", "numbness", "breathing", "bladder", "paralyzed", "swollen", "drainage", "chest", "pus", "leg"]
WORDS = "symspellpy:frequency_dictionary_en_82_765.txt"
ENGLISH = sorted(vocabulary(WORDS))


def rules(slips: dict[str, str] | None = None) -> dict[str, object]:
    return {"vocabulary": WORDS, "slips": slips or {}, "words_beside": []}


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling(LEXICON, rules({"feaver": "fever"}))


def test_two_slips_lead_to_english_words_alone() -> None:
    spelling = Spelling(["fainting", "desmaye"], rules())
    assert spelling.correct("faintinggg") == "fainting"
    assert spelling.correct("descale") == "descale"
    assert spelling.correct("desmayee") == "desmaye"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fevr", "fever"),
        ("feverr", "fever"),
        ("fevre", "fever"),
        ("feaver", "fever"),
        ("chlils", "chills"),
        ("numbnes", "numbness"),
        ("nummbnes", "numbness"),
        ("numness", "numbness"),
        ("breathng", "breathing"),
        ("braething", "breathing"),
        ("bladdr", "bladder"),
        ("blader", "bladder"),
        ("bladdder", "bladder"),
        ("paralized", "paralyzed"),
        ("swolen", "swollen"),
        ("drainege", "drainage"),
        ("chesst", "chest"),
    ],
)
def test_a_slip_is_snapped_to_the_lexicon(spelling: Spelling, typed: str, meant: str) -> None:
    assert spelling.correct(typed) == meant


@pytest.mark.parametrize(
    "word",
    [
        "beaver",
        "batter",
        "ladder",
        "never",
        "lever",
        "sever",
        "hills",
        "breading",
        "lug",
        "lrg",
        "pas",
        "fe1er",
        "xqzvw",
        "37",
        "",
        ".",
    ],
)
def test_other_words_are_left_alone(spelling: Spelling, word: str) -> None:
    assert spelling.correct(word) == word


def test_a_tie_is_left_alone() -> None:
    assert Spelling(["bathes", "bother"], rules()).correct("bathr") == "bathr"


def test_known_words(spelling: Spelling) -> None:
    assert spelling.known("numbness")
    assert spelling.known("weather")
    assert not spelling.known("nummbnes")


def test_the_vocabulary_is_large() -> None:
    assert len(ENGLISH) > 50_000
    assert {"fever", "beaver", "breathing", "the"} <= vocabulary(WORDS)


def test_the_vocabulary_is_the_languages(protocol: Protocol) -> None:
    assert protocol.grammar.spelling["vocabulary"] == WORDS


@given(st.text(alphabet="abcdefghilnrstuvwy", min_size=1, max_size=12))
def test_a_correction_is_the_word_itself_or_the_lexicons(word: str) -> None:
    spelling = Spelling(LEXICON, rules())
    corrected = spelling.correct(word)
    assert corrected == word or corrected in LEXICON
    assert spelling.correct(corrected) == corrected


@given(st.data())
def test_english_is_never_touched(data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(ENGLISH))
    assert Spelling(LEXICON, rules()).correct(word) == word


def test_the_fixed_slips_lead_to_words_of_the_protocol(protocol: Protocol) -> None:
    for typed, meant in protocol.grammar.spelling["slips"].items():
        assert typed != meant
        assert typed == typed.lower()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("I have a feaver", "fever"),
        ("I have fevr and am weak", "fever"),
        ("troble brething", "breathless"),
        ("I have chset pain", "chest_pain"),
        ("my bladdr leaked", "bladder_bowel"),
        ("I am having a seisure", "seizure"),
        ("my legs are paralized", "paralysis"),
        ("the incison is oozing puss", "site_infection"),
        ("my groin is num", "saddle_numbness"),
        ("my toungue is swolen", "allergy_severe"),
        ("I fainteded this morning", "syncope"),
        ("she is confuzed", "confusion"),
        ("I am incontinant", "bladder_bowel"),
    ],
)
def test_slips_in_whole_messages(assistant: Assistant, today: date, text: str, finding: str) -> None:
    assert finding in {mention.finding for mention in assistant.read(text, today).mentions}
