"""The danger check in FHIR: a Questionnaire for each version that the cases of a bundle answered, and a QuestionnaireResponse a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from gateway.console.export.content import CheckForm, CheckStep, Content
from gateway.console.export.resources import OURS, Identities, Resource, given, minutes_of, moment_of, step_of, text_of
from gateway.dialogue.rows import RowState


class Questionnaires:
    """The questionnaires of a bundle. A response to one has its items in the same order.

    Args:
        contents: all cases.
        ids: the identities of the bundle's resources.
    """

    def __init__(self, contents: Iterable[Content], ids: Identities) -> None:
        self._ids = ids
        self._forms: dict[str, tuple[Content, CheckForm]] = {}
        self._rows: dict[str, dict[str, str]] = {}
        for content in contents:
            if content.form is not None:
                name = _canonical(content, content.form)
                self._forms.setdefault(name, (content, content.form))
                self._rows[name] = {**content.form.rows, **self._rows.get(name, {})}

    def resources(self) -> list[Resource]:
        """The questionnaires."""
        return [self._questionnaire(name, content, form) for name, (content, form) in self._forms.items()]

    def _questionnaire(self, name: str, content: Content, form: CheckForm) -> Resource:
        options = [{"valueCoding": _answer(form, state)} for state in form.answers]
        return self._ids.new(
            "Questionnaire",
            name,
            url=_url(content),
            version=form.version or None,
            name="DangerCheck",
            title="Danger check",
            status="active",
            language=content.language,
            subjectType=["Patient"],
            item=[
                {"linkId": fact, "text": text, "type": "choice", "answerOption": options} for fact, text in self._rows[name].items()
            ],
        )  # fmt: skip

    def response(self, content: Content, *, patient: Resource, source: Resource, author: Resource) -> list[Resource]:
        """What a case answered, if it was asked: an item a row with its last answer, if any; each step is an extension of the item.

        Args:
            content: the case.
            patient: whom it is about.
            source: who answered.
            author: what wrote the answers down.
        """
        form = content.form
        if form is None:
            return []
        name = _canonical(content, form)
        shown = {fact: list(steps) for fact, steps in groupby(content.check, key=lambda step: step.fact)}
        rows = [shown[fact] for fact in self._rows[name] if fact in shown]
        return [
            self._ids.new(
                "QuestionnaireResponse",
                content.name,
                questionnaire=name,
                status=_status(rows),
                subject=patient,
                source=source,
                author=author,
                authored=moment_of(form.answered),
                item=[_item(form, steps) for steps in rows],
                extension=[*text_of("danger-check", content.check_standing), *minutes_of(form.answered)],
            )
        ]


def _status(rows: Sequence[Sequence[CheckStep]]) -> str:
    if all(steps[-1].how for steps in rows):
        return "completed"
    return "in-progress" if any(steps[-1].state == RowState.ASKED for steps in rows) else "stopped"


def _url(content: Content) -> str:
    return f"{OURS}:questionnaire:{content.protocol}:{content.language}:danger-check"


def _canonical(content: Content, form: CheckForm) -> str:
    return f"{_url(content)}|{form.version}" if form.version else _url(content)


def _item(form: CheckForm, steps: Sequence[CheckStep]) -> Resource:
    last = steps[-1]
    return {
        "linkId": last.fact,
        "text": last.text,
        "extension": [step_of("row-step", step.when, state=step.state, how=step.how) for step in steps],
        **given(answer=[{"valueCoding": _answer(form, last.state)}] if last.how else None),
    }


def _answer(form: CheckForm, state: str) -> Mapping[str, str]:
    return {"system": f"{OURS}:row-answer", "code": state, "display": form.answers[state]}
