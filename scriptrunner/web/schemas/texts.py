"""Texts of requests that are stored as they are."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("string_nul", "Input must not hold a NUL character")
    return text


#: PostgreSQL keeps no NUL character.
Storable = Annotated[str, AfterValidator(_without_nul)]
