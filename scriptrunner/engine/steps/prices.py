"""What a CPU hour and a GiB hour cost: the price table, and which line of it counts.

The table that comes along (``prices.json``) is a dated file; an administrator may name
another one of the same form. Every rate says where it is from and of which day.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

#: What a CPU hour costs compared with a GiB hour, where only the price of a whole machine
#: is known: as in the default rates (0.04 / 0.005).
CPU_TO_MEMORY = 8.0
SHIPPED = Path(__file__).with_name("prices.json")


class PriceError(ValueError):
    """A price table or a setting of prices cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is charged, and on whose word."""

    currency: str
    #: Per hour of one CPU core.
    cpu_hour: float
    #: Per hour of one GiB of memory.
    memory_gib_hour: float
    #: ``default``, ``table`` or ``settings``.
    source: str
    #: Day of the price (``YYYY-MM-DD``), or None if it is the administrator's own.
    date: str | None = None
    #: Where it is from, in words or as an address.
    reference: str | None = None
    provider: str | None = None
    region: str | None = None
    instance_type: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return all but the currency, by name."""
        values = asdict(self)
        del values["currency"]
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChoice:
    """What an administrator says about prices; nothing means the default rates."""

    cpu_hour: float | None = None
    memory_gib_hour: float | None = None
    currency: str | None = None
    #: ``provider/region/type`` of an entry of the table.
    instance: str | None = None
    #: Another table.
    table: Path | None = None


@cache
def find_rates(choice: PriceChoice) -> Rates:
    """Return the rates that ``choice`` leads to.

    Rates that are given in so many numbers win over an entry of the table, and that over
    the table's default.

    Raises:
        PriceError: If the table cannot be read or has no such entry.
    """
    table = _read(choice.table or SHIPPED)
    try:
        rates = _from_table(table, choice.instance)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise PriceError(f"the price table is malformed ({error!r})") from None
    if choice.cpu_hour is None and choice.memory_gib_hour is None:
        return rates
    cpu, memory = choice.cpu_hour, choice.memory_gib_hour
    return Rates(
        currency=choice.currency or rates.currency,
        cpu_hour=rates.cpu_hour if cpu is None else cpu,
        memory_gib_hour=rates.memory_gib_hour if memory is None else memory,
        source="settings",
        reference="WEBAPI_COST_CPU_HOUR, WEBAPI_COST_MEMORY_GIB_HOUR",
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PriceError(
            f"the price table {path.name} cannot be read: {error}"
        ) from None
    if not isinstance(table, dict):
        raise PriceError(f"the price table {path.name} is no JSON object")
    return table


def _from_table(table: Mapping[str, Any], instance: str | None) -> Rates:
    currency = str(table["currency"])
    if instance is None:
        return _rates_of(table["default"], currency=currency, source="default")
    for entry in table["entries"]:
        if _name_of(entry) == instance:
            rates = _rates_of(entry, currency=currency, source="table")
            break
    else:
        known = ", ".join(_name_of(each) for each in table["entries"])
        raise PriceError(f"the price table has no {instance}; it has {known}")
    return rates


def _name_of(entry: Mapping[str, Any]) -> str:
    return f"{entry['provider']}/{entry['region']}/{entry['type']}"


def _rates_of(entry: Mapping[str, Any], *, currency: str, source: str) -> Rates:
    cpu, memory = _hourly(entry)
    if not all(math.isfinite(each) and each >= 0 for each in (cpu, memory)):
        raise ValueError("a price is no number of 0 or more")
    return Rates(
        currency=currency,
        cpu_hour=cpu,
        memory_gib_hour=memory,
        source=source,
        date=str(entry["date"]),
        reference=str(entry["reference"]),
        provider=entry.get("provider"),
        region=entry.get("region"),
        instance_type=entry.get("type"),
    )


def _hourly(entry: Mapping[str, Any]) -> tuple[float, float]:
    """Return the price of a CPU hour and of a GiB hour.

    The price of a whole machine is divided among its cores and its memory so that a core
    costs eight times a GiB, and both together the whole.
    """
    if "cpu_hour" in entry:
        return float(entry["cpu_hour"]), float(entry["memory_gib_hour"])
    shares = CPU_TO_MEMORY * float(entry["vcpus"]) + float(entry["memory_gib"])
    memory = float(entry["instance_hour"]) / shares
    return round(CPU_TO_MEMORY * memory, 6), round(memory, 6)
