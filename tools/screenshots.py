"""Take the pictures of the documentation: a real service, real scripts, a real browser.

``scripts/screenshots`` calls this. It writes ``docs/images/*.png``, light and dark, and
needs Debian's Chromium.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import samples
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.server import PROJECT, Server, running_server

IMAGES = PROJECT / "docs" / "images"
#: Window in CSS pixels, and pixels of a picture per CSS pixel.
DESKTOP = (1400, 860, 1.0)
PHONE = (390, 844, 2.0)

SCRIPTS = {
    "jobs/nightly_etl.py": r"""
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
print("\x1b[1mLoading\x1b[0m orders of", sys.argv[-1])
for batch in range(28):
    print(f"\x1b[32mok\x1b[0m  batch {batch:02d}  \x1b[2m{417 + batch * 13} rows\x1b[0m")
logging.warning("3 rows without a customer")
orders = [{"id": 1, "total": 12.5}, {"total": 7.0}]
for order in orders:
    print(order["id"], order["total"])
""",
    "jobs/backup.py": 'print("12,204 files, 1.1 GB, nothing skipped")\n',
    "jobs/report.py": 'import time\ntime.sleep(0.4)\nprint("report.pdf written")\n',
    "jobs/sync_users.py": """
import os, sys
attempt = os.environ["SCRIPT_RUNNER_ATTEMPT"]
print("attempt", attempt)
sys.exit(0 if attempt == "3" else 75)
""",
    "ml/train_model.py": r"""
import sys, time
for epoch in range(1, 241):
    print(f"\x1b[34mepoch {epoch:3d}/240\x1b[0m  loss \x1b[1m{2.4 / epoch ** 0.6:.4f}\x1b[0m"
          f"  \x1b[38;5;208maccuracy {1 - 0.6 / epoch ** 0.5:.3f}\x1b[0m", flush=True)
    if epoch % 40 == 0:
        print(f"checkpoint {epoch} written", file=sys.stderr, flush=True)
    time.sleep(0.02 if epoch < 220 else 3)
""",
    "ml/features.py": """
import time
kept = []
for step in range(6):
    kept.append(bytearray(6_000_000 * (step % 4 + 1)))
    until = time.monotonic() + 0.25
    while time.monotonic() < until:
        sum(range(10_000))
    time.sleep(0.2)
    if step == 3:
        kept.clear()
