"""What a message would mean as the answer to each question: the model, the component, and the examples that it learns from."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.linear_model import LogisticRegression

from aftercare.protocol.compose import CLINICAL, PROTOCOLS
from rasa_ext import answer_reader, encoder
from rasa_ext.answer_model import LABELS, AnswerModel, Example, Floats
from rasa_ext.answer_reader import REPLIES, AnswerReader, examples
from rasa_ext.sentence_featurizer import SentenceFeaturizer

FILES = sorted([*(CLINICAL / "answers").glob("*.jsonl"), *PROTOCOLS.glob("*/answers/*.jsonl")])
EVALUATION = Path(__file__).resolve().parents[2] / "evaluation" / "answers"
QUESTIONS = {
    *("chest_pain", "breathing", "bladder_bowel", "saddle_numbness", "walking", "other_symptoms", "rash_swelling", "bleeding", "chills"),
    *("leg_weakness", "site_appearance", "pain_severity", "pain_trend", "medication_fails", "both_legs", "self_harm", "danger_check"),
}
FEWEST = {"yes": 25, "no": 70, "unsure": 20, "aside": 25, "other": 10, "unclear": 5}
SAID = {
    "yes": ["it hurts badly", "yes it does", "yes the worst ever"],
    "no": ["no it is fine", "no not at all", "no nothing there"],
    "unsure": ["hard to tell", "i can not tell", "how would i know"],
    "aside": ["may i have a bath?", "who is this?", "may i eat now?"],
    "other": ["my ear itches", "my nose runs", "my elbow itches"],
    "unclear": ["the one and the other", "so so the other", "the usual other"],
}

RIDGE = 0.1

Parts = tuple[LocalModelStorage, Resource, ExecutionContext]


def plain(text: str) -> str:
    return re.sub(r"[^\w?']+", " ", text.lower()).strip() or text


def vectors_of(hand: list[Example]) -> Floats:
    return np.array([encoder.encoder().encode(example.text) for example in hand])


@pytest.fixture
def parts(storage: LocalModelStorage, resource: Resource, context: ExecutionContext) -> Parts:
    return storage, resource, context


@pytest.fixture(scope="module")
def hands() -> list[list[Example]]:
    """Two hands that answer two questions; the numbers mean yes to the one and no to the other."""
    both: list[list[Example]] = [[], []]
    for question, number in (("pain", "yes"), ("well", "no")):
        for label, texts in SAID.items():
            for index, text in enumerate(texts):
                both[index % 2].append(Example(question, text, label))
        both[0].append(Example(question, "an 8", number))
        both[1].append(Example(question, "a 9", number))
    return both


@pytest.fixture(scope="module")
def model(hands: list[list[Example]]) -> AnswerModel:
    return AnswerModel.fit(hands, [vectors_of(hand) for hand in hands], RIDGE, LogisticRegression(C=100))


def asked(model: AnswerModel, text: str) -> dict[str, str]:
    shares = model.probabilities(text, encoder.encoder().encode(text))
    assert shares.sum(axis=1) == pytest.approx(1)
    return {str(question): LABELS[row.argmax()] for question, row in zip(model.questions, shares, strict=True)}


def test_the_same_words_mean_something_else_to_another_question(model: AnswerModel) -> None:
    assert asked(model, "a 10") == {"pain": "yes", "well": "no"}


@pytest.mark.parametrize(("text", "label"), [("can i have lunch?", "aside"), ("it is hard to know", "unsure"), ("no, not there", "no")])
def test_what_means_the_same_to_every_question_is_shared(model: AnswerModel, text: str, label: str) -> None:
    assert asked(model, text) == {"pain": label, "well": label}


def test_an_example_of_one_question_helps_the_others(hands: list[list[Example]]) -> None:
    told = [[*hand, Example("pain", "purple giraffes dancing", "aside")] for hand in hands]
    before, after = (AnswerModel.fit(each, [vectors_of(hand) for hand in each], RIDGE, LogisticRegression(C=100)) for each in (hands, told))
    text = "giraffes dancing"
    aside = LABELS.index("aside")
    shares = [
        model.probabilities(text, encoder.encoder().encode(text))[list(model.questions).index("well"), aside] for model in (before, after)
    ]
    assert shares[1] > shares[0] + 0.2


def test_the_scores_solve_the_least_squares(hands: list[list[Example]], model: AnswerModel) -> None:
    """Of every example, its score and what the ridge takes from it make one for its label and nothing for the others."""
    kept = [example for question in ("pain", "well") for hand in hands for example in hand if example.question == question]
    for example, vector, weights in zip(kept, vectors_of(kept), model.weights, strict=True):
        own = model.scores(example.text, vector)[list(model.questions).index(example.question)]
        assert own + RIDGE * weights == pytest.approx(np.eye(len(LABELS))[LABELS.index(example.label)], abs=1e-3)


def vars_of(model: AnswerModel) -> dict[str, Floats]:
    return {name: getattr(model, name) for name in AnswerModel.__dataclass_fields__}


def test_what_is_read_is_what_was_written(tmp_path: Path, model: AnswerModel) -> None:
    model.save(tmp_path / "answers.npz")
    read = AnswerModel.load(tmp_path / "answers.npz")
    for text in ("no", "is it bad?", "a 9", "", "\U0001f600"):
        vector = encoder.encoder().encode(text)
        assert (read.probabilities(text, vector) == model.probabilities(text, vector)).all()


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "answers.npz", **{name: np.array([{"an": "object"}], dtype=object) for name in AnswerModel.__dataclass_fields__})
    with pytest.raises(ValueError, match="pickle"):
        AnswerModel.load(tmp_path / "answers.npz")


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of every tenth example: what all share, whose folder is returned, and the protocol's own."""
    shared, own = tmp_path / "clinical" / "answers", tmp_path / "vertebroplasty" / "answers"
    for folder, kept in ((shared, CLINICAL), (own, PROTOCOLS / "vertebroplasty")):
        folder.mkdir(parents=True)
        for file in (kept / "answers").glob("*.jsonl"):
            (folder / file.name).write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[::10]), encoding="utf-8")
    monkeypatch.setattr(answer_reader, "_folders", lambda: [shared, own])
    return shared


