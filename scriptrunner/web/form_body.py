"""Uploads: one Python file and the fields of a run, as ``multipart/form-data``.

The body is counted while it comes and parsed in memory; a refused upload has touched no
disk. Form fields are texts, so they are first turned into the values they stand for and
then checked by the same rules as a JSON body.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from scriptrunner.errors import InvalidInputError, MalformedInputError
from scriptrunner.web.body import UPLOAD_BYTES, iter_body, require_media_type
from scriptrunner.web.json_text import NotJsonError, fault, parse_text
from scriptrunner.web.schemas.run_request import RunOptionsBody

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

#: Parts of a form: room for every field and the file.
MAX_PARTS = 64
#: Bytes of the headers of one part.
MAX_PART_HEADER_BYTES = 8 << 10
#: Bytes of one field that is no file.
MAX_FIELD_BYTES = 1 << 20

WHOLE_FIELDS = frozenset({"timeout", "retry_max_attempts"})
NUMBER_FIELDS = frozenset(
    {
        "retry_initial_delay",
        "retry_max_delay",
        "retry_multiplier",
        "retry_max_time",
        "monitor_interval",
    }
)
SWITCH_FIELDS = frozenset(
    {
        "retry_on_failure",
        "stream_output",
        "dry_run",
        "enable_visualizer",
        "enable_history",
        "enable_code_analysis",
        "enable_secret_scanning",
        "enable_dependency_scanning",
        "enable_cost_tracking",
    }
)
JSON_FIELDS = frozenset({"env_vars", "performance_gates", "alerts"})
#: Fields that a form may leave empty.
KNOWN_FIELDS = frozenset(RunOptionsBody.model_fields)
SWITCHES = {
    "true": True,
    "1": True,
    "on": True,
    "false": False,
    "0": False,
    "off": False,
}
WHOLE = re.compile(r"[+-]?\d{1,400}(\.0+)?")
NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?")


class InvalidFormJsonError(InvalidInputError):
    """A form field that takes JSON holds something else."""

    code = "invalid_form_json"


@dataclass(slots=True)
class Part:
    """One part of a form."""

    name: str
    #: As the client named the file; None for a plain field.
    file_name: str | None
    content: bytearray


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form taken apart: the one file, and the fields as JSON values."""

    file_name: str
    content: bytes
    fields: dict[str, Any]


async def read_upload(request: Request) -> UploadForm:
    """Return the upload in the body of ``request``.

    Raises:
        UnsupportedMediaTypeError: If it is no ``multipart/form-data``.
        BodyTooLargeError: If it has more than 10 MiB, before the parser sees the rest.
        InvalidFormJsonError: If a field that takes JSON holds something else.
        MalformedInputError: If it cannot be parsed, has more than 64 parts, not exactly one
            part ``file``, or a field twice.
    """
    require_media_type(request, "multipart/form-data")
    parser = FormParts(request.headers["content-type"])
    async for piece in iter_body(request, limit_bytes=UPLOAD_BYTES):
        parser.feed(piece)
    return to_upload(parser.finish())


def to_upload(parts: list[Part]) -> UploadForm:
    """Return the file and the fields among ``parts``; errors as ``read_upload``."""
    faults = []
    files = [
        part for part in parts if part.name == "file" and part.file_name is not None
    ]
    if len(files) != 1:
        faults.append(fault("file_count", ["file"], f"Send one file, not {len(files)}"))
    fields: dict[str, str] = {}
    for part in parts:
        if part in files:
            continue
        if part.file_name is not None or part.name == "file":
            faults.append(
                fault("file_unexpected", [part.name], "Only `file` is a file")
            )
        elif part.name in fields:
            faults.append(
                fault("duplicate_key", [part.name], "The field is there twice")
            )
        else:
            fields[part.name] = _decode(part, faults)
    if faults:
        raise MalformedInputError(faults)
    values = {
        name: to_value(name, text)
        for name, text in fields.items()
        # An empty field of ours means its default; an unknown one is still unknown.
        if text != "" or name not in KNOWN_FIELDS
    }
    return UploadForm(
        file_name=files[0].file_name or "",
        content=bytes(files[0].content),
        fields=values,
    )


