"""Shapes of tokens and of the audit trail: what is asked, and what is answered."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from scriptrunner.access.expiry import WORDS, parse_expiry
from scriptrunner.access.models import TokenRecord
from scriptrunner.access.service import NAME_LENGTH
from scriptrunner.scheduler.checking import is_name
from scriptrunner.web.schemas.answers import Answer, Count


def _clean_name(text: str | None) -> str | None:
    """Return a name with single blanks inside and none around it."""
    if text is None:
        return None
    cleaned = " ".join(text.split())
    if not 1 <= len(cleaned) <= NAME_LENGTH or not cleaned.isprintable():
        raise PydanticCustomError(
            "token_name",
            "Input should be 1 to {length} printable characters",
            {"length": NAME_LENGTH},
        )
    return cleaned


def _read_expiry(value: object) -> object:
    """Return when a token ends that is made now."""
    if not isinstance(value, str):
        return value
    try:
        return parse_expiry(value, now=datetime.now(UTC))
    except ValueError:
        raise PydanticCustomError(
            "token_expiry", "Input should be {words}", {"words": WORDS}
        ) from None


class TokenRequest(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[
        str | None,
        AfterValidator(_clean_name),
        Field(
            description="For people, 1 to 100 printable characters; without one "
            "`admin`, or `event` and the event"
        ),
    ] = None
    role: Annotated[
        Literal["admin", "event"], Field(description="What its bearer may do")
    ] = "admin"
    event: Annotated[
        str | None,
        Field(description="The one event that its bearer may fire, with role `event`"),
    ] = None
    expires: Annotated[
        datetime | None,
        BeforeValidator(_read_expiry),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        Field(description=f"When it ends by itself: {WORDS}; null: never"),
    ] = None

    @model_validator(mode="after")
    def _check_event(self) -> "TokenRequest":
        """A token for events is for one event; others name none."""
        if (self.role == "event") != (self.event is not None):
            raise PydanticCustomError(
                "token_event", "event is given with the role event, and only with it"
            )
        if self.event is not None and not is_name(self.event):
            raise PydanticCustomError("token_event", "This is no name of an event")
        return self


class Token(Answer):
    """An access token; its text is known only when it is made."""

    id: str
    name: str
    role: str
    owner: str
    created_at: datetime
    last_used_at: datetime | None = Field(description="At most a minute old")
    revoked: bool
    scope: str | None = Field(description="The one event that it may fire")
    expires_at: datetime | None = Field(description="null: never")
    valid: bool = Field(description="Whether it is neither revoked nor expired")


class Tokens(Answer):
    """All tokens, oldest first, revoked and expired ones included."""

    tokens: list[Token]
    count: Count


class TokenMade(Answer):
    """A new token with its text, which cannot be had again."""

    id: str
    name: str
    role: str
    expires_at: datetime | None = Field(description="null: never")
    token: str


class TokenRevoked(Answer):
    """The token and its logins are worthless from now on."""

    success: bool


class AuditLine(Answer):
    """One line of the audit trail; ``count`` is over 1 for counted refusals."""

    id: int
    at: datetime
    principal: str
    peer: str
    action: str
    object: str
    decision: str
    request_id: str
    count: Count


class AuditLines(Answer):
    """Lines of the audit trail, newest first."""

    items: list[AuditLine]
    count: Count
    next_before: int | None


def token_to_json(record: TokenRecord, now: datetime) -> dict[str, Any]:
    """Return what may be shown of a stored token."""
    names = [name for name in Token.model_fields if name != "valid"]
    shown = {name: getattr(record, name) for name in names}
    return {**shown, "valid": record.is_valid(now)}
