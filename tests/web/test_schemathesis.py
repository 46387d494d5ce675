"""Every operation of the OpenAPI document, tried with what it says and what it does not say.

No input may end in a 5xx, in a status that the document does not name, or in a body that
it describes otherwise.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scriptrunner.web.app import create_app
from scriptrunner.web.openapi import describe_api
from tests.web.conftest import Web, running_web

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 7
OPERATIONS = [
    operation["operationId"]
    for path in describe_api(create_app())["paths"].values()
    for operation in path.values()
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service whose streams end at once: the tool waits for the end of each answer."""
    with running_web(tmp_path_factory.mktemp("schemathesis")) as web:
        web.app.state.runtime.ending.begin()
        yield web


@pytest.fixture(scope="module")
def run_ids(service: Web) -> list[str]:
    """Runs of every kind of end, so that operations find something."""
    return [
        service.run(enable_visualizer=True)["id"],
        service.run("import sys; print('x', file=sys.stderr); sys.exit(3)")["id"],
        service.run("import time; time.sleep(20)", timeout=1)["id"],
        service.run(dry_run=True)["id"],
    ]


@pytest.fixture(scope="module")
def schema(service: Web) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", service.app)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation_id", OPERATIONS)
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_operation_keeps_its_word(schema, run_ids, operation_id, mode):
    operation = schema.find_operation_by_id(operation_id)

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def keeps_its_word(case):
        case.call_and_validate(checks=CHECKS)
        known = run_ids if case.method == "GET" else run_ids[:1]
        if "run_id" in case.path_parameters and case.method != "DELETE":
            for run_id in known:
                case.path_parameters["run_id"] = run_id
                case.call_and_validate(checks=CHECKS)

    try:
        keeps_its_word()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "there is no good request at all"
