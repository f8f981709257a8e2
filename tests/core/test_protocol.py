from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aftercare.protocol import Protocol, ProtocolError, load_library, load_protocol, reload_protocol
from aftercare.protocol.__main__ import main
from aftercare.protocol.check import check
from aftercare.protocol.compose import Sources, compose
from aftercare.protocol.files import name_of, place_of, read

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("clinical", "languages")


class Draft:
    """A copy of the protocol, and of what it shares with others, that may be broken.

    A file is named from its protocol's folder on, one that is shared from `clinical/` or `languages/` on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        shared = name.startswith(("clinical/", "languages/"))
        return (self.folder.parent if shared else self.folder) / name

    def place(self, name: str) -> str:
        """How a problem names the file."""
        return name_of(self.path(name))

    def text(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> int:
        """Write a whole file; the number of its first line."""
        self.path(name).write_text(text, encoding="utf-8")
        return 1

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

    def content(self) -> dict[str, Any]:
        """What the folders say together, unchecked."""
        shared = self.folder.parent
        return compose(Sources(self.folder, self.folder / "clinic.yml", "en", shared / "languages", shared / "clinical"))

    def problems(self) -> list[str]:
        """All that is wrong; where only the protocol's own files are, it is what loading says."""
        with pytest.raises(ProtocolError) as refused:
            self._load()
        return refused.value.problems

    def _load(self) -> None:
        """Load it as it is; where what is shared was changed too, put together and check what loading would."""
        if all(self._is_as_shipped(path) for name in SHARED for path in (ROOT / name).rglob("*.yml") if "nlu" not in path.parts):
            load_protocol(self.folder)
        else:
            raise ProtocolError(check(self.folder, self.content()))

    def _is_as_shipped(self, path: Path) -> bool:
        copy = self.folder.parent / path.relative_to(ROOT)
        return copy.exists() and copy.read_bytes() == path.read_bytes()


@pytest.fixture
def draft(root: Path, tmp_path: Path) -> Draft:
    shutil.copytree(root / "protocols" / "vertebroplasty", tmp_path / "draft")
    for name in SHARED:
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("nlu", "answers"))
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
    given = {"id": "extra", "about": "chills", "covers": "[chills]"} | fields
    said = 'en: {text: "Is it so?", again: "Is it really so?"' + (f", buttons: {given.pop('buttons')}" if "buttons" in given else "") + "}"
    return "questions:\n  - " + "\n    ".join([*(f"{key}: {value}" for key, value in given.items()), said])


def row(**fields: str) -> str:
    given = {
        "fact": "onset",
        "tier": "call_doctor",
        '"yes"': "chills",
        '"no"': "[chills]",
        "closed_by": "[[chills]]",
        "opened_by": "[]",
        "text": "Chills?",
    } | fields
    said = f'en: {{text: "{given.pop("text")}", names: [chills]}}'
    return "  - " + "\n    ".join([*(f"{key}: {value}" for key, value in given.items()), said])


