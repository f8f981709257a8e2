from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aftercare.protocol import Protocol, ProtocolError, load_protocol
from aftercare.protocol.__main__ import main
from aftercare.protocol.files import line_at, read


class Draft:
    """A copy of the protocol that may be broken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> int:
        """Add lines at the end of a file; the number of the first of them."""
        kept = self.text(name).rstrip("\n")
        self.write(name, f"{kept}\n{text}\n")
        return kept.count("\n") + 2

    def replace(self, name: str, old: str, new: str) -> int:
        """Replace the first place that the regular expression finds; the number of its line."""
        kept = self.text(name)
        found = re.search(old, kept, re.MULTILINE)
        assert found is not None, f"{old!r} is not in {name}"
        self.write(name, kept[: found.start()] + new + kept[found.end() :])
        return kept.count("\n", 0, found.start()) + 1

    def problems(self) -> list[str]:
        with pytest.raises(ProtocolError) as refused:
            load_protocol(self.folder)
        return refused.value.problems


@pytest.fixture
def draft(root: Path, tmp_path: Path) -> Draft:
    shutil.copytree(root / "protocols" / "vertebroplasty", tmp_path / "draft")
    return Draft(tmp_path / "draft")


def rule(**fields: str) -> str:
    given = {
        "id": "extra",
        "disposition": "call_doctor",
        "advice": "call_clinic",
        "any": "[fever]",
        "basis": "leaflet",
        "sentence": "call_infection",
        "reason": "A test.",
    } | fields
    lines = [f"{key}: {value}" for key, value in given.items() if value]
    return "  - " + "\n    ".join(lines)


def question(**fields: str) -> str:
    given = {"id": "extra", "about": "chills", "covers": "[chills]", "text": "Is it so?", "again": "Is it really so?"} | fields
    return "questions:\n  - " + "\n    ".join(f"{key}: {value}" for key, value in given.items())


def row(**fields: str) -> str:
    given = {
        "fact": "onset",
        "tier": "call_doctor",
        "text": "Chills?",
        '"yes"': "chills",
        '"no"': "[chills]",
        "closed_by": "[[chills]]",
        "opened_by": "[]",
        "names": "[chills]",
    } | fields
    return "  - " + "\n    ".join(f"{key}: {value}" for key, value in given.items())


Break = Callable[[Draft], int]

# What is broken, how, the file that is blamed, and words of the message: what is wrong, and what to do about it.
BREAKS: dict[str, tuple[Break, str, str]] = {
    "a rule names an unknown finding": (
        lambda d: d.append("rules.yml", rule(any="[no_such_finding]")),
        "rules.yml",
        "'no_such_finding'.*correct the name",
    ),
    "a rule asks when an unknown finding is there": (
        lambda d: d.append("rules.yml", rule(ask_when="[no_such_finding]")),
        "rules.yml",
        "'no_such_finding'.*correct the name",
    ),
    "a rule of the leaflet quotes nothing": (
        lambda d: d.append("rules.yml", rule(sentence="")),
        "rules.yml",
        "'extra'.*quotes nothing; name its `sentence`",
    ),
    "a rule quotes an unknown sentence": (
        lambda d: d.append("rules.yml", rule(sentence="no_such_sentence")),
        "rules.yml",
        "'no_such_sentence'.*correct the name",
    ),
    "an extension is less urgent than the leaflet": (
        lambda d: d.append("rules.yml", rule(basis="extension", leaflet_disposition="emergency")),
        "rules.yml",
        "'extra' is less urgent than the leaflet.*raise its disposition",
    ),
    "an extension is silent about the leaflet": (
        lambda d: d.append("rules.yml", rule(basis="extension")),
        "rules.yml",
        "'extra'.*add `leaflet_disposition`",
    ),
    "a rule has no condition": (
        lambda d: d.append("rules.yml", rule(any="")),
        "rules.yml",
        "'extra' has no condition; give it `all` or `any`",
    ),
    "a rule gives advice that nobody wrote": (
        lambda d: d.append("rules.yml", rule(advice="no_such_advice")),
        "rules.yml",
        "'no_such_advice'.*write it there",
    ),
    "two rules have one name": (
        lambda d: d.append("rules.yml", rule(id="fever")),
        "rules.yml",
        "two rules are called 'fever'; rename one",
    ),
    "a rule can never decide": (
        lambda d: d.append("rules.yml", rule(any="[chest_pain]")),
        "rules.yml",
        "'extra' can never decide.*remove it",
    ),
    "a rule can never decide because of two others": (
        lambda d: d.append("rules.yml", rule(any="[chest_pain, breathless]")),
        "rules.yml",
        "'extra' can never decide",
    ),
    "a rule of two findings can never decide": (
        lambda d: d.append("rules.yml", rule(all="[chills]", any="[chest_pain]")),
        "rules.yml",
        "'extra' can never decide.*remove it",
    ),
    "a finding has no rule": (
        lambda d: d.append("findings.yml", "  extra: {code: other, label: something else, intents: []}"),
        "findings.yml",
        "no rule uses 'extra'; write a rule for it or remove it",
    ),
    "a quote is not in the leaflet": (
        lambda d: d.replace("leaflet.yml", r"Recovery is very rapid\.$", "Recovery is quite rapid."),
        "leaflet.yml",
        "not in leaflet.txt word for word; copy the sentence exactly",
    ),
    "a section is not in the leaflet": (
        lambda d: d.replace("leaflet.yml", r"title: Quick Facts$", "title: Slow Facts"),
        "leaflet.yml",
        "'Slow Facts' in leaflet.txt; copy its title",
    ),
    "the leaflet has changed": (
        lambda d: d.append("leaflet.txt", "A new sentence.") and d.replace("leaflet.yml", r"^sha256", "sha256"),
        "leaflet.yml",
        "leaflet.txt has changed.*compare every sentence and rule with the new text",
    ),
    "a question names an unknown finding": (
        lambda d: d.replace("interview.yml", r"^questions:$", question(covers="[no_such_finding]")) + 1,
        "interview.yml",
        "'no_such_finding'.*correct the name",
    ),
    "a button names an unknown finding": (
        lambda d: (
            d.replace(
                "interview.yml",
                r"^questions:$",
                question(buttons="[{title: So, is: [no_such_finding]}, {title: Or so}]"),
            )
            + 1
        ),
        "interview.yml",
        "'no_such_finding'.*correct the name",
    ),
    "a question has no other words": (
        lambda d: d.replace("interview.yml", r"^    again: .*\n", "") - 5,
        "interview.yml",
        "'again' is a required property.*correct it",
    ),
    "a row means an unknown finding": (
        lambda d: d.append("danger_check.yml", row(**{'"yes"': "no_such_finding"})),
        "danger_check.yml",
        "row 'onset' names the finding 'no_such_finding'.*correct the name",
    ),
    "a row rules out an unknown finding": (
        lambda d: d.append("danger_check.yml", row(**{'"no"': "[no_such_finding]"})),
        "danger_check.yml",
        "row 'onset' names the finding 'no_such_finding'.*correct the name",
    ),
    "a row is closed by an unknown finding": (
        lambda d: d.append("danger_check.yml", row(closed_by="[[chills], [no_such_finding]]")),
        "danger_check.yml",
        "row 'onset' names the finding 'no_such_finding'.*correct the name",
    ),
    "a row is opened by an unknown finding": (
        lambda d: d.append("danger_check.yml", row(opened_by="[no_such_finding]")),
        "danger_check.yml",
        "row 'onset' names the finding 'no_such_finding'.*correct the name",
    ),
    "a row has no finding": (
        lambda d: d.replace("danger_check.yml", r'^    "yes": breathless\n', "") - 3,
        "danger_check.yml",
        "'yes' is a required property.*correct it",
    ),
    "a row is too long to be read": (
        lambda d: d.append("danger_check.yml", row(text="Chills that shake you so much that you can not hold a cup of tea?")),
        "danger_check.yml",
        "row 'onset' has more than 12 words; shorten it",
    ),
    "two rows are about one fact": (
        lambda d: d.append("danger_check.yml", row(fact="chills")),
        "danger_check.yml",
        "two rows are about 'chills'; remove one",
    ),
    "Yes to a row does not lead to its tier": (
        lambda d: d.append("danger_check.yml", row(**{'"yes"': "soreness"})),
        "danger_check.yml",
        "Yes to row 'onset' does not lead to call_doctor.*correct the tier",
    ),
    "a row for the doctor stands before one of an emergency": (
        lambda d: (
            d.append("danger_check.yml", row(tier="emergency", **{'"yes"': "paralysis"}))
            and d.replace("danger_check.yml", r"^rows:$", "rows:")
        ),
        "danger_check.yml",
        "a row for the doctor stands before one of an emergency; put the worst first",
    ),
    "no row and no question asks about a red flag": (
        lambda d: d.append(
            "rules.yml",
            rule(disposition="emergency", advice="call_911", any="[past_symptom]", basis="extension", leaflet_disposition="none"),
        ),
        "rules.yml",
        "nothing asks about the red flag 'past_symptom'; add a row to danger_check.yml or a question to interview.yml",
    ),
    "a topic quotes an unknown sentence": (
        lambda d: d.replace("faq.yml", r"^  ice: .*$", "  ice: {label: ice, sentences: [no_such_sentence]}"),
        "faq.yml",
        "'no_such_sentence'.*correct the name",
    ),
    "the wording uses an unknown placeholder": (
        lambda d: d.replace("wording.yml", r"^goodbye: .*$", "goodbye: Call {nobody} now."),
        "wording.yml",
        r"\{nobody\}.*correct the name",
    ),
    "the wording has a brace that never closes": (
        lambda d: d.replace("wording.yml", r"^goodbye: .*$", 'goodbye: "Call {phone now."'),
        "wording.yml",
        "goodbye.*;",
    ),
    "the wording puts a value where it is not given": (
        lambda d: d.replace("wording.yml", r"^goodbye: .*$", 'goodbye: "Bye, {evidence}."'),
        "wording.yml",
        r"\{evidence\}.*;",
    ),
    "a pattern uses an unknown word class": (
        lambda d: d.replace("lexicon/findings.yml", r"^    - .*$", '    - "@no_such_class hurts"'),
        "lexicon/findings.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "a pattern holds no word": (
        lambda d: d.replace("lexicon/findings.yml", r"^    - .*$", '    - "~3"'),
        "lexicon/findings.yml",
        "holds no word that must be there; correct the pattern",
    ),
    "an idiom uses an unknown word class": (
        lambda d: d.replace("lexicon/assertion.yml", r"^idioms: \[", 'idioms: ["@no_such_class", '),
        "lexicon/assertion.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "the lexicon knows an unknown finding": (
        lambda d: d.replace("lexicon/findings.yml", r"^  chills:$", "  no_such_finding:"),
        "lexicon/findings.yml",
        "'no_such_finding' is no finding of findings.yml; correct the name",
    ),
    "a word of health denies an unknown finding": (
        lambda d: d.append("lexicon/normal.yml", '  no_such_finding: ["all fine"]'),
        "lexicon/normal.yml",
        "'no_such_finding' is no finding of findings.yml; correct the name",
    ),
    "a clinic has a fictional number": (
        lambda d: (
            d.replace("clinic.yml", r"^mode: .*$", "mode: clinic"),
            d.replace("clinic.yml", r"^phone: .*$", "phone: 202-555-0100"),
        )[1],
        "clinic.yml",
        "'phone' is empty or fictional; put in the clinic's real number",
    ),
    "a clinic has a fictional number after hours": (
        lambda d: (
            d.replace("clinic.yml", r"^mode: .*$", "mode: clinic"),
            d.replace("clinic.yml", r"^phone: .*$", "phone: 202-456-1414"),
            d.replace("clinic.yml", r"^after_hours_phone: .*$", "after_hours_phone: xxx-xxx-xxxx"),
        )[2],
        "clinic.yml",
        "'after_hours_phone' is empty or fictional",
    ),
    "a demo has a number that looks real": (
        lambda d: d.replace("clinic.yml", r"^phone: .*$", "phone: 202-456-1414"),
        "clinic.yml",
        "'phone' looks real; a demo uses 555-01xx",
    ),
    "the time zone is unknown": (
        lambda d: d.replace("clinic.yml", r"^time_zone: .*$", "time_zone: America/Atlantis"),
        "clinic.yml",
        "'America/Atlantis' is no time zone of the IANA database; write one such as America/New_York",
    ),
    "the time zone is a region": (
        lambda d: d.replace("clinic.yml", r"^time_zone: .*$", "time_zone: America"),
        "clinic.yml",
        "'America' is no time zone of the IANA database",
    ),
    "the time zone is a path": (
        lambda d: d.replace("clinic.yml", r"^time_zone: .*$", "time_zone: ../../etc/passwd"),
        "clinic.yml",
        "'../../etc/passwd' is no time zone of the IANA database",
    ),
    "opening hours are reversed": (
        lambda d: d.replace("clinic.yml", r"^  monday: .*$", '  monday: ["17:00-08:00"]'),
        "clinic.yml",
        "the hours 17:00-08:00 of monday end before they begin; hours past midnight stand on two days",
    ),
    "opening hours are empty": (
        lambda d: d.replace("clinic.yml", r"^  monday: .*$", '  monday: ["08:00-08:00"]'),
        "clinic.yml",
        "the hours 08:00-08:00 of monday end before they begin",
    ),
    "opening hours overlap": (
        lambda d: d.replace("clinic.yml", r"^  tuesday: .*$", '  tuesday: ["13:00-17:00", "08:00-13:01"]'),
        "clinic.yml",
        "the hours of tuesday overlap; make them one, or correct them",
    ),
    "opening hours stand twice": (
        lambda d: d.replace("clinic.yml", r"^  tuesday: .*$", '  tuesday: ["08:00-12:00", "08:00-12:00"]'),
        "clinic.yml",
        "the hours of tuesday overlap",
    ),
    "opening hours are no hours": (
        lambda d: d.replace("clinic.yml", r"^  friday: .*$", '  friday: ["8 to 5"]'),
        "clinic.yml",
        "'8 to 5' does not match",
    ),
    "a holiday is no date": (
        lambda d: d.replace("clinic.yml", r"^  holidays: .*$", "  holidays: ['2027-02-30']"),
        "clinic.yml",
        "2027-02-30 is no date; correct it",
    ),
    "a key stands twice": (
        lambda d: d.append("thresholds.yml", "fever_f: 103.0"),
        "thresholds.yml",
        "'fever_f' stands twice; remove one of the two",
    ),
    "a finding stands twice": (
        lambda d: d.append("findings.yml", "  fever: {code: fever, label: fever, intents: []}"),
        "findings.yml",
        "'fever' stands twice; remove one of the two",
    ),
    "a key is unknown": (
        lambda d: d.append("rules.yml", rule(colour="red")),
        "rules.yml",
        "'colour' was unexpected.*correct it as protocols/schema.json says",
    ),
    "a value is of the wrong kind": (
        lambda d: d.replace("thresholds.yml", r"^fever_f: .*$", "fever_f: hot"),
        "thresholds.yml",
        "fever_f.*'hot'.*correct it",
    ),
    "a disposition is none": (
        lambda d: d.append("rules.yml", rule(disposition="wait")) + 1,
        "rules.yml",
        "'wait'.*correct it",
    ),
    "a code is not on the wire": (
        lambda d: d.append("findings.yml", "  extra: {code: no_such_code, label: x, intents: []}"),
        "findings.yml",
        "'no_such_code'.*correct it",
    ),
    "more questions than five": (
        lambda d: d.replace("interview.yml", r"^max_questions: .*$", "max_questions: 6"),
        "interview.yml",
        "max_questions.*6.*correct it",
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_protocol_is_refused_by_file_line_and_remedy(draft: Draft, broken: str) -> None:
    break_it, file, words = BREAKS[broken]
    line = break_it(draft)
    problems = draft.problems()
    blamed = [problem for problem in problems if problem.startswith(f"{file}:") and re.search(words, problem)]
    assert blamed, problems
    lines = {int(number) for problem in blamed for number in re.findall(r"^\S+\.yml:(\d+)|line (\d+)", problem)[0] if number}
    assert line in lines, (line, blamed)


def test_every_mistake_is_told_at_once(draft: Draft) -> None:
    draft.append("rules.yml", rule(any="[no_such_finding]"))
    draft.replace("wording.yml", r"^goodbye: .*$", "goodbye: Call {nobody} now.")
    draft.replace("faq.yml", r"^  ice: .*$", "  ice: {label: ice, sentences: [no_such_sentence]}")
    assert {problem.split(":")[0] for problem in draft.problems()} == {"rules.yml", "wording.yml", "faq.yml"}


@pytest.mark.parametrize("name", ["rules.yml", "leaflet.yml", "clinic.yml", "lexicon/words.yml", "leaflet.txt"])
def test_a_missing_file_is_named(draft: Draft, name: str) -> None:
    (draft.folder / name).unlink()
    (problem,) = draft.problems()
    assert Path(name).name in problem
    assert "missing; put" in problem


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "", "a: [1, 2\n", "a: b: c\n", "\t- x\n"])
def test_a_file_that_is_no_mapping_is_named(draft: Draft, text: str) -> None:
    draft.write("faq.yml", text)
    (problem,) = draft.problems()
    assert problem.startswith("faq.yml:")


def test_the_draft_itself_is_right(draft: Draft) -> None:
    assert load_protocol(draft.folder).id == "draft"


def test_real_numbers_are_right_for_a_clinic(draft: Draft) -> None:
    draft.replace("clinic.yml", r"^mode: .*$", "mode: clinic")
    draft.replace("clinic.yml", r"^phone: .*$", "phone: 202-456-1414")
    draft.replace("clinic.yml", r"^after_hours_phone: .*$", "after_hours_phone: 202-456-1111")
    assert load_protocol(draft.folder).say("goodbye").count("202-456-1414") == 1


def test_the_clinics_file_may_lie_elsewhere(draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.yml"
    own.write_text(draft.text("clinic.yml").replace("555-0100", "555-0123"), encoding="utf-8")
    monkeypatch.setenv("AFTERCARE_CLINIC", str(own))
    assert load_protocol(draft.folder).clinic.details["phone"] == "555-0123"


def test_the_protocols_folder_may_lie_elsewhere(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERCARE_PROTOCOL", str(draft.folder))
    assert load_protocol().id == "draft"


def test_any_change_of_the_content_changes_the_version(draft: Draft, protocol: Protocol) -> None:
    assert load_protocol(draft.folder).version == protocol.version
    draft.replace("rules.yml", r"reason: ", "reason: Indeed. ")
    other = draft.folder.with_name("other")
    shutil.move(draft.folder, other)
    assert load_protocol(other).version != protocol.version


def test_the_command_names_the_problems(draft: Draft, capsys: pytest.CaptureFixture[str]) -> None:
    line = draft.append("rules.yml", rule(any="[no_such_finding]"))
    assert main([str(draft.folder)]) == 1
    assert f"rules.yml:{line}: " in capsys.readouterr().err


def test_the_command_names_a_good_protocol(draft: Draft, capsys: pytest.CaptureFixture[str], protocol: Protocol) -> None:
    assert main([str(draft.folder)]) == 0
    assert f"draft, version {protocol.version}" in capsys.readouterr().out


def test_lines_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("one: 1\ntwo:\n  - x\n  - {three: 3,\n     four: 4}\n", encoding="utf-8")
    content = read(tmp_path / "a.yml")
    assert line_at(content, ["one"]) == 1
    assert line_at(content, ["two", 0]) == 3
    assert line_at(content, ["two", 1, "four"]) == 5
    assert line_at(content, ["two", 1, "five"]) == 4
    assert line_at(content, []) == 1


def test_every_sentence_is_in_the_leaflet(protocol: Protocol, root: Path) -> None:
    leaflet = (root / "protocols" / "vertebroplasty" / "leaflet.txt").read_text(encoding="utf-8")
    assert len(protocol.sentences) > 40
    for sentence in protocol.sentences.values():
        assert sentence.quote in leaflet
        assert sentence.section in leaflet


def test_a_sentence_stands_in_its_own_section(protocol: Protocol, root: Path) -> None:
    leaflet = (root / "protocols" / "vertebroplasty" / "leaflet.txt").read_text(encoding="utf-8")
    titles = list(dict.fromkeys(sentence.section for sentence in protocol.sentences.values()))
    starts = [re.search(rf"^{re.escape(title)}$", leaflet, re.MULTILINE).start() for title in titles]  # type: ignore[union-attr]
    assert starts == sorted(starts)
    ends = [*starts[1:], len(leaflet)]
    for sentence in protocol.sentences.values():
        number = titles.index(sentence.section)
        assert sentence.quote in leaflet[starts[number] : ends[number]], sentence.id


def test_every_warning_of_the_leaflet_has_a_rule(protocol: Protocol) -> None:
    quoted = {rule.sentence.id for rule in protocol.rules if rule.sentence}
    warnings = {s.id for s in protocol.sentences.values() if s.section == "When to Contact Your Doctor"}
    assert len(warnings) == 5
    assert warnings <= quoted


def test_every_topic_of_the_wire_exists(protocol: Protocol, wire_names: dict[str, set[str]]) -> None:
    assert len(wire_names["topics"]) == 27
    assert set(protocol.topics) == wire_names["topics"]
    assert all(topic.sentences for topic in protocol.topics.values())


def test_every_code_of_the_wire_has_a_finding(protocol: Protocol, wire_names: dict[str, set[str]]) -> None:
    assert {finding.code for finding in protocol.findings.values()} == wire_names["codes"]


def test_every_finding_that_stands_in_the_lexicon_is_told_apart(protocol: Protocol) -> None:
    assert set(protocol.lexicon["suppress"]) <= set(protocol.findings)
    for stronger in protocol.lexicon["suppress"].values():
        assert set(stronger) <= set(protocol.findings)