def _decode(part: Part, faults: list[dict[str, Any]]) -> str:
    try:
        return part.content.decode("utf-8")
    except UnicodeDecodeError:
        faults.append(fault("string_unicode", [part.name], "The field is not UTF-8"))
        return ""


def to_value(name: str, text: str) -> Any:
    """Return what the form field ``name`` means by ``text`` (not empty).

    A text that does not stand for a value of the field's type is returned as it is: the
    check that follows names the fault.

    Raises:
        InvalidFormJsonError: If JSON is due and ``text`` is none.
        MalformedInputError: If it is JSON that is refused (duplicate keys, NaN, depth).
    """
    stripped = text.strip()
    if name in SWITCH_FIELDS:
        return SWITCHES.get(stripped.lower(), text)
    if name in WHOLE_FIELDS:
        return int(stripped.partition(".")[0]) if WHOLE.fullmatch(stripped) else text
    if name in NUMBER_FIELDS:
        return float(stripped) if NUMBER.fullmatch(stripped) else text
    if name in JSON_FIELDS or (name == "args" and stripped.startswith("[")):
        return _json(name, stripped)
    if name == "args":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _json(name: str, text: str) -> Any:
    try:
        return parse_text(text, [name])
    except NotJsonError as error:
        raise InvalidFormJsonError(f"{name}: {error}") from None


class FormParts:
    """A parser that is fed a multipart body and keeps its parts in memory.

    Args:
        content_type: The header with the boundary.
    """

    def __init__(self, content_type: str) -> None:
        """Begin a form; a missing boundary is a fault."""
        # Only uploads pay for loading the parser.
        from python_multipart import MultipartParser  # noqa: PLC0415
        from python_multipart.exceptions import FormParserError  # noqa: PLC0415
        from python_multipart.multipart import parse_options_header  # noqa: PLC0415

        self._parse_options = parse_options_header
        self._parser_error = FormParserError
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise MalformedInputError(
                [fault("multipart", [], "The form names no boundary")]
            )
        self._parts: list[Part] = []
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._header_bytes = 0
        self._disposition = b""
        self._is_complete = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin_part,
            "on_part_data": self._add_data,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        try:
            self._parser.write(piece)
        except self._parser_error:
            raise MalformedInputError(
                [fault("multipart", [], "The form is malformed")]
            ) from None

    def finish(self) -> list[Part]:
        """Return all parts once the body is complete."""
        if not self._is_complete:
            raise MalformedInputError([fault("multipart", [], "The form is cut off")])
        return self._parts

    def _begin_part(self) -> None:
        if len(self._parts) == MAX_PARTS:
            raise MalformedInputError(
                [fault("too_many_parts", [], f"A form may have {MAX_PARTS} parts")]
            )
        self._header_bytes = 0
        self._disposition = b""

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_value += data[start:end]

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_PART_HEADER_BYTES:
            raise MalformedInputError(
                [fault("multipart", [], "The headers of a part are too long")]
            )

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        options = self._parse_options(self._disposition)[1]
        if b"name" not in options:
            raise MalformedInputError([fault("multipart", [], "A part has no name")])
        file_name = options.get(b"filename")
        self._parts.append(
            Part(
                name=options[b"name"].decode("utf-8", "replace"),
                file_name=None
                if file_name is None
                else file_name.decode("utf-8", "replace"),
                content=bytearray(),
            )
        )

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        part = self._parts[-1]
        if part.file_name is None and len(part.content) + end - start > MAX_FIELD_BYTES:
            raise MalformedInputError(
                [
                    fault(
                        "too_long",
                        [part.name],
                        f"A field may have {MAX_FIELD_BYTES} bytes",
                    )
                ]
            )
        part.content += data[start:end]

    def _end(self) -> None:
        self._is_complete = True
