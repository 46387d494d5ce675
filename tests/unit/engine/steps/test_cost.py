"""Costs: the formula, and prices with their source and date."""

import json
import re

import pytest

from scriptrunner.engine.steps.cost import estimate
from scriptrunner.engine.steps.prices import (
    SHIPPED,
    PriceChoice,
    PriceError,
    find_rates,
)


def attempt(cpu=12.4, memory_mb=1_024.0, seconds=3.1):
    return {
        "cpu_time_seconds": cpu,
        "memory_avg_mb": memory_mb,
        "execution_time_seconds": seconds,
    }


def test_the_example_of_the_reference():
    cost = estimate([attempt()], find_rates(PriceChoice()))
    assert cost["usage"]["cpu_seconds"] == 12.4
    assert cost["usage"]["memory_gib_seconds"] == 3.1
    # 12.4 / 3600 * 0.04, 3.1 / 3600 * 0.005
    assert cost["cost"] == {
        "cpu": 0.000137778,
        "memory": 0.000004306,
        "total": 0.000142083,
    }
    assert cost["estimate"] is True
    assert cost["complete"] is True


def test_attempts_add_up():
    rates = find_rates(PriceChoice())
    one, two = estimate([attempt()], rates), estimate([attempt(), attempt()], rates)
    assert two["usage"] == {name: 2 * n for name, n in one["usage"].items()}


def test_an_attempt_without_figures_is_not_free():
    cost = estimate([attempt(), attempt(cpu=None)], find_rates(PriceChoice()))
    assert cost["complete"] is False
    assert cost["usage"]["cpu_seconds"] == 12.4


def test_what_nobody_knows_is_not_nought():
    cost = estimate([attempt(cpu=None)], find_rates(PriceChoice()))
    assert cost["complete"] is False
    assert cost["cost"] == {"cpu": None, "memory": None, "total": None}


def test_default_rates_say_where_they_are_from():
    rates = find_rates(PriceChoice()).to_json()
    assert (rates["cpu_hour"], rates["memory_gib_hour"]) == (0.04, 0.005)
    assert rates["source"] == "default"
    assert rates["date"]
    assert rates["reference"]


def test_every_price_that_comes_along_has_a_source_and_a_date():
    table = json.loads(SHIPPED.read_text())
    for entry in [table["default"], *table["entries"]]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
        assert entry["reference"]
    for entry in table["entries"]:
        name = f"{entry['provider']}/{entry['region']}/{entry['type']}"
        rates = find_rates(PriceChoice(instance=name))
        assert rates.source == "table"
        assert rates.instance_type == entry["type"]


def test_the_price_of_a_machine_is_divided_among_cores_and_memory():
    rates = find_rates(PriceChoice(instance="aws/us-east-1/m7g.large"))
    # 0.0816 over 2 cores and 8 GiB, a core worth 8 GiB: 0.0816 / 24 = 0.0034
    assert (rates.cpu_hour, rates.memory_gib_hour) == (0.0272, 0.0034)
    assert 2 * rates.cpu_hour + 8 * rates.memory_gib_hour == pytest.approx(0.0816)


def test_rates_of_the_administrator_win_over_the_table():
    rates = find_rates(
        PriceChoice(
            cpu_hour=1.0,
            memory_gib_hour=0.5,
            currency="EUR",
            instance="aws/us-east-1/m7g.large",
        )
    )
    assert (rates.cpu_hour, rates.memory_gib_hour, rates.currency) == (1.0, 0.5, "EUR")
    assert rates.source == "settings"


def test_one_rate_alone_leaves_the_other_as_it_was():
    rates = find_rates(PriceChoice(cpu_hour=1.0))
    assert (rates.cpu_hour, rates.memory_gib_hour) == (1.0, 0.005)


def test_another_table_may_be_named(tmp_path):
    path = tmp_path / "prices.json"
    entry = {
        "cpu_hour": 2,
        "memory_gib_hour": 1,
        "date": "2026-01-01",
        "reference": "us",
    }
    table = {
        "currency": "CHF",
        "default": entry,
        "entries": [{**entry, "provider": "own", "region": "lab", "type": "big"}],
    }
    path.write_text(json.dumps(table))
    rates = find_rates(PriceChoice(table=path, instance="own/lab/big"))
    assert (rates.currency, rates.cpu_hour, rates.provider) == ("CHF", 2.0, "own")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"currency": "USD", "default": {}}',
        '{"currency": "x", "default": {"cpu_hour": -1, "memory_gib_hour": 1}}',
        '{"currency": "x", "default": {"cpu_hour": NaN, "memory_gib_hour": 1}}',
    ],
)
def test_a_broken_table_is_refused(tmp_path, text):
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(PriceError):
        find_rates(PriceChoice(table=path))


def test_an_unknown_machine_is_refused_with_those_there_are():
    with pytest.raises(PriceError, match=r"it has aws/us-east-1/fargate"):
        find_rates(PriceChoice(instance="aws/us-east-1/x99"))