def _line(draft: Draft, name: str, text: str) -> int:
    """The number of the first line that is this one."""
    return draft.text(name).splitlines().index(text) + 1


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
    "a finding alone leads nowhere": (
        lambda d: (
            d.append("rules.yml", rule(all="[fever]", any="[extra]")),
            d.write("findings/extra.yml", "code: other\nen: {label: something else}\n"),
        )[-1],
        "findings/extra.yml",
        "'extra' alone leads to no disposition; write a rule that it alone fulfils, or say `qualifier: true`",
    ),
    "a finding has no rule": (
        lambda d: d.write("findings/extra.yml", "code: other\nen: {label: something else}\n"),
        "findings/extra.yml",
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
        lambda d: d.replace("interview.yml", r"^      again: .*\n", "") - 6,
        "interview.yml",
        "'again' is missing; add it",
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
        lambda d: d.append("danger_check.yml", row(**{'"yes"': "chills"}).replace('"yes": chills\n    ', "")),
        "danger_check.yml",
        "'yes' is missing; add it",
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
        lambda d: d.replace("faq.yml", r"^  ice: .*$", "  ice: {sentences: [no_such_sentence], en: {label: ice}}"),
        "faq.yml",
        "'no_such_sentence'.*correct the name",
    ),
    "the wording uses an unknown placeholder": (
        lambda d: d.replace("clinical/wording.en.yml", r"^goodbye: .*$", "goodbye: Call {nobody} now."),
        "clinical/wording.en.yml",
        r"\{nobody\}.*correct the name",
    ),
    "the wording has a brace that never closes": (
        lambda d: d.replace("clinical/wording.en.yml", r"^goodbye: .*$", 'goodbye: "Call {phone now."'),
        "clinical/wording.en.yml",
        "goodbye.*;",
    ),
    "the wording puts a value where it is not given": (
        lambda d: d.replace("clinical/wording.en.yml", r"^goodbye: .*$", 'goodbye: "Bye, {evidence}."'),
        "clinical/wording.en.yml",
        r"\{evidence\}.*;",
    ),
    "a pattern uses an unknown word class": (
        lambda d: d.replace("findings/bruising.yml", r"^    - say: .*$", '    - say: "@no_such_class hurts"'),
        "findings/bruising.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "a pattern holds no word": (
        lambda d: d.replace("findings/bruising.yml", r"^    - say: .*$", '    - say: "~3"'),
        "findings/bruising.yml",
        "holds no word that must be there; correct the pattern",
    ),
    "a shared pattern uses an unknown word class": (
        lambda d: d.replace("clinical/findings/chills.yml", r"^    - say: .*$", '    - say: "@no_such_class hurts"'),
        "clinical/findings/chills.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "a word of health uses an unknown word class": (
        lambda d: d.replace("findings/both_legs.yml", r"^    - say: one side$", '    - say: "@no_such_class"'),
        "findings/both_legs.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "an idiom uses an unknown word class": (
        lambda d: d.replace("languages/en/idioms.yml", r"^  - say: by heart$", '  - say: "@no_such_class"'),
        "languages/en/idioms.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "a trigger uses an unknown word class": (
        lambda d: d.replace("languages/en/assertion.yml", r"^      - say: denies$", '      - say: "@no_such_class"'),
        "languages/en/assertion.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "an answer uses an unknown word class": (
        lambda d: d.replace("languages/en/answers.yml", r"^    - not sure$", '    - "@no_such_class"'),
        "languages/en/answers.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "an act uses an unknown word class": (
        lambda d: d.replace("languages/en/dialogue.yml", r"^      - say: me too$", '      - say: "@no_such_class"'),
        "languages/en/dialogue.yml",
        "'@no_such_class'.*correct the pattern",
    ),
    "a finding yields to an unknown finding": (
        lambda d: d.write(
            "findings/bruising.yml",
            "yields_to: [no_such_finding]\n" + d.text("findings/bruising.yml").replace("yields_to: [hematoma]\n", ""),
        ),
        "findings/bruising.yml",
        "'bruising' names 'no_such_finding', which is no finding; correct the name",
    ),
    "a finding of a scale is unknown": (
        lambda d: d.replace("clinical/scales.yml", r"finding: moderate_pain", "finding: no_such_finding") - 1,
        "clinical/scales.yml",
        "the scale 'pain' names 'no_such_finding', which is no finding; correct the name",
    ),
    "the finding of later days is unknown": (
        lambda d: d.replace("scales.yml", r"later: beyond_48_hours", "later: no_such_finding"),
        "scales.yml",
        "the scale 'days' names 'no_such_finding', which is no finding; correct the name",
    ),
    "a rule that clinical does not have is taken": (
        lambda d: d.append("rules.yml", "  - use: no_such_rule"),
        "rules.yml",
        "clinical/ has no 'no_such_rule' in its rules; correct the name",
    ),
    "a row that clinical does not have is taken": (
        lambda d: d.append("danger_check.yml", "  - use: no_such_row"),
        "danger_check.yml",
        "clinical/ has no 'no_such_row' in its rows; correct the name",
    ),
    "a question that clinical does not have is taken": (
        lambda d: d.append("interview.yml", "  - use: no_such_question"),
        "interview.yml",
        "clinical/ has no 'no_such_question' in its questions; correct the name",
    ),
    "a shared rule of an emergency is left out": (
        lambda d: d.replace("rules.yml", r"^  - use: breathless\n(    .*\n)*", "") and _line(d, "rules.yml", "rules:"),
        "rules.yml",
        "the emergency 'breathless' of clinical/rules.yml is left out; add `- use: breathless`",
    ),
    "a shared row of an emergency is left out": (
        lambda d: d.replace("danger_check.yml", r"^  - use: breathing\n", "") and _line(d, "danger_check.yml", "rows:"),
        "danger_check.yml",
        "the emergency 'breathing' of clinical/danger_check.yml is left out; add `- use: breathing`",
    ),
    "a role of the meanings is given to none": (
        lambda d: d.replace("clinical/meanings.yml", r"role: relief, ", "") and _line(d, "clinical/meanings.yml", "meanings:"),
        "clinical/meanings.yml",
        "0 of the meanings have the role 'relief'; give it to one",
    ),
    "a role of the meanings is given to two": (
        lambda d: (
            d.replace("clinical/meanings.yml", r"  idiom: \{", "  idiom: {role: relief, ")
            and _line(d, "clinical/meanings.yml", "meanings:")
        ),
        "clinical/meanings.yml",
        "2 of the meanings have the role 'relief'; give it to one",
    ),
    "a meaning says what nobody wrote": (
        lambda d: d.replace("clinical/meanings.yml", r"texts: \[thanks,", "texts: [no_such_wording,"),
        "clinical/meanings.yml",
        "'thank' says 'no_such_wording', which wording has not; write it there",
    ),
    "a meaning says what nobody wrote under a heading": (
        lambda d: d.replace("clinical/meanings.yml", r"about_chat\.wants_person", "about_chat.no_such_wording"),
        "clinical/meanings.yml",
        "'call_me' says 'about_chat.no_such_wording', which wording has not; write it there",
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
    "a clinic has words for a number": (
        lambda d: (
            d.replace("clinic.yml", r"^mode: .*$", "mode: clinic"),
            d.replace("clinic.yml", r"^phone: .*$", "phone: 202-456-1414"),
            d.replace("clinic.yml", r"^after_hours_phone: .*$", "after_hours_phone: the hospital"),
        )[2],
        "clinic.yml",
        "'after_hours_phone' has no digit; write the number as it is dialed",
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
        lambda d: d.append("clinical/thresholds.yml", "abstain: 0.4"),
        "clinical/thresholds.yml",
        "'abstain' stands twice; remove one of the two",
    ),
    "a topic stands twice": (
        lambda d: d.append("faq.yml", "  ice: {sentences: [ice], en: {label: ice}}"),
        "faq.yml",
        "'ice' stands twice; remove one of the two",
    ),
    "a key is unknown": (
        lambda d: d.append("rules.yml", rule(colour="red")),
        "rules.yml",
        "'colour' was unexpected.*correct it as protocols/schema.json says",
    ),
    "a value is of the wrong kind": (
        lambda d: d.replace("clinical/thresholds.yml", r"^abstain:\n  value: .*$", "abstain:\n  value: hot") + 1,
        "clinical/thresholds.yml",
        "abstain.*'hot'.*correct it",
    ),
    "a probability says not where it is from": (
        lambda d: d.replace("clinical/thresholds.yml", r"^abstain:\n  value: (.*)\n  from: .*$", "abstain:\n  value: 0.35"),
        "clinical/thresholds.yml",
        "abstain: 'from' is missing; add it",
    ),
    "a probability has no figures": (
        lambda d: d.replace("clinical/thresholds.yml", r"^red_flag_certain:(\n  .*)+$", "red_flag_certain: {value: 0.45, from: tune}"),
        "clinical/thresholds.yml",
        "red_flag_certain: 'figures' is missing; add it",
    ),
    "a probability is decided by hand": (
        lambda d: d.replace("clinical/thresholds.yml", r"^  from: .*$", "  from: the clinic"),
        "clinical/thresholds.yml",
        r"red_flag_certain.from: 'the clinic' is not one of \['tune', 'measured'\]",
    ),
    "a probability is a plain number": (
        lambda d: d.write("thresholds.yml", "abstain: 0.36\n"),
        "thresholds.yml",
        "abstain: 0.36 is not of type 'object'",
    ),
    "a disposition is none": (
        lambda d: d.append("rules.yml", rule(disposition="wait")) + 1,
        "rules.yml",
        "'wait'.*correct it",
    ),
    "a code can not be on the wire": (
        lambda d: d.write("findings/extra.yml", "code: No such code\nen: {label: x}\n"),
        "findings/extra.yml",
        "'No such code'.*correct it",
    ),
    "more questions than five": (
        lambda d: d.replace("clinical/interview.yml", r"^max_questions: .*$", "max_questions: 6"),
        "clinical/interview.yml",
        "max_questions.*6.*correct it",
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_protocol_is_refused_by_file_line_and_remedy(draft: Draft, broken: str) -> None:
    break_it, file, words = BREAKS[broken]
    line = break_it(draft)
    problems = draft.problems()
    blamed = [problem for problem in problems if problem.startswith(f"{draft.place(file)}:") and re.search(words, problem)]
    assert blamed, problems
    lines = {int(number) for problem in blamed for number in re.findall(r"^\S+\.yml:(\d+)|line (\d+)", problem)[0] if number}
    assert line in lines, (line, blamed)


def test_every_mistake_is_told_at_once(draft: Draft) -> None:
    draft.append("rules.yml", rule(any="[no_such_finding]"))
    draft.append("wording.en.yml", "goodbye: Call {nobody} now.")
    draft.replace("faq.yml", r"^  ice: .*$", "  ice: {sentences: [no_such_sentence], en: {label: ice}}")
    assert {problem.split(":")[0] for problem in draft.problems()} == {"draft/rules.yml", "draft/wording.en.yml", "draft/faq.yml"}


@pytest.mark.parametrize(
    "name",
    [
        *("rules.yml", "leaflet.yml", "clinic.yml", "wording.en.yml", "leaflet.txt"),
        *("clinical/rules.yml", "clinical/words.en.yml", "clinical/wording.en.yml", "languages/en/clauses.yml", "languages/en/words.yml"),
    ],
)
def test_a_missing_file_is_named(draft: Draft, name: str) -> None:
    draft.path(name).unlink()
    (problem,) = draft.problems()
    assert Path(name).name in problem
    assert "missing; put" in problem


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "", "a: [1, 2\n", "a: b: c\n", "\t- x\n"])
def test_a_file_that_is_no_mapping_is_named(draft: Draft, text: str) -> None:
    draft.write("faq.yml", text)
    (problem,) = draft.problems()
    assert problem.startswith("draft/faq.yml:")


