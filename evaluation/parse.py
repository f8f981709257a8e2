"""Run by Rasa's interpreter: `parse.py MODEL TEXTS RESULT` writes each text's intent, CPU seconds and entities as a JSON list.

The texts stand one a line, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from rasa.core.agent import load_agent

_WARM_UP = 20


async def _parse(model: str, texts: list[str]) -> list[tuple[Any, float, Any]]:
    agent = await load_agent(model_path=model)
    for text in texts[:_WARM_UP]:
        await agent.parse_message(text)
    results = []
    for text in texts:
        begin = time.process_time()
        parsed = await agent.parse_message(text)
        results.append((parsed["intent"]["name"], time.process_time() - begin, parsed["entities"]))
    return results


if __name__ == "__main__":
    model, given, taken = sys.argv[1:]
    texts = [json.loads(line) for line in Path(given).read_text(encoding="utf-8").splitlines()]
    Path(taken).write_text(json.dumps(asyncio.run(_parse(model, texts))), encoding="utf-8")
