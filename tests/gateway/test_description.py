"""The API does what its OpenAPI document says, also to requests that nobody thought of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.gateway.support import API, HOME, Json, served

_CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.ignored_auth,
]
OPERATIONS = [
    ("post", "/sessions"),
    ("get", "/session"),
    ("delete", "/session"),
    ("post", "/session/extend"),
    ("put", "/session/writer"),
    ("post", "/session/messages"),
    ("get", "/session/events"),
    ("get", "/session/stream"),
    ("get", "/session/summary"),
    ("get", "/session/callback"),
    ("post", "/session/callback"),
    ("post", "/session/followup"),
]
_bounded = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


@pytest.fixture
def address(new_app: Callable[..., Any]) -> Iterator[str]:
    """A served gateway whose event bus is closed, so that waiting and streaming end at once."""
    app = new_app()
    app.state.services.event_bus.close()
    with served(app) as url:
        yield url


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda part: part.rsplit("/", 1)[-1])
def test_every_operation_keeps_its_description(method: str, path: str, mode: GenerationMode, address: str) -> None:
    operation = schemathesis.openapi.from_url(f"{address}{API}/openapi.json")[f"{API}{path}"][method]
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except Unsatisfiable:
        pytest.skip("everything is allowed, so nothing can be wrong")

    @_bounded
    @given(case=cases)
    def check(case: Any) -> None:
        started = httpx.post(f"{address}{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME}, trust_env=False)
        headers = {"Origin": HOME, "Authorization": f"Bearer {started.json()['token']}"}
        case.call_and_validate(headers=headers, checks=_CHECKS)

    check()


@pytest.fixture
def document(new_app: Callable[..., Any]) -> Json:
    found: Json = new_app().openapi()
    return found


def test_every_error_is_described_with_the_safety_card(document: Json) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert {"401", "403", "422", "429", "503"} <= set(operation["responses"]), (method, path)
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/json"], (method, path, status)
                    assert response["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody"), (method, path, status)
    assert "safety" in document["components"]["schemas"]["ErrorBody"]["required"]


def test_every_operation_but_the_start_asks_for_the_token(document: Json) -> None:
    open_to_all = [
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not operation.get("security")
    ]
    assert open_to_all == [("post", f"{API}/sessions")]
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_only_the_patients_api_is_described_and_all_of_it_is_tried(document: Json) -> None:
    described = [(method, path.removeprefix(API)) for path, operations in document["paths"].items() for method in operations]
    assert sorted(described) == sorted(OPERATIONS)