print("features written")
""",
    "ops/wait_for_disk.py": "import time\ntime.sleep(600)\n",
}


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    environment = {"WEBAPI_SLOTS": "3", "WEBAPI_STOP_GRACE": "1"}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder), environment=environment) as server,
        sync_playwright() as playwright,
    ):
        failed, training, measured = run_samples(server)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme, suffix in (("light", ""), ("dark", "-dark")):
            with opened(browser, server, theme=theme, window=DESKTOP) as page:
                shoot_runner(page, f"dashboard{suffix}")
                shoot_run(page, failed, f"run{suffix}")
                shoot_run(page, training, f"live{suffix}")
                shoot_metrics(page, measured, f"metrics{suffix}")
                shoot_launch(page, failed, f"launch{suffix}")
                shoot_comparison(page, failed, f"compare{suffix}")
            with opened(browser, server, theme=theme, window=PHONE) as page:
                shoot_runner(page, f"phone{suffix}")
        samples.fill(server)
        etl = quote(str(server.root / samples.ETL))
        script_id = samples.find_scripts(server)[samples.ETL]
        for theme, suffix in (("light", ""), ("dark", "-dark")):
            with opened(browser, server, theme=theme, window=DESKTOP) as page:
                for name, address, there in PAGES:
                    page.goto(address.format(etl=etl, id=script_id))
                    expect(page.get_by_test_id(there).first).to_be_visible()
                    expect(page.get_by_test_id("skeleton")).to_have_count(0)
                    expect(page.get_by_test_id("live-state")).to_have_text("live")
                    page.evaluate("scrollTo(0, 0)")
                    take(page, f"{name}{suffix}")
        browser.close()


#: Pictures of the other pages: name, address, what must be there first.
PAGES = [
    ("library", "/library?script={id}", "lib-source"),
    ("schedules", "/schedules", "sch-table"),
    ("dependencies", "/schedules?view=graph", "graph"),
    ("analytics", "/analytics?script={etl}&outcome=success", "an-distribution"),
    ("system", "/system", "sys-health"),
]


def run_samples(server: Server) -> tuple[str, str, str]:
    """Run scripts of every outcome; return a failed one, one that goes on, a busy one."""
    for name, text in SCRIPTS.items():
        server.write_script(name, text.lstrip())

    def run(name: str, *args: str, **options: object) -> str:
        return server.submit(name, args=list(args), **options)

    done = [run("jobs/backup.py", "--target", "nas"), run("jobs/report.py", "--week")]
    done += [run("jobs/nightly_etl.py", "--day", "2026-11-22", dry_run=True)]
    done += [run("jobs/backup.py", "--target", f"nas-{n}") for n in range(2, 9)]
    done += [run("ops/wait_for_disk.py", timeout=1)]
    done += [
        run(
            "jobs/sync_users.py",
            retry_on_failure=True,
            retry_initial_delay=0.1,
            enable_visualizer=True,
        )
    ]
    stopped = run("ops/wait_for_disk.py")
    gates = [{"metric": "cpu_max", "max_value": 90.0}]
    measured = run("ml/features.py", performance_gates=gates)
    for run_id in [*done, measured]:
        server.wait_finished(run_id)
    server.wait_finished(run("jobs/nightly_etl.py", "--day", "2026-11-21"))
    server.client.post(f"/api/runs/{stopped}/cancel")
    failed = run("jobs/nightly_etl.py", "--day", "2026-11-22", enable_visualizer=True)
    server.wait_finished(failed)
    training = run("ml/train_model.py", "--epochs", "240")
    for name in ("jobs/report.py", "jobs/backup.py"):
        server.wait_finished(run(name, "--week"))
    run("ops/wait_for_disk.py", "--mount", "/srv/archive")
    return failed, training, measured


@contextmanager
def opened(
    browser: Browser,
    server: Server,
    *,
    theme: str,
    window: tuple[int, int, float],
) -> Iterator[Page]:
    """Yield a page of a browser that prefers ``theme``, in a ``window`` as above."""
    width, height, scale = window
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        timezone_id="UTC",
    )
    yield context.new_page()
    context.close()


def shoot_runner(page: Page, name: str) -> None:
    """Take the Runner as it is on arrival."""
    page.goto("/")
    expect(page.get_by_test_id("run-row").first).to_be_visible()
    expect(page.get_by_test_id("launch-submit")).to_be_visible()
    expect(page.get_by_test_id("attention")).to_be_visible()
    expect(page.get_by_test_id("live-state")).to_have_text("live")
    take(page, name)


def shoot_run(page: Page, run_id: str, name: str) -> None:
    """Take the page of a run with its log."""
    page.goto(f"/runs/{run_id}")
    expect(page.locator(".log-line").first).to_be_visible()
    expect(page.get_by_test_id("live-state")).to_have_text("live")
    take(page, name)


def shoot_metrics(page: Page, run_id: str, name: str) -> None:
    """Take CPU and memory of a run over time."""
    page.goto(f"/runs/{run_id}/metrics")
    expect(page.locator("canvas").nth(1)).to_be_visible()
    take(page, name)


def shoot_launch(page: Page, run_id: str, name: str) -> None:
    """Take the launch form with the options of a run."""
    page.goto(f"/launch?from={run_id}")
    expect(page.get_by_test_id("launch-origin")).to_be_visible()
    take(page, name)


def shoot_comparison(page: Page, run_id: str, name: str) -> None:
    """Take the comparison of a run with the one before."""
    page.goto(f"/compare?a={run_id}")
    expect(page.get_by_test_id("compare-options")).to_be_visible()
    take(page, name)


def take(page: Page, name: str) -> None:
    """Write the visible part of the page as ``docs/images/<name>.png``."""
    page.evaluate("document.fonts.ready")
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
