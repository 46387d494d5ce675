"""YAML of strangers as plain values: no objects, no aliases, no bottomless nesting.

Loaded only by whoever reads YAML: the library is large.
"""

from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

try:  # ten times faster, where the library was built with it
    from yaml.cyaml import CParser
except ImportError:  # pragma: not on Linux
    CParser = None

#: What the library raises of dates, numbers and tagged words that are none.
_BROKEN_VALUES = (
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
#: Lists and objects inside one another.
MAX_DEPTH = 32


class RefusedYamlError(ValueError):
    """YAML that is valid and is not taken."""


class _Bounded(Composer):  # type: ignore[misc]
    """Composes nodes, and refuses what could blow up."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node, with all that is in it."""
        if self.check_event(yaml.AliasEvent):
            raise RefusedYamlError("aliases (*name) are not taken")
        if self._depth > MAX_DEPTH:
            raise RefusedYamlError(f"nested deeper than {MAX_DEPTH}")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Compose an object whose keys are there once each."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise RefusedYamlError(f"{key.value[:60]!a} twice in line {line}")
                seen.add(key.value)
        return node


if CParser is not None:

    class _Loader(_Bounded, CParser, SafeConstructor, Resolver):  # type: ignore[misc]
        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)
            _Bounded.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

else:  # pragma: not on Linux

    class _Loader(_Bounded, yaml.SafeLoader):  # type: ignore[misc,no-redef]
        def __init__(self, stream: str) -> None:
            yaml.SafeLoader.__init__(self, stream)
            self._depth = 0


def parse_yaml(text: str) -> Any:
    """Return the plain value of ``text``.

    Raises:
        RefusedYamlError: If it is no YAML, or YAML that is not taken; says why.
    """
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise RefusedYamlError(_first_line(error)) from None
    except RefusedYamlError:
        raise
    except _BROKEN_VALUES as error:
        words = f"a value cannot be read: {error}"
        raise RefusedYamlError(words[:200]) from None
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(value: Any) -> str:
    """Return a plain value as YAML, keys in their order."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=88)
    return text


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    lines = str(getattr(error, "problem", None) or error).splitlines()
    words = lines[0][:200] if lines else "broken"
    return words if mark is None else f"{words} in line {mark.line + 1}"
