"""What a run or a dry run has to say to somebody at a terminal, as text."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

#: Keys of a result that say why a step did not work out.
ERROR_KEYS = ("junit_error", "baseline_load_error", "baseline_save_error")
_FILES = ("junit_output", "save_baseline", "load_baseline")


def list_findings(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each figure that was asked for: cost and baselines."""
    if cost := result.get("cost"):
        yield f"cost: {_amount_of(cost)}"
    if entries := result.get("baseline_comparison"):
        counts = Counter(each["verdict"] for each in entries.values())
        found = (f"{counts[each]} {each}" for each in ("worse", "better", "changed"))
        yield f"against the baseline: {', '.join(found)}, {counts['same']} the same"
    if saved := result.get("baseline_saved"):
        yield f"baseline {saved} saved"


def list_failures(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each step that did not work out."""
    for key in ERROR_KEYS:
        if error := result.get(key):
            yield f"{key.removesuffix('_error').replace('_', ' ')}: {error}"


def _amount_of(cost: Mapping[str, Any]) -> str:
    total = cost["cost"]["total"]
    if total is None:
        return "not known, since an attempt left no figures"
    return f"{total:.9f} {cost['currency']}, estimated"


def describe_plan(plan: Mapping[str, Any]) -> str:
    """Return what a dry run found, a line for each thing that was asked for."""
    retry = plan["retry_config"]
    pauses = ", ".join(f"{each:g} s" for each in retry["delays"])
    lines = [
        plan["message"],
        f"  command      {' '.join(plan['command'])}",
        f"  folder       {plan['working_dir']}",
        f"  sha256       {plan['sha256']}",
        f"  timeout      {'none' if plan['timeout'] is None else plan['timeout']}",
        f"  retries      {pauses + ' apart' if retry['enabled'] else 'none'}",
        f"  ignored      {', '.join(plan['ignored_env']) or 'nothing'}",
        *_list_steps(plan),
    ]
    return "\n".join(lines)


def _list_steps(plan: Mapping[str, Any]) -> list[str]:
    from scriptrunner.engine.steps.gates import title_of  # noqa: PLC0415 - dry runs only

    lines = [f"  gate         {title_of(each)}" for each in plan["performance_gates"]]
    lines += [f"  alert        {each['condition']}" for each in plan["alerts"]]
    lines += [f"  {name:<12} {plan[name]}" for name in _FILES if plan[name] is not None]
    lines += [
        f"  scan         {kind}: {found['status']}"
        for kind, found in plan["scans"].items()
    ]
    if plan["would_be_blocked"]:
        lines.append("  blocked      a scan would keep it from starting")
    return lines
