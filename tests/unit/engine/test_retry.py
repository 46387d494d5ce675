import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine import retry
from scriptrunner.engine.plan import RunOptions


def make_options(**changes) -> RunOptions:
    return RunOptions(**{"retry_on_failure": True, "retry_max_attempts": 6, **changes})


@pytest.mark.parametrize(
    ("strategy", "initial", "multiplier", "cap", "delays"),
    [
        # initial times 1, 2, 3, 4, 5
        ("linear", 1, 2, 60, [1, 2, 3, 4, 5]),
        ("linear", 2, 3, 30, [2, 4, 6, 8, 10]),
        # initial times 1, m, m squared ...; 2 * 27 = 54 and 2 * 81 = 162 are capped at 30
        ("exponential", 1, 2, 60, [1, 2, 4, 8, 16]),
        ("exponential", 2, 3, 30, [2, 6, 18, 30, 30]),
        # initial times 1, 1, 2, 3, 5
        ("fibonacci", 1, 2, 60, [1, 1, 2, 3, 5]),
        ("fibonacci", 2, 3, 30, [2, 2, 4, 6, 10]),
        # no delay stays no delay
        ("exponential", 0, 100, 60, [0, 0, 0, 0, 0]),
    ],
)
def test_delays_follow_the_formula(strategy, initial, multiplier, cap, delays):
    options = make_options(
        retry_strategy=strategy,
        retry_initial_delay=initial,
        retry_multiplier=multiplier,
        retry_max_delay=cap,
    )
    assert retry.planned_delays(options) == delays


@pytest.mark.parametrize(
    ("index", "low", "high"), [(0, 2, 4), (1, 6, 12), (2, 18, 30), (3, 30, 30)]
)
def test_jitter_lies_between_once_and_twice_and_below_the_cap(index, low, high):
    options = make_options(
        retry_strategy="exponential_jitter",
        retry_initial_delay=2,
        retry_multiplier=3,
        retry_max_delay=30,
    )
    assert retry.next_delay(options, index, lambda: 0.0) == low
    assert retry.next_delay(options, index, lambda: 0.999999) == pytest.approx(
        high, 1e-5
    )


def test_jitter_draws_its_own_number():
    options = make_options(retry_strategy="exponential_jitter")
    drawn = {retry.next_delay(options, 0) for _ in range(20)}
    assert len(drawn) > 1


@given(
    strategy=st.sampled_from(retry.RETRY_STRATEGIES),
    initial=st.floats(0, 86_400),
    multiplier=st.floats(1, 100),
    cap=st.floats(0, 86_400),
    index=st.integers(0, 18),
    ratio=st.floats(0, 1, exclude_max=True),
)
def test_no_delay_is_negative_or_above_the_cap(
    strategy, initial, multiplier, cap, index, ratio
):
    options = make_options(
        retry_strategy=strategy,
        retry_initial_delay=initial,
        retry_multiplier=multiplier,
        retry_max_delay=cap,
    )
    assert 0 <= retry.next_delay(options, index, lambda: ratio) <= cap


@pytest.mark.parametrize(
    ("reason", "allowed"),
    [
        ("exit_code", True),
        ("signal", True),
        ("timeout", True),
        (None, False),
        ("stopped", False),
        ("killed", False),
        ("cancelled", False),
        ("restart", False),
        ("lost", False),
        ("host_restart", False),
        ("oom", False),
        ("output_limit", False),
        ("spawn_error", False),
        ("scan_blocked", False),
        ("script_changed", False),
        ("gates", False),
    ],
)
def test_only_the_scripts_own_failures_are_retried(reason, allowed):
    assert retry.may_retry(make_options(), reason=reason, attempts_made=1) is allowed


def test_nothing_is_retried_when_retry_is_off():
    options = make_options(retry_on_failure=False)
    assert not retry.may_retry(options, reason="exit_code", attempts_made=1)


@pytest.mark.parametrize(("made", "allowed"), [(1, True), (2, True), (3, False)])
def test_the_first_attempt_counts_as_one(made, allowed):
    options = make_options(retry_max_attempts=3)
    assert retry.may_retry(options, reason="timeout", attempts_made=made) is allowed


@pytest.mark.parametrize(
    ("elapsed", "delay"),
    [
        (8.0, 2.0),  # 8 + 2 = 10: just in time
        (8.001, None),  # 8.001 + 2 > 10
        (11.0, None),
    ],
)
def test_a_retry_that_would_start_too_late_is_not_made(elapsed, delay):
    options = make_options(retry_initial_delay=2, retry_max_time=10)
    planned = retry.plan_retry(
        options, reason="exit_code", attempts_made=1, elapsed_seconds=elapsed
    )
    assert planned == delay


def test_no_time_for_retries_still_allows_one_at_once():
    options = make_options(retry_initial_delay=0, retry_max_time=0)
    planned = retry.plan_retry(
        options, reason="exit_code", attempts_made=1, elapsed_seconds=0.0
    )
    assert planned == 0
