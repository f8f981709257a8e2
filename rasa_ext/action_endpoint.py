"""Where Rasa runs custom actions: in its own process, or in an action server.

endpoints.yml can name no class for this endpoint, as it can for the stores: Rasa always makes its own `EndpointConfig`, and needs a URL
for it. So the channel makes the endpoint and gives it to the agent, before each turn.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from rasa.core.agent import Agent
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from rasa_sdk.types import ActionCall

VARIABLE = "AFTERCARE_ACTION_URL"
_PACKAGE = "actions"
_logger = logging.getLogger(__name__)


class LocalActions(EndpointConfig):
    """Runs the custom actions of the package `actions` in this process, on its event loop: what takes long in an action must be awaited.

    Unlike with a server, an action gets Rasa's own objects, and not a copy: it must not change them.
    """

    def __init__(self) -> None:
        super().__init__(enable_selective_domain=True)
        self._executor: ActionExecutor | None = None

    def load(self) -> ActionExecutor:
        """Import the actions, once; what runs them.

        Raises:
            SystemExit: they cannot be imported; the reason is in the log.
        """
        if self._executor is not None:
            return self._executor
        executor = ActionExecutor()
        executor.register_package(_PACKAGE)
        self._executor = executor
        return executor

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **sent: Any,
    ) -> Any:
        """Run an action, as a POST to an action server does.

        Args:
            method: ignored, for nothing is sent.
            subpath: ignored.
            content_type: ignored.
            compress: ignored.
            sent: under `json`, the call as Rasa makes it.

        Returns:
            The action's `events` and `responses`.

        Raises:
            ClientResponseError: with the status of an action server: 400, the action refused to run; 404, there is none of that name; 500,
                it raised. An error's own text may hold a patient's words, and is neither passed on nor logged.
        """
        call: ActionCall = sent["json"]
        executor = await asyncio.to_thread(self.load) if self._executor is None else self._executor
        try:
            return await executor.run(call)
        except ActionExecutionRejection as error:
            failed = _failed(400, error.action_name, error.message)
        except ActionNotFoundException as error:
            failed = _failed(404, error.action_name, error.message)
        except Exception as error:
            _logger.error("%s failed: %s", call.get("next_action"), type(error).__name__)
            failed = _failed(500, str(call.get("next_action")), type(error).__name__)
        raise failed


def _failed(status: int, action: str, error: str) -> ClientResponseError:
    """What Rasa makes of an action server's answer that is no success."""
    return ClientResponseError(status, "the action did not run", json.dumps({"action_name": action, "error": error}))


def endpoint(environ: Mapping[str, str]) -> EndpointConfig:
    """The action server at the address in AFTERCARE_ACTION_URL, or, where that is empty or not set, this process."""
    url = environ.get(VARIABLE, "").strip()
    return EndpointConfig(url, enable_selective_domain=True) if url else LocalActions()


def place(actions: EndpointConfig, agent: Agent) -> None:
    """Let an agent run custom actions there, and the model that it has loaded. One that Rasa makes later begins without it."""
    agent.action_endpoint = actions
    if agent.processor is not None:
        agent.processor.action_endpoint = actions
