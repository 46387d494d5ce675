"""Words for ``/openapi.json``: what a route answers, declared from the error classes.

Routes name schemas by their class name in ``schemas``; the schemas themselves are only
built when somebody asks for the document.
"""

from collections import defaultdict
from typing import Any

from scriptrunner.errors import ScriptRunnerError
from scriptrunner.web.answers import JSON_TYPE
from scriptrunner.web.errors import status_of

Responses = dict[int | str, dict[str, Any]]

#: Schema of every error body, and of a 422.
ERROR_SCHEMA = "ErrorBody"
FAULTS_SCHEMA = "FaultsBody"


def ref(schema: str) -> dict[str, str]:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{schema}"}


def array_of(schema: str) -> dict[str, Any]:
    """Return the schema of an array of ``schema``."""
    return {"type": "array", "items": ref(schema)}


def answers(
    shape: str | dict[str, Any] | None,
    *errors: type[ScriptRunnerError],
    status: int = 200,
    media: str = JSON_TYPE,
    words: str = "Successful Response",
    headers: dict[str, str] | None = None,
) -> Responses:
    """Return the ``responses`` of a route.

    Args:
        shape: Name of a schema, a schema, or None for an answer without one.
        errors: What can go wrong beyond what every route has in common.
        status: Of the good answer.
        media: Type of the good answer.
        words: What the good answer is.
        headers: Names and meanings of further headers of the good answer.
    """
    schema = ref(shape) if isinstance(shape, str) else shape
    good: dict[str, Any] = {"description": words}
    if schema is not None:
        good["content"] = {media: {"schema": schema}}
    if headers:
        good["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in headers.items()
        }
    return {status: good, **error_answers(*errors)}


def error_answers(*errors: type[ScriptRunnerError]) -> Responses:
    """Return one response per status of ``errors``, which names their codes."""
    by_status: dict[int, list[type[ScriptRunnerError]]] = defaultdict(list)
    for error in errors:
        by_status[status_of(error)].append(error)
    return {
        status: error_response(status, " · ".join(_words(each) for each in found))
        for status, found in sorted(by_status.items())
    }


def error_response(status: int, words: str) -> dict[str, Any]:
    """Return the response of one error status."""
    schema = FAULTS_SCHEMA if status == 422 else ERROR_SCHEMA
    return {"description": words, "content": {JSON_TYPE: {"schema": ref(schema)}}}


def _words(error: type[ScriptRunnerError]) -> str:
    sentence = (error.__doc__ or "").strip().partition("\n")[0]
    return f"`{error.code}`: {sentence}"
