"""When a failed attempt is followed by another, and after which delay.

Pure rules; the waiting is done by whoever asks.
"""

import math
from collections.abc import Callable
from random import random as uniform_random
from typing import Protocol

RETRY_STRATEGIES = ("linear", "exponential", "fibonacci", "exponential_jitter")
#: Reasons of an attempt's end after which it may be tried again.
RETRIED_REASONS = frozenset({"exit_code", "signal", "timeout"})


class RetryOptions(Protocol):
    """The part of a run's options that says how it is retried."""

    @property
    def retry_on_failure(self) -> bool:
        """Whether there is any retry."""

    @property
    def retry_max_attempts(self) -> int:
        """Attempts in all, 1..20."""

    @property
    def retry_strategy(self) -> str:
        """One of ``RETRY_STRATEGIES``."""

    @property
    def retry_initial_delay(self) -> float:
        """Seconds, >= 0."""

    @property
    def retry_max_delay(self) -> float:
        """Seconds, >= 0: cap of every delay."""

    @property
    def retry_multiplier(self) -> float:
        """Base of both exponential strategies, 1..100."""

    @property
    def retry_max_time(self) -> float:
        """Seconds from the start of the first attempt."""


def next_delay(
    options: RetryOptions, index: int, random: Callable[[], float] = uniform_random
) -> float:
    """Return the delay in seconds before the retry with ``index``.

    Args:
        options: The run's options.
        index: 0 for the first retry, that is before the second attempt.
        random: Source of a uniform number in [0, 1), used by ``exponential_jitter``.

    Returns:
        Seconds, 0 or more and at most ``retry_max_delay``.
    """
    delay = _uncapped_delay(options, index)
    if options.retry_strategy == "exponential_jitter":
        delay *= 1.0 + random()
    return min(delay, options.retry_max_delay)


def _uncapped_delay(options: RetryOptions, index: int) -> float:
    initial = options.retry_initial_delay
    if initial == 0:
        return 0.0
    if options.retry_strategy == "linear":
        return initial * (index + 1)
    if options.retry_strategy == "fibonacci":
        return initial * fibonacci(index)
    try:
        return float(initial * options.retry_multiplier**index)
    except OverflowError:
        return math.inf


def fibonacci(index: int) -> int:
    """Return F(index) of 1, 1, 2, 3, 5, 8 ...; ``index`` counts from 0."""
    current, following = 1, 1
    for _ in range(index):
        current, following = following, current + following
    return current


def planned_delays(options: RetryOptions) -> list[float]:
    """Return all delays a run could wait, in order; the shortest ones for jitter."""
    count = options.retry_max_attempts - 1
    return [next_delay(options, index, lambda: 0.0) for index in range(count)]


def may_retry(options: RetryOptions, *, reason: str | None, attempts_made: int) -> bool:
    """Return whether an attempt that ended for ``reason`` may be followed by another.

    Args:
        options: The run's options.
        reason: Why the attempt ended; None for success.
        attempts_made: Attempts that ran so far, this one included (>= 1). Attempts that
            provably never started their script do not count.
    """
    return (
        options.retry_on_failure
        and reason in RETRIED_REASONS
        and attempts_made < options.retry_max_attempts
    )


def fits_max_time(
    options: RetryOptions, *, elapsed_seconds: float, delay: float
) -> bool:
    """Return whether a retry after ``delay`` still starts within ``retry_max_time``.

    Args:
        options: The run's options.
        elapsed_seconds: Seconds since the first attempt started.
        delay: Seconds until the retry would start; equality still fits.
    """
    return elapsed_seconds + delay <= options.retry_max_time


def plan_retry(
    options: RetryOptions,
    *,
    reason: str | None,
    attempts_made: int,
    elapsed_seconds: float,
    random: Callable[[], float] = uniform_random,
) -> float | None:
    """Return the seconds until the next attempt, or None if this was the last one.

    Args:
        options: The run's options.
        reason: Why the attempt ended; None for success.
        attempts_made: Attempts that ran so far, this one included (>= 1).
        elapsed_seconds: Seconds since the first attempt started.
        random: Source of a uniform number in [0, 1).
    """
    if not may_retry(options, reason=reason, attempts_made=attempts_made):
        return None
    delay = next_delay(options, attempts_made - 1, random)
    fits = fits_max_time(options, elapsed_seconds=elapsed_seconds, delay=delay)
    return delay if fits else None