@pytest.mark.parametrize("role", ["unknown", "any_sign", "gone"])
def test_each_role_is_given_to_one_finding(draft: Draft, protocol: Protocol, role: str) -> None:
    name = protocol.role(role)
    draft.replace(f"clinical/findings/{name}.yml", rf"^role: {role}\n", "")
    (missing,) = draft.problems()
    assert f"0 of the findings have the role '{role}'; give it to one" in missing
    draft.write(f"clinical/findings/{name}.yml", f"role: {role}\n" + draft.text(f"clinical/findings/{name}.yml"))
    draft.write("findings/bruising.yml", f"role: {role}\n" + draft.text("findings/bruising.yml"))
    (twice,) = draft.problems()
    assert f"2 of the findings have the role '{role}'; give it to one" in twice


def test_a_rule_that_is_no_emergency_may_be_left_out(draft: Draft, protocol: Protocol) -> None:
    draft.replace("rules.yml", r"^  - use: gone_symptom\n", "")
    kept = [rule.id for rule in protocol.rules if rule.id != "gone_symptom"]
    assert [rule["id"] for rule in draft.content()["rules"]["rules"]] == kept


def test_a_protocol_without_wording_of_the_language_is_refused(draft: Draft) -> None:
    (draft.folder / "wording.en.yml").unlink()
    (problem,) = draft.problems()
    assert problem == "draft/wording.en.yml: the file is missing; put it back"
    with pytest.raises(ProtocolError, match=r"no wording\.<language>\.yml is there"):
        load_library([draft.folder])


