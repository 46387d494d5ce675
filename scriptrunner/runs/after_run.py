"""What the steps after a run need of this service: prices, baselines, places for files."""

import logging
import os
from pathlib import Path
from typing import Any

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.desk import AlertDesk
from scriptrunner.engine import destinations, sample_file, steps
from scriptrunner.engine.destinations import InvalidOutputPathError
from scriptrunner.engine.output_files import (
    OutputError,
    OwnFiles,
    RunOutputs,
    read_below,
)
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.scans.session import read_reports
from scriptrunner.engine.steps import baseline, cost, scans
from scriptrunner.engine.steps.ending import Ending, Findings
from scriptrunner.engine.steps.prices import PriceChoice, PriceError, Rates, find_rates
from scriptrunner.history.locations import make_locations
from scriptrunner.runs.alerting import RunAlerts
from scriptrunner.runs.folders import OUTPUTS_NAME, WRITTEN_NAME, RunFolders
from scriptrunner.runs.repository import baselines
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.settings import Settings, SettingsError
from scriptrunner.storage.database import Connection

logger = logging.getLogger(__name__)

#: What wrong data, or a defect of ours, makes of itself.
DEFECTS = (AttributeError, LookupError, TypeError, ValueError)


class AfterRun:
    """Looks things up for the steps of a run. Threads may share it.

    Args:
        settings: The service's settings.
        folders: The run folders.

    Raises:
        SettingsError: If the settings of prices lead nowhere.
    """

    def __init__(self, settings: Settings, folders: RunFolders) -> None:
        """Read the price table only if the settings name one."""
        self._folders = folders
        #: Histories besides the service's own.
        self.histories = make_locations(settings)
        #: What an end does about alerts.
        self.alerts = RunAlerts(AlertDesk(Channels(settings)))
        self._roots = spellings_of(settings.output_root)
        self._published = None
        if settings.output_root is not None:
            self._published = OwnFiles(
                self._roots[-1], str(settings.data_dir / "published"), is_shared=True
            )
        self._prices = PriceChoice(
            cpu_hour=settings.cost_cpu_hour,
            memory_gib_hour=settings.cost_memory_gib_hour,
            currency=settings.cost_currency,
            instance=settings.cost_instance,
            table=settings.cost_prices,
        )
        if settings.cost_instance is not None or settings.cost_prices is not None:
            try:
                self.find_rates()
            except PriceError as error:
                raise SettingsError([f"WEBAPI_COST_INSTANCE: {error}"]) from None

    def find_rates(self) -> Rates:
        """Return what is charged here.

        Raises:
            PriceError: If the price table cannot be read any more.
        """
        return find_rates(self._prices)

    def check(self, options: RunOptions) -> None:
        """Refuse what this service has not: channels, and places for outputs.

        Raises:
            MalformedInputError: If an alert names a channel that does not exist.
            InvalidHistoryDbError: If the history may not be named.
            InvalidOutputPathError: With the first output that could not be written or
                published as things are now.
        """
        self.alerts.check(options)
        if options.history_db is not None:
            self.histories.check(options.history_db)
        for name in ("junit_output", "save_baseline"):
            path = getattr(options, name)
            if path is None:
                continue
            relative = destinations.relative_output(name, path, self._roots)
            try:
                if self._published is not None:
                    self._published.check(relative)
            except OutputError as error:
                raise InvalidOutputPathError(f"{name}: {error}") from None

    def needs_files(self, run: StoredRun) -> bool:
        """Return whether the end of ``run`` has to do with files besides the database.

        Such an end is worked out before the transaction that records it.
        """
        request = run.request
        return (
            steps.needs_files(request)
            or bool(request.get("history_db"))
            or request["log_level"] == "DEBUG"
        )

    def look_up(self, connection: Connection, run: StoredRun) -> Findings:
        """Return what the steps of ``run`` need to know, before they work.

        Files that are damaged must not keep a run from ending: then nothing is known.

        Args:
            connection: Of any transaction.
            run: The run, its last attempt still as it was claimed.
        """
        try:
            return self._look_up(connection, run)
        except (OSError, *DEFECTS):
            logger.exception("run %s: its steps have nothing to go by", run.id)
            return Findings(baseline_error="internal error")

    def _look_up(self, connection: Connection, run: StoredRun) -> Findings:
        request = run.request
        rates, earlier = None, []
        if cost.is_wanted(request):
            rates = self._find_rates_now()
            if run.attempt > 1:
                earlier = baselines.list_earlier_metrics(
                    connection, run.id, run.attempt
                )
        numbers, error = None, None
        if request.get("load_baseline") is not None:
            numbers, error = self._load(connection, request["load_baseline"])
        return Findings(
            earlier_metrics=earlier,
            rates=rates,
            baseline=numbers,
            baseline_error=error,
            early_alerts=self.alerts.find_early(connection, run),
            scans=self.read_scans(run),
            samples=self._read_samples(run),
        )

    def _read_samples(self, run: StoredRun) -> list[sample_file.Point]:
        """Return the samples of the current attempt if its events are to tell of them."""
        if run.request["log_level"] != "DEBUG":
            return []
        path = f"{self._folders.path(run.id)}/a{run.attempt}.samples"
        return sample_file.read_all(path)

    def plan_alerts(self, ending: Ending) -> None:
        """Say in the result whom each rule that was met is to be told to."""
        try:
            self.alerts.plan(ending)
        except DEFECTS:
            logger.exception("run %s: its alerts have no receivers", ending.run_id)

    def read_scans(self, run: StoredRun) -> dict[str, dict[str, Any]] | None:
        """Return what the scans of ``run`` have found so far; None without any."""
        if not scans.is_wanted(run.request):
            return None
        return read_reports(self._folders.path(run.id))

    def _find_rates_now(self) -> Rates | None:
        try:
            return self.find_rates()
        except PriceError:
            return None

    def _load(
        self, connection: Connection, name: str
    ) -> tuple[dict[str, float] | None, str | None]:
        """Return the numbers of a baseline, or why there are none.

        A name that was saved wins over a published file.
        """
        saved = baselines.find(connection, name)
        if saved is not None:
            return baseline.numbers_of(saved), None
        try:
            relative = destinations.relative_output("name", name, self._roots)
            if not self._roots:
                raise FileNotFoundError
            limit = baseline.MAX_FILE_BYTES
            data = read_below(self._roots[-1], relative, limit_bytes=limit)
            return baseline.decode(data), None
        except baseline.NoBaselineError:
            return None, "this file is no baseline"
        except (OSError, InvalidOutputPathError):
            return None, "there is no baseline of this name"

    def open_outputs(self, run_id: str) -> RunOutputs:
        """Return where the files of a run go; nothing is made before one is written."""
        folder = self._folders.path(run_id)
        own = OwnFiles(f"{folder}/{OUTPUTS_NAME}", f"{folder}/{WRITTEN_NAME}")
        return RunOutputs(own, self._published, self._roots)


def spellings_of(folder: Path | None) -> tuple[str, ...]:
    """Return how people may write ``folder``; the last one is without links."""
    if folder is None:
        return ()
    return tuple(dict.fromkeys((str(folder), os.path.realpath(folder))))
