from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ENTITIES, FEATURE_TYPE_SENTENCE, INTENT, METADATA, METADATA_INTENT, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from aftercare.protocol import load_protocol
from aftercare.understanding.reading import Reading, Status
from rasa_ext import encoder
from rasa_ext.answer_reader import REPLIES
from rasa_ext.clause_classifier import OPINIONS, ClauseClassifier
from rasa_ext.finding_extractor import FindingExtractor
from rasa_ext.sentence_featurizer import SentenceFeaturizer

Parts = tuple[LocalModelStorage, Resource, ExecutionContext]


@pytest.fixture
def parts(storage: LocalModelStorage, resource: Resource, context: ExecutionContext) -> Parts:
    return storage, resource, context


@pytest.fixture
def featurizer(parts: Parts) -> SentenceFeaturizer:
    return SentenceFeaturizer.create(SentenceFeaturizer.get_default_config(), *parts)


def example(text: str, intent: str) -> Message:
    return Message({TEXT: text, INTENT: intent})


def test_the_encoder_is_the_one_that_was_checked_in() -> None:
    folder = Path(encoder.__file__).resolve().parents[1] / "encoder"
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_encoder_gives_unit_vectors_that_tell_meanings_apart() -> None:
    vectors = [
        encoder.encoder().encode(text) for text in ("I cannot get any air", "it is hard for me to breathe", "what is the cement made of")
    ]
    assert all(np.linalg.norm(vector) == pytest.approx(1, abs=1e-3) for vector in vectors)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


@pytest.mark.parametrize("text", ["a", "\U0001f600", "x" * 20_000, "no fever\nchest pain"])
def test_the_featurizer_sets_one_sentence_vector(featurizer: SentenceFeaturizer, text: str) -> None:
    (message,) = featurizer.process([Message({TEXT: text})])
    _, sentence = message.get_dense_features(TEXT)
    assert sentence is not None
    assert sentence.features.shape == (1, 384)


def test_a_message_without_words_gets_no_vector(featurizer: SentenceFeaturizer) -> None:
    (message,) = featurizer.process([Message({TEXT: ""})])
    assert message.get_dense_features(TEXT) == (None, None)


def test_the_classifier_is_stored_and_judges_clauses(featurizer: SentenceFeaturizer, parts: Parts) -> None:
    texts = {"ask_ice": ["may I use ice", "cold pack on the spot", "is an ice pack ok"], "greet": ["hello there", "good morning", "hi doc"]}
    training = TrainingData([example(text, intent) for intent, several in texts.items() for text in several])
    featurizer.process(training.training_examples)
    config = {**ClauseClassifier.get_default_config(), "C": 5.0, "neighbours": 2, "dimensions": 4}
    classifier = ClauseClassifier.create(config, *parts)
    classifier.train(training)
    loaded = ClauseClassifier.load(config, *parts)
    (message,) = loaded.process(featurizer.process([Message({TEXT: "hello to all of you. may I put ice on it"})]))
    whole, first, second = message.get(OPINIONS)
    assert (whole.start, whole.end) == (0, len(message.get(TEXT)))
    assert (first.best[0], second.best[0]) == ("greet", "ask_ice")
    assert sum(probability for _, probability in second.ranking) == pytest.approx(1, abs=0.05)
    assert message.get(INTENT)["name"] == whole.best[0]


def test_the_neighbours_have_their_share(featurizer: SentenceFeaturizer, parts: Parts) -> None:
    training = TrainingData([example(text, text[:5]) for text in ("hello there", "hello you", "thank you so much", "thank you doc")])
    featurizer.process(training.training_examples)
    certain = {"neighbours": 1, "dimensions": 3, "neighbours_weight": 1.0}
    for share, expected in ((1.0, 1.0), (0.0, pytest.approx(0.7, abs=0.29))):
        config = {**ClauseClassifier.get_default_config(), **certain, "neighbours_weight": share, "C": 1.0}
        classifier = ClauseClassifier.create(config, *parts)
        classifier.train(training)
        (message,) = classifier.process(featurizer.process([Message({TEXT: "hello there"})]))
        assert message.get(OPINIONS)[0].best == ("hello", expected)


def test_each_protocol_has_a_classifier_of_what_all_share_and_of_its_own(featurizer: SentenceFeaturizer, parts: Parts) -> None:
    def told(text: str, intent: str, protocol: str) -> Message:
        return Message({TEXT: text, INTENT: intent, METADATA: {METADATA_INTENT: {"protocol": protocol}}})

    texts = ["may I use ice", "cold pack on the spot", "is an ice pack ok", "something cold on it"]
    shared = [example(text, "greet") for text in ("hello there", "good morning", "hi doc", "good evening")]
    own = [told(text, intent, protocol) for text in texts for protocol, intent in (("vertebroplasty", "ask_ice"), ("other", "ask_cold"))]
    training = TrainingData([*shared, *own])
    featurizer.process(training.training_examples)
    config = {**ClauseClassifier.get_default_config(), "neighbours": 2, "dimensions": 4}
    ClauseClassifier.create(config, *parts).train(training)
    (message,) = ClauseClassifier.load(config, *parts).process(featurizer.process([Message({TEXT: "is ice ok on the spot"})]))
    assert [intent for intent, _ in message.get(OPINIONS)[0].ranking][:1] == ["ask_ice"]
    assert "ask_cold" not in {intent for intent, _ in message.get(OPINIONS)[0].ranking}


