"""How an answer is put together."""

from __future__ import annotations

import pytest

from aftercare.decision.reply import Block, Reply

NOTE = Block("say", "By the way.")


@pytest.mark.parametrize("asked", ["question", "check"])
def test_a_note_stands_before_what_is_asked_at_the_end(asked: str) -> None:
    reply = Reply((Block("say", "First."), Block(asked, "Last?")), {}).with_note(NOTE)
    assert [block.text for block in reply.blocks] == ["First.", "By the way.", "Last?"]


def test_a_note_stands_last_where_nothing_is_asked() -> None:
    assert Reply((Block("say", "First."),), {"type": "chat"}).with_note(NOTE) == Reply((Block("say", "First."), NOTE), {"type": "chat"})
