"""Usual values: each method does what it says, ``intelligent`` in each of its cases."""

import numpy
import pytest

from scriptrunner.analytics.baselines import BaselineMethod, compute_baseline
from tests.unit.analytics.nile import volumes

INTELLIGENT = BaselineMethod.INTELLIGENT


def test_percentiles_of_real_data():
    for percent in (1, 50, 75, 99):
        found = compute_baseline(
            volumes(), BaselineMethod.PERCENTILE, percentile=percent
        )
        theirs = float(numpy.percentile(volumes(), percent))
        assert found["baseline"] == pytest.approx(theirs)


def test_outliers_are_left_out():
    # Q1 11, Q3 13, fences 8 and 16.
    found = compute_baseline([12.0, 10.0, 11.0, 13.0, 90.0, 12.0], BaselineMethod.IQR)
    assert found == {
        "baseline": 12.0,
        "iqr_k": 1.5,
        "outliers_removed": 1,
        "outlier_percentage": 16.67,
        "filtered_data_points": 5,
        "original_data_points": 6,
    }


@pytest.mark.parametrize(
    ("values", "chosen", "baseline", "word"),
    [
        ([4.0], "mean_fallback", 4.0, "only 1"),
        ([1.0, 2.0], "mean_fallback", 1.5, "only 2"),
        # Deviation 50 of mean 20: the fences drop 100.
        ([1.0, 2.0, 3.0, 4.0, 100.0], "iqr_filtered", 2.5, "scattered"),
        # Mean 0 and something around it.
        ([-1.0, 0.0, 1.0], "iqr_filtered", 0.0, "scattered"),
        # Deviation 20 % of 1.05, range 0.6 of it: the 75th percentile.
        (
            [0.75, 0.8, 0.85, 0.9, 1.0, 1.1, 1.2, 1.25, 1.3, 1.35],
            "percentile",
            1.2375,
            "wide",
        ),
        # Just over 30 %: deviation 0.30003 of mean 1.
        ([0.69997, 1.0, 1.30003], "iqr_filtered", 1.0, "scattered"),
        # The same range, but fewer than ten.
        ([0.8, 0.9, 1.0, 1.1, 1.35], "percentile", 1.0, "steady"),
        ([10.0, 10.1, 9.9], "percentile", 10.0, "steady"),
        ([0.0] * 12, "percentile", 0.0, "steady"),
    ],
)
def test_intelligent_does_what_it_says(values, chosen, baseline, word):
    found = compute_baseline(values, INTELLIGENT)
    assert found["chosen"] == chosen
    assert found["baseline"] == pytest.approx(baseline)
    assert word in found["reasoning"]
    assert found["data_characteristics"]["data_points"] == len(values)
