"""Shapes of mutes: what is asked, and what is answered."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from scriptrunner.alerts.mutes import LONGEST_SECONDS, NOTE_LENGTH, SHORTEST_SECONDS
from scriptrunner.engine.conditions import MAX_CHARACTERS
from scriptrunner.engine.paths import MAX_PATH_BYTES, is_well_formed
from scriptrunner.engine.rules import MAX_ALERT_NAME
from scriptrunner.web.schemas.answers import Answer
from scriptrunner.web.schemas.run_request import Whole
from scriptrunner.web.schemas.texts import Storable


def _path(text: str) -> str:
    if not is_well_formed(text):
        raise PydanticCustomError("script_path", "Input should be a path of a script")
    return text


class MuteRequest(BaseModel):
    """What is to be muted, and for how long."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    script_path: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_PATH_BYTES),
        AfterValidator(_path),
        Field(description="As runs name the script, or absolute"),
    ]
    rule: Annotated[
        Annotated[Storable, StringConstraints(min_length=1, max_length=MAX_ALERT_NAME)]
        | None,
        Field(description="Name of the rule; null: every rule"),
    ] = None
    condition: Annotated[
        Annotated[Storable, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]
        | None,
        Field(description="The condition as the rule has it; null: every condition"),
    ] = None
    duration_seconds: Annotated[
        Annotated[Whole, Field(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)] | None,
        Field(description="null: until somebody unmutes it"),
    ]
    note: Annotated[
        Annotated[Storable, StringConstraints(max_length=NOTE_LENGTH)] | None,
        Field(description="Why, for people"),
    ] = None


class AlertMute(Answer):
    """Nobody is told of the alerts of a script, or of one of its rules, for a time."""

    id: int
    script_path: str
    rule: str | None = Field(description="null: every rule")
    condition: str | None = Field(description="null: every condition")
    muted_at: datetime
    muted_by: str
    until: datetime | None = Field(description="null: until somebody unmutes it")
    note: str | None


class Unmuted(Answer):
    """Alerts are delivered again from now on."""

    success: bool
