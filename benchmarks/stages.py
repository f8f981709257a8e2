"""Where the CPU time of one message goes inside Rasa. Runs in Rasa's environment, without a server; prints JSON.

python -m benchmarks.stages MODEL ENDPOINTS TEXT MESSAGES
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from rasa.core.actions.action import RemoteAction
from rasa.core.agent import load_agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.core.utils import AvailableEndpoints

from rasa_ext import action_endpoint

_spent: defaultdict[str, float] = defaultdict(float)


def _timed(owner: Any, name: str, stage: str) -> None:
    """Add the thread's CPU time of a method to a stage; what a coroutine awaits on this thread counts too, nothing else runs."""
    method: Callable[..., Any] = getattr(owner, name)

    async def awaited(*arguments: Any, **named: Any) -> Any:
        started = time.thread_time()
        try:
            return await method(*arguments, **named)
        finally:
            _spent[stage] += time.thread_time() - started

    def called(*arguments: Any, **named: Any) -> Any:
        started = time.thread_time()
        try:
            return method(*arguments, **named)
        finally:
            _spent[stage] += time.thread_time() - started

    setattr(owner, name, awaited if inspect.iscoroutinefunction(method) else called)


async def measure(model: str, endpoints_file: str, text: str, messages: int) -> dict[str, float]:
    """CPU milliseconds of each stage, as the median over messages."""
    endpoints = AvailableEndpoints.read_endpoints(endpoints_file)
    agent = await load_agent(model_path=model, endpoints=endpoints)
    assert agent.processor is not None
    action_endpoint.place(action_endpoint.endpoint(os.environ), agent)
    _timed(MessageProcessor, "parse_message", "NLU")
    _timed(MessageProcessor, "predict_next_with_tracker_if_should", "policy")
    _timed(RemoteAction, "run", "action")
    _timed(agent.processor.tracker_store, "save", "store")
    _timed(agent.processor.tracker_store, "retrieve", "store")
    found: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(messages):
        _spent.clear()
        started = time.thread_time()
        await agent.handle_message(UserMessage(text, CollectingOutputChannel(), f"stages-{number // 10}"))
        _spent["all of Rasa"] = time.thread_time() - started
        if number >= 10:
            for stage in ("all of Rasa", "NLU", "policy", "action", "store"):
                found[stage].append(1000 * _spent[stage])
    return {stage: round(statistics.median(values), 2) for stage, values in found.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))))
