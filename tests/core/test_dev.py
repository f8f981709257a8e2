"""What `make dev` starts again when files change."""

from __future__ import annotations

import pytest

from scripts.dev import servers_of


@pytest.mark.parametrize(
    ("changed", "servers"),
    [
        ({"gateway/console/templates/queue.html"}, {"gateway"}),
        ({"widget/src/panel/main.ts"}, {"gateway"}),
        ({"clinical/wording.en.yml"}, {"gateway", "rasa"}),
        ({"protocols/vertebroplasty/nlu/questions.yml", "README.md"}, {"gateway", "rasa"}),
        ({"rasa_ext/channel.py"}, {"gateway", "rasa"}),
        ({"widget/dist/panel.js", "widget/node_modules/lit-html/lit-html.js"}, set()),
        ({"gateway/__pycache__/app.cpython-312.pyc"}, set()),
        ({"docs/limits.md", "tests/core/test_dev.py", "data/nlu/clinical/contrast.yml"}, set()),
    ],
)
def test_what_runs_a_changed_file_starts_again(changed: set[str], servers: set[str]) -> None:
    assert servers_of(changed) == servers