def test_a_language_that_is_not_there_is_refused(draft: Draft) -> None:
    shutil.copy(draft.path("wording.en.yml"), draft.path("wording.eo.yml"))
    with pytest.raises(ProtocolError, match=r"^eo/tokens\.yml: the file is missing; put it back$"):
        load_library([draft.folder])


def test_a_language_needs_its_own_safety_card(draft: Draft) -> None:
    assert check(draft.folder, draft.content(), "es") == []
    (problem,) = check(draft.folder, draft.content(), "eo")
    assert problem.endswith(": the safety card has no 'eo'; write it in the protocol's own language")
    assert problem.startswith("clinical/wording.en.yml:")


def test_what_stands_beside_use_goes_before_the_shared_entry(draft: Draft) -> None:
    own = "  - use: extra\n    reason: Our own words.\n    sentence: call_infection"
    draft.append("clinical/rules.yml", rule(sentence="", any="[vomiting]"))
    line = draft.append("rules.yml", own)
    taken = draft.content()["rules"]["rules"][-1]
    assert (taken["id"], taken["any"], taken["advice"]) == ("extra", ["vomiting"], "call_clinic")
    assert (taken["reason"], taken["sentence"]) == ("Our own words.", "call_infection")
    assert "use" not in taken
    assert taken.place == f"draft/rules.yml:{line}"


