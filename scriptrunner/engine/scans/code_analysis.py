"""Static analysis of a script by the rules of bandit, and two of our own.

Our own are ``syntax_error`` and ``C901`` (a function with too many branches).
"""

import ast
import io
import re
import tokenize
from typing import Any

from scriptrunner.engine.scans import report, secret_scan
from scriptrunner.engine.scans.complexity import LIMIT, find_complex
from scriptrunner.engine.scans.source_text import decode
from scriptrunner.engine.scans.suppression import Suppressions

#: Severities we rate higher than bandit does.
RAISED = {
    "B202": "MEDIUM",  # archive members extracted unchecked
    "B323": "HIGH",  # TLS without verification
    "B501": "HIGH",
    "B506": "HIGH",  # unsafe YAML load
}
#: Rules whose finding is a text that may be a password: it is not repeated.
_PASSWORD_RULES = ("B105", "B106", "B107")
_CONFIDENCES = {"LOW": 0.3, "MEDIUM": 0.6, "HIGH": 0.9}
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
#: Characters of a line of code, and of a message, that a finding shows.
MAX_SNIPPET, MAX_MESSAGE = 200, 300


def scan(source: bytes) -> dict[str, Any]:
    """Return the report on a script.

    Raises:
        ImportError: If bandit is not installed.
        MemoryError: If it cannot be parsed with the memory there is.
        RecursionError: If it is nested too deeply.
    """
    lines = decode(source).split("\n")
    try:
        # A file is decoded to its last byte, while a text of bytes may keep bad ones.
        source.decode(tokenize.detect_encoding(io.BytesIO(source).readline)[0])
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return report.of_findings([_syntax_error(error, lines)])
    findings = _find_by_bandit(source)
    if findings is None:
        return report.without_result("error", "bandit could not read the script")
    findings += _find_complex(tree)
    suppressions = Suppressions("\n".join(lines))
    kept = []
    for finding in findings:
        spanned = finding.pop("lines")
        if not suppressions.covers(finding["id"], *spanned):
            kept.append(_with_snippet(finding, lines))
    return report.of_findings(kept, suppressed=len(findings) - len(kept))


def _syntax_error(error: SyntaxError | ValueError, lines: list[str]) -> dict[str, Any]:
    line = (getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1)
    message = getattr(error, "msg", None) or str(error)
    finding = _finding("syntax_error", "HIGH", *line, f"Syntax error: {message}", 1.0)
    return _with_snippet(finding, lines)


def _find_by_bandit(source: bytes) -> list[dict[str, Any]] | None:
    """Return bandit's findings; None if it gave up on the script or on one of its rules."""
    from bandit.core import config, manager  # noqa: PLC0415 - 0.3 s, in the child only

    class Manager(manager.BanditManager):  # type: ignore[misc, unused-ignore]
        """Reads the script from memory and not from a file."""

        def look_at(self, data: bytes) -> bool:
            self.files_list = ["script.py"]
            self._parse_file("script.py", io.BytesIO(data), list(self.files_list))
            return not self.skipped

    # Comments are ours to judge; debug: a rule that fails is not passed over.
    found = Manager(config.BanditConfig(), "file", debug=True, ignore_nosec=True)
    return [_convert(each) for each in found.results] if found.look_at(source) else None


def _convert(issue: Any) -> dict[str, Any]:
    rule = issue.test_id
    text = issue.text.partition(":")[0] if rule in _PASSWORD_RULES else issue.text
    severity = max(issue.severity, RAISED.get(rule, "LOW"), key=report.weigh)
    return _finding(
        rule,
        severity,
        issue.lineno,
        max(0, issue.col_offset) + 1,
        text[:MAX_MESSAGE],
        _CONFIDENCES.get(issue.confidence, 0.5),
        cwe=f"CWE-{issue.cwe.id}" if issue.cwe.id else None,
        lines=[issue.lineno, *issue.linerange[-1:]],
    )


def _find_complex(tree: ast.AST) -> list[dict[str, Any]]:
    return [
        _finding(
            "C901",
            "LOW",
            line,
            column,
            f"Function {name} has a complexity of {complexity}, more than {LIMIT}",
            1.0,
        )
        for name, line, column, complexity in find_complex(tree)
    ]


def _finding(
    rule: str,
    severity: str,
    line: int,
    column: int,
    message: str,
    confidence: float,
    *,
    cwe: str | None = None,
    lines: list[int] | None = None,
) -> dict[str, Any]:
    return {
        "id": rule,
        "severity": severity,
        "line": line,
        "column": column,
        "message": message,
        "confidence": confidence,
        "cwe": cwe,
        "lines": lines or [line],
    }


def _with_snippet(finding: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    """Add the line of code, without any secret in it."""
    finding.pop("lines", None)
    number = finding["line"]
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if finding["id"] in _PASSWORD_RULES:
        line = _TEXT.sub('"*****"', line)
    try:
        line = secret_scan.mask_line(line)
    except ImportError:
        line = _TEXT.sub('"*****"', line)
    return {**finding, "snippet": line.strip()[:MAX_SNIPPET]}
