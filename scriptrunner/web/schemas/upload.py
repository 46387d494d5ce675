"""The form of an upload, for ``/openapi.json``: one file and every option of a run."""

from typing import Any

#: Options that a form sends as JSON text.
JSON_TEXTS = frozenset({"args", "env_vars", "performance_gates", "alerts"})


def describe_upload_form(run_request: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the upload form, given that of the RunRequest.

    Scalars are texts in a form, and an empty one means the default; lists and objects
    are JSON texts.
    """
    fields: dict[str, Any] = {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "The script; its name ends in .py or .pyw",
        }
    }
    for name, schema in run_request["properties"].items():
        if name == "script_path":
            continue
        text: dict[str, Any] = {"type": "string"}
        if name in JSON_TEXTS:
            text["contentMediaType"] = "application/json"
        fields[name] = {**text, "description": schema.get("description", "")}
    return {
        "type": "object",
        "properties": fields,
        "required": ["file"],
        "additionalProperties": False,
        "title": "UploadForm",
        "description": "A script to be run, and the options of its run as texts",
    }