def test_a_text_beside_use_goes_before_the_shared_one_of_the_language(draft: Draft) -> None:
    shared = draft.content()["danger_check"]["rows"][0]
    draft.replace("danger_check.yml", r"^  - use: chest_pain$", '  - use: chest_pain\n    en: {text: "Our own words?"}')
    row = draft.content()["danger_check"]["rows"][0]
    assert (row["text"], row["names"], row["yes"]) == ("Our own words?", shared["names"], shared["yes"])


def test_a_finding_of_the_same_name_goes_before_the_shared_one(draft: Draft) -> None:
    shared = load_protocol(draft.folder).findings["chills"]
    draft.write("findings/chills.yml", "code: fever\nen: {label: our own words}\n")
    own = reload_protocol(draft.folder).findings["chills"]
    assert (own.code, own.label) == ("fever", "our own words")
    assert (own.patterns, own.normal, own.intents) == (shared.patterns, shared.normal, shared.intents)


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("wording.en.yml", "goodbye: Our own words.", ("wording", "goodbye")),
        ("thresholds.yml", "broken_off_minutes: {value: 9, from: the clinic}", ("thresholds", "broken_off_minutes")),
        ("interview.yml", "max_questions: 4", ("interview", "max_questions")),
        ("danger_check.yml", "valid_hours: 3", ("danger_check", "valid_hours")),
        ("scales.yml", "pain: {bands: [{from: 0, finding: mild_pain}]}", ("scales", "pain", "bands")),
        ("words.en.yml", "classes: {leg: [leg]}", ("words", "classes", "leg")),
    ],
)
def test_what_the_protocol_says_goes_before_what_is_shared(draft: Draft, name: str, text: str, path: tuple[str, ...]) -> None:
    def value(content: Any) -> Any:
        for step in path:
            content = content[step]
        return content

    before = draft.content()
    kept = draft.text(name) if draft.path(name).exists() else ""
    draft.write(name, f"{kept}{text}\n")
    after = draft.content()
    assert value(after) != value(before)
    assert place_of(after[path[0]], list(path[1:])).startswith(f"draft/{name}:")
    assert {key for key in after if after[key] != before[key]} == {path[0]}


