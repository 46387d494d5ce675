"""Days, troubles and the further filters and orders of lists, on both databases."""

from datetime import timedelta
from typing import Any

from scriptrunner.runs.models import RunFilter, RunSort
from scriptrunner.runs.views import RunViews
from tests.run_world import RunWorld


def views_of(world: RunWorld) -> RunViews:
    return RunViews(world.service, world.database, clock=world.clock)


def test_days_are_counted_in_utc(world: RunWorld) -> None:
    world.submit()
    cancelled = world.submit()
    world.service.cancel(cancelled, principal="alice")
    world.clock.advance(2 * 86_400)
    world.submit()
    days = views_of(world).list_days(3)
    assert [day.total for day in days] == [2, 0, 1]
    assert [day.cancelled for day in days] == [1, 0, 0]
    assert days[-1].date == world.clock.utc_now().date()
    assert days[0].date == days[-1].date - timedelta(days=2)


def test_nothing_in_trouble_where_nothing_failed(world: RunWorld) -> None:
    world.submit()
    assert views_of(world).list_troubles() == []


def test_filters_by_user_script_and_tag(world: RunWorld) -> None:
    ids = [world.submit(), world.submit()]
    record = world.service.get_run(ids[0]).item

    def found(**wanted: Any) -> list[str]:
        page = world.service.list_runs(RunFilter(**wanted))
        return [each.id for each in page.items]

    assert found(principal=record.principal) == ids[::-1]
    assert found(principal="nobody") == []
    assert set(found(script_path=record.script_path)) == set(ids)
    assert record.script_file is not None
    assert set(found(script_path=record.script_file)) == set(ids)
    assert found(script_path="/elsewhere" + record.script_file) == []
    assert found(tag="etl") == []


def test_every_order_has_every_run(world: RunWorld) -> None:
    ids = {world.submit() for _ in range(3)}
    for sort in RunSort:
        for descending in (True, False):
            page = world.service.list_runs(sort=sort, descending=descending, limit=2)
            rest = world.service.list_runs(sort=sort, descending=descending, offset=2)
            shown = [each.id for each in (*page.items, *rest.items)]
            assert sorted(shown) == sorted(ids)
            usual = sort is RunSort.QUEUED and descending
            assert (page.next_before is not None) == usual