def test_the_classifier_without_features_says_what_is_missing(parts: Parts) -> None:
    classifier = ClauseClassifier.create(ClauseClassifier.get_default_config(), *parts)
    with pytest.raises(ValueError, match="dense featurizer"):
        classifier.train(TrainingData([Message({TEXT: "hello", INTENT: "greet"})]))


# Neighbours in words and opposites in meaning: what the encoder must hear, and must not.
@pytest.mark.parametrize(
    ("sign", "said", "unsaid"),
    [
        ("bladder_bowel", "my slip was soaked at church and I had no idea", "my slip is dry as a bone, I always know when I have to go"),
        ("paralysis", "neither of my legs will hold me any more", "I went down to the gate and back on my own two legs"),
        ("breathless", "I have to sit bolt upright all night to get air", "I lie flat as a board all night and the air comes easy"),
        ("chest_pain", "a fist has hold of my chest since supper", "my chest is easy, I sang in the choir at supper"),
        ("syncope", "I came to on the bathroom tiles", "my old laptop keeps passing out on the desk"),
        ("self_harm", "I would rather not wake up tomorrow", "I would kill for a cup of coffee tomorrow"),
    ],
)
def test_the_encoder_hears_polarity(sign: str, said: str, unsaid: str) -> None:
    sense, heard_from = encoder.encoder().sense, load_protocol().thresholds["sign_said"]
    assert sense(said).signs[sign] >= heard_from > sense(unsaid).signs[sign]


def test_an_opinion_holds_the_signs_and_how_like_the_words_are_to_what_was_learnt(featurizer: SentenceFeaturizer, parts: Parts) -> None:
    texts = {"ask_ice": ["may I use ice", "cold pack on the spot", "is an ice pack ok"], "greet": ["hello there", "good morning", "hi doc"]}
    training = TrainingData([example(text, intent) for intent, several in texts.items() for text in several])
    featurizer.process(training.training_examples)
    classifier = ClauseClassifier.create({**ClauseClassifier.get_default_config(), "neighbours": 2, "dimensions": 4}, *parts)
    classifier.train(training)
    same, like, unlike = (
        message.get(OPINIONS)[0]
        for message in classifier.process(
            [Message({TEXT: text}) for text in ("may I use ice", "may I use some ice", "the accordion is old")]
        )
    )
    assert same.distance == pytest.approx(0, abs=0.02)
    assert same.distance < like.distance < unlike.distance
    assert set(like.signs) == set(encoder.encoder().sense("any words").signs)
    assert all(0 <= share <= 1 for share in like.signs.values())


def test_a_setting_that_the_classifier_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidConfigException, match="neighbors"):
        ClauseClassifier.validate_config({"neighbors": 10})


def test_findings_become_entities_and_back(parts: Parts) -> None:
    extractor = FindingExtractor.create({}, *parts)
    text = "no fever, but mom wet the bed"
    (message,) = extractor.process([Message({TEXT: text})])
    entities = message.get(ENTITIES)
    found = {entity["entity"]: (entity["value"], text[entity["start"] : entity["end"]]) for entity in entities}
    assert found["fever"] == ("absent", "fever")
    assert found["bladder_bowel"] == ("present", "wet the bed")
    assert all(entity["extractor"] == "FindingExtractor" for entity in entities)
    reading = Reading.from_entities(text, entities)
    assert reading is not None
    assert {mention.finding for mention in reading.mentions if mention.status is Status.PRESENT} == {"bladder_bowel"}
    assert reading.writer == "helper"


def test_what_the_message_would_answer_is_in_the_reading(parts: Parts) -> None:
    replies = {"walking": (("no", 0.9), ("yes", 0.1)), "chills": (("unclear", 1.0),)}
    message = Message({TEXT: "up and about", REPLIES: replies})
    FindingExtractor.create({}, *parts).process([message])
    reading = Reading.from_entities("up and about", message.get(ENTITIES))
    assert reading is not None
    assert reading.replies == replies


def test_the_extractor_reads_by_the_clinics_day_of_the_message(parts: Parts) -> None:
    text = "the procedure was on Monday"
    told = [{"at": "2026-03-03T04:30:00+00:00"}, {"at": "2026-03-03T05:30:00+00:00"}]
    messages = [Message({TEXT: text, "metadata": metadata}) for metadata in told]
    FindingExtractor.create({}, *parts).process(messages)
    readings = [Reading.from_entities(text, message.get(ENTITIES)) for message in messages]
    assert [reading.days for reading in readings if reading is not None] == [7, 1]


def test_the_training_cache_knows_the_lexicon_and_the_encoder() -> None:
    assert FindingExtractor.fingerprint_addon({}) == load_protocol().version
    assert SentenceFeaturizer.fingerprint_addon({}) == encoder.fingerprint()


def test_sentence_features_are_what_rasa_expects(featurizer: SentenceFeaturizer) -> None:
    (message,) = featurizer.process([Message({TEXT: "hello"})])
    feature = next(each for each in message.features if isinstance(each, Features))
    assert (feature.type, feature.attribute) == (FEATURE_TYPE_SENTENCE, TEXT)