def test_a_shared_finding_that_nothing_needs_is_left_out(draft: Draft, protocol: Protocol) -> None:
    draft.write("clinical/findings/extra.yml", "code: other\nen: {label: something else, patterns: [something else]}\n")
    draft.write("clinical/findings/chills.yml", "yields_to: [extra, fever]\n" + draft.text("clinical/findings/chills.yml"))
    draft.replace("clinical/danger_check.yml", r"opened_by: \[calf_pain\]", "opened_by: [calf_pain, extra]")
    content = draft.content()
    assert check(draft.folder, content) == []
    assert set(content["findings"]["findings"]) == set(protocol.findings)
    assert content["findings"]["findings"]["chills"]["yields_to"] == ["fever"]
    assert content["danger_check"]["rows"][0]["opened_by"] == ["calf_pain"]


def test_a_finding_of_the_protocol_is_never_left_out(draft: Draft) -> None:
    draft.write("findings/extra.yml", "code: other\nen: {label: something else, patterns: [something else]}\n")
    assert "extra" in draft.content()["findings"]["findings"]


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
    assert f"draft/rules.yml:{line}: " in capsys.readouterr().err


def test_the_command_names_a_good_protocol(draft: Draft, capsys: pytest.CaptureFixture[str], protocol: Protocol) -> None:
    assert main([str(draft.folder)]) == 0
    assert f"draft (en), version {protocol.version}" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_command_says_how_it_is_used(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    assert capsys.readouterr().out.startswith("usage: python -m aftercare.protocol")


def test_lines_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("one: 1\ntwo:\n  - x\n  - {three: 3,\n     four: 4}\n", encoding="utf-8")
    content = read(tmp_path / "a.yml")
    here = f"{tmp_path.name}/a.yml"
    assert place_of(content, ["one"]) == f"{here}:1"
    assert place_of(content, ["two", 0]) == f"{here}:3"
    assert place_of(content, ["two", 1, "four"]) == f"{here}:5"
    assert place_of(content, ["two", 1, "five"]) == f"{here}:4"
    assert place_of(content, []) == f"{here}:1"


def test_every_sentence_is_in_the_leaflet(protocol: Protocol, root: Path) -> None:
    leaflet = (root / "protocols" / "vertebroplasty" / "leaflet.txt").read_text(encoding="utf-8")
    assert len(protocol.sentences) > 40
    for sentence in protocol.sentences.values():
        assert sentence.quote in leaflet
        assert sentence.section in leaflet


def test_a_sentence_stands_in_its_own_section(protocol: Protocol, root: Path) -> None:
    leaflet = (root / "protocols" / "vertebroplasty" / "leaflet.txt").read_text(encoding="utf-8")
    titles = list(dict.fromkeys(sentence.section for sentence in protocol.sentences.values()))
    found = [re.search(rf"^{re.escape(title)}$", leaflet, re.MULTILINE) for title in titles]
    starts = [heading.start() for heading in found if heading is not None]
    assert len(starts) == len(titles)
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


def test_what_a_finding_names_is_a_finding(protocol: Protocol) -> None:
    yielding = [finding for finding in protocol.findings.values() if finding.yields_to]
    assert len(yielding) > 10
    for finding in protocol.findings.values():
        assert {*finding.yields_to, *finding.milder, *finding.refined_by} <= set(protocol.findings), finding.id