def test_the_reader_is_stored_and_answers_for_every_question(few: Path, parts: Parts) -> None:
    config = AnswerReader.get_default_config()
    AnswerReader.create(config, *parts).train(TrainingData())
    reader = AnswerReader.load(config, *parts)
    featurizer = SentenceFeaturizer.create(SentenceFeaturizer.get_default_config(), *parts)
    (message,) = reader.process(featurizer.process([Message({TEXT: "she is walking up and down the hall"})]))
    replies = message.get(REPLIES)
    assert set(replies) == QUESTIONS
    assert replies["walking"][0][0] == "no"
    for ranking in replies.values():
        assert {label for label, _ in ranking} == set(LABELS)
        shares = [share for _, share in ranking]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=0.001)
        assert all(share == round(share, 4) for share in shares)


def test_training_twice_gives_the_same(few: Path, context: ExecutionContext, tmp_path_factory: pytest.TempPathFactory) -> None:
    learnt = []
    for name in ("once", "again"):
        storage, resource = LocalModelStorage(tmp_path_factory.mktemp(name)), Resource("component")
        AnswerReader.create({}, storage, resource, context).train(TrainingData())
        with storage.read_from(resource) as folder:
            learnt.append(vars_of(AnswerModel.load(folder / "vertebroplasty.npz")))
    assert all((learnt[0][name] == learnt[1][name]).all() for name in learnt[0])


def test_a_message_without_words_gets_no_replies(parts: Parts) -> None:
    (message,) = AnswerReader.create({}, *parts).process([Message({TEXT: ""})])
    assert message.get(REPLIES) is None


def test_the_reader_without_features_says_what_is_missing(parts: Parts) -> None:
    with pytest.raises(ValueError, match="dense featurizer"):
        AnswerReader.create({}, *parts).process([Message({TEXT: "hello"})])


def test_a_setting_that_the_reader_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidConfigException, match="rigde"):
        AnswerReader.validate_config({"rigde": 1})


def test_the_training_cache_knows_the_examples(few: Path) -> None:
    before = AnswerReader.fingerprint_addon({})
    assert AnswerReader.fingerprint_addon({}) == before
    shutil.copy(few / "first.jsonl", few / "third.jsonl")
    assert AnswerReader.fingerprint_addon({}) != before


@pytest.fixture(scope="module")
def known() -> list[Example]:
    return [example for file in FILES for example in examples(file)]


def test_every_question_has_enough_examples_of_every_label(known: list[Example]) -> None:
    assert len(known) >= 3000
    counts = Counter((example.question, example.label) for example in known)
    assert {question for question, _ in counts} == QUESTIONS
    assert {label for _, label in counts} == set(LABELS)
    for question in QUESTIONS:
        assert {label: counts[question, label] for label in LABELS if counts[question, label] < FEWEST[label]} == {}, question


def test_no_answer_stands_twice_under_one_question(known: list[Example]) -> None:
    twice = [pair for pair, count in Counter((example.question, plain(example.text)) for example in known).items() if count > 1]
    assert twice == []


def test_each_hand_is_in_order() -> None:
    for file in FILES:
        own = examples(file)
        assert own == sorted(own, key=lambda each: (each.question, LABELS.index(each.label), each.text)), file.name


def test_no_example_is_an_evaluation_text(known: list[Example]) -> None:
    learnt = {plain(example.text) for example in known}
    for part in ("development", "validation", "test"):
        pairs = examples(EVALUATION / f"{part}.jsonl")
        assert {pair.question for pair in pairs} <= QUESTIONS
        assert {pair.label for pair in pairs} <= set(LABELS)
        assert sum(plain(pair.text) in learnt for pair in pairs) == 0, part
