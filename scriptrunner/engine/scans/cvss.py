"""The severity of a CVSS vector, version 3.0 or 3.1.

Base score by the "Common Vulnerability Scoring System version 3.1: Specification Document"
of FIRST, sections 7.1 (formulas), 7.4 (values) and 5 (ratings).
"""

import math

_VALUES = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
#: Value of privileges required, by scope unchanged and changed.
_PRIVILEGES = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}
#: Lowest score of each rating.
_RATINGS = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.0, "LOW"))


def severity_of_vector(vector: str) -> str | None:
    """Return the severity of a vector, or None if it is of another version or broken."""
    score = base_score(vector)
    if score is None:
        return None
    return next(name for least, name in _RATINGS if score >= least)


def base_score(vector: str) -> float | None:
    """Return the base score (0.0 to 10.0) of a CVSS 3 vector, or None if it is none."""
    version, *parts = vector.split("/")
    if version not in ("CVSS:3.0", "CVSS:3.1"):
        return None
    metrics = dict(part.split(":", 1) for part in parts if ":" in part)
    try:
        values = {name: _VALUES[name][metrics[name]] for name in _VALUES}
        scope = metrics["S"]
        values["PR"] = _PRIVILEGES[scope][metrics["PR"]]
    except KeyError:
        return None
    missing = (1 - values["C"]) * (1 - values["I"]) * (1 - values["A"])
    return _combine(values, is_changed=scope == "C", base=1 - missing)


def _combine(values: dict[str, float], *, is_changed: bool, base: float) -> float:
    impact = 6.42 * base
    if is_changed:
        impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
    if impact <= 0:
        return 0.0
    ease = 8.22 * values["AV"] * values["AC"] * values["PR"] * values["UI"]
    total = (impact + ease) * (1.08 if is_changed else 1.0)
    return _round_up(min(total, 10.0))


def _round_up(score: float) -> float:
    """Round up to one decimal, without the noise of floats (section 7, appendix A)."""
    whole = round(score * 100_000)
    if whole % 10_000 == 0:
        return whole / 100_000
    return (math.floor(whole / 10_000) + 1) / 10
