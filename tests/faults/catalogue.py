"""All fault tests, in order."""

from tests.faults import (
    t01_random_kills,
    t02_shim_kills,
    t03_points,
    t04_restarts,
    t05_host_restart,
    t06_full_disk,
    t07_locked_database,
    t08_schedules,
    t09_cut_files,
    t10_busy_queue,
    t11_much_output,
    t12_stream_readers,
    t14_model,
    t15_races,
    t16_zoo,
    t17_formats,
    t18_two_supervisors,
    t21_database_crashes,
    t23_simulation,
    t24_scheduler_kills,
)
from tests.faults.trial import FaultTest

MODULES = (
    t01_random_kills,
    t02_shim_kills,
    t03_points,
    t04_restarts,
    t05_host_restart,
    t06_full_disk,
    t07_locked_database,
    t08_schedules,
    t09_cut_files,
    t10_busy_queue,
    t11_much_output,
    t12_stream_readers,
    t14_model,
    t15_races,
    t16_zoo,
    t17_formats,
    t18_two_supervisors,
    t21_database_crashes,
    t23_simulation,
    t24_scheduler_kills,
)
TESTS: dict[str, FaultTest] = {each.TEST.test_id: each.TEST for each in MODULES}
