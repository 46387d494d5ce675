"""Secrets in a script, found by the detectors of detect-secrets, line by line.

No detector is asked whether a secret is valid: nothing goes over the network. Values are
masked before they leave this module; the library's own hash of a value is not used either,
because a weak password can be guessed from it.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from scriptrunner.engine.scans import report, secret_rules
from scriptrunner.engine.scans.secret_rules import Rule
from scriptrunner.engine.scans.source_text import decode
from scriptrunner.engine.scans.suppression import Suppressions

#: Characters of a secret that are shown at most, and only of long ones.
SHOWN_CHARACTERS = 4
#: Bits per character from which a text counts as random.
BASE64_ENTROPY, HEX_ENTROPY = 4.5, 3.0
#: Shortest text that is a secret because of the name it is assigned to.
MIN_CHARACTERS = 3
#: A quoted text with the name that it is assigned to, by ``=`` or ``:``.
_ASSIGNMENT = re.compile(
    r"""(?P<name>[A-Za-z_][\w-]{0,99})["']?\]?\s{0,20}
    (?::\s{0,20}[A-Za-z][\w.\[\]|,\ ]{0,60}?)?
    (?:=|:|:=|==|!=)\s{0,20}[rbuRBU]{0,2}(?P<quote>["'])(?P<value>[^"'\n]+)(?P=quote)""",
    re.VERBOSE,
)
_NAME_BEFORE = re.compile(r"([A-Za-z_][\w-]*)[\"'\]\s]*(?:\(|:|=|,|!)")


class Secret(NamedTuple):
    """A secret in one line; ``start`` and ``end`` are places in it, from 0."""

    rule: Rule
    start: int
    end: int


_Find = Callable[[str], Iterator[Secret]]


def scan(source: bytes) -> dict[str, Any]:
    """Return the report on a script.

    Raises:
        ImportError: If detect-secrets is not installed.
    """
    text = decode(source)
    suppressions = Suppressions(text)
    findings = []
    suppressed = 0
    for number, line in enumerate(text.split("\n"), 1):
        for secret in find_secrets(line):
            if suppressions.covers(secret.rule.name, number):
                suppressed += 1
            else:
                findings.append(_to_finding(secret, number, line))
    return report.of_findings(findings, suppressed=suppressed)


def find_secrets(line: str) -> list[Secret]:
    """Return the secrets in a line, from left to right; none overlaps another."""
    found: list[Secret] = []
    for find in _finders():
        for secret in find(line):
            overlaps = (o.start < secret.end and secret.start < o.end for o in found)
            if not any(overlaps):
                found.append(secret)
    return sorted(found, key=lambda each: each.start)


def mask_line(line: str) -> str:
    """Return a line in which every secret is masked."""
    for secret in reversed(find_secrets(line)):
        shown = mask(line[secret.start : secret.end])
        line = line[: secret.start] + shown + line[secret.end :]
    return line


def mask(value: str) -> str:
    """Return the beginning of a long value (at most 4 characters) and five stars."""
    return value[: min(SHOWN_CHARACTERS, len(value) // 4)] + "*****"


def _to_finding(secret: Secret, number: int, line: str) -> dict[str, Any]:
    rule = secret.rule
    return {
        "id": rule.name,
        "severity": rule.severity,
        "line": number,
        "column": secret.start + 1,
        "message": rule.message,
        "masked_value": mask(line[secret.start : secret.end]),
        "confidence": rule.confidence,
    }


@lru_cache(maxsize=1)
def _finders() -> tuple[_Find, ...]:
    """Return what looks for secrets, the most specific first."""
    plugins = [
        (_load(each.module, each.class_name), each.rule)
        for each in secret_rules.DETECTORS
    ]
    patterns = [
        (pattern, rule) for plugin, rule in plugins for pattern in plugin.denylist
    ]
    # Newer forms of two tokens that the library does not know yet.
    patterns += [
        (re.compile(r"github_pat_[A-Za-z0-9_]{22,255}"), secret_rules.GITHUB),
        (re.compile(r"sk-proj-[A-Za-z0-9_-]{40,}"), secret_rules.OPENAI),
    ]
    return (
        lambda line: _find_patterns(line, patterns),
        _find_aws(_load("aws", "AWSKeyDetector")),
        _find_in_urls(_load("basic_auth", "BasicAuthDetector")),
        _find_tokens(_load("jwt", "JwtTokenDetector")),
        _find_assigned(_load("keyword", "KeywordDetector")),
        _find_random(
            _load("high_entropy_strings", "Base64HighEntropyString", BASE64_ENTROPY)
        ),
        _find_random(
            _load("high_entropy_strings", "HexHighEntropyString", HEX_ENTROPY)
        ),
    )


def _load(module: str, class_name: str, *args: float) -> Any:
    found = importlib.import_module(f"detect_secrets.plugins.{module}")
    return getattr(found, class_name)(*args)


def _find_patterns(
    line: str, patterns: list[tuple[re.Pattern[str], Rule]]
) -> Iterator[Secret]:
    for pattern, rule in patterns:
        for match in pattern.finditer(line):
            yield Secret(rule, *match.span())


def _find_aws(plugin: Any) -> _Find:
    key_id, secret = plugin.denylist

    def find(line: str) -> Iterator[Secret]:
        for match in key_id.finditer(line):
            yield Secret(secret_rules.AWS_KEY, *match.span())
        for match in secret.finditer(line):
            yield Secret(secret_rules.AWS_SECRET, *match.span(1))

    return find


def _find_in_urls(plugin: Any) -> _Find:
    def find(line: str) -> Iterator[Secret]:
        for pattern in plugin.denylist:
            for match in pattern.finditer(line):
                if secret_rules.URL_PLACEHOLDER.fullmatch(match[1]):
                    continue
                scheme = re.search(r"[\w+:]*$", line[: match.start()])
                is_database = scheme and secret_rules.DATABASE_SCHEME.match(scheme[0])
                rule = (
                    secret_rules.DATABASE_URL
                    if is_database
                    else secret_rules.URL_PASSWORD
                )
                yield Secret(rule, *match.span(1))

    return find


def _find_tokens(plugin: Any) -> _Find:
    def find(line: str) -> Iterator[Secret]:
        for value in plugin.analyze_string(line):
            start = line.find(value)
            yield Secret(secret_rules.JWT, start, start + len(value))

    return find


def _find_assigned(plugin: Any) -> _Find:
    """Find quoted texts under a name like ``password``."""

    def find(line: str) -> Iterator[Secret]:
        for match in _ASSIGNMENT.finditer(line):
            yield from _judge(match["name"], line, *match.span("value"))
        for value in plugin.analyze_string(line):
            start = line.find(value)
            yield from _judge(
                _name_before(line, start), line, start, start + len(value)
            )

    def _judge(name: str, line: str, start: int, end: int) -> Iterator[Secret]:
        value = line[start:end]
        rule = secret_rules.rule_for_variable(name)
        is_short = len(value) < MIN_CHARACTERS
        if rule is None or is_short or secret_rules.is_placeholder(value):
            return
        yield Secret(rule, start, end)

    return find


def _name_before(line: str, position: int) -> str:
    names = _NAME_BEFORE.findall(line, max(0, position - 200), position)
    return str(names[-1]) if names else ""


def _find_random(plugin: Any) -> _Find:
    """Find random-looking quoted texts under a telling name."""

    def find(line: str) -> Iterator[Secret]:
        for match in plugin.regex.finditer(line):
            value, name = match[2], _name_before(line, match.start())
            if (
                secret_rules.TELLING.search(name.lower())
                and plugin.calculate_shannon_entropy(value) > plugin.entropy_limit
                and not secret_rules.is_placeholder(value)
            ):
                yield Secret(secret_rules.HIGH_ENTROPY, *match.span(2))

    return find
