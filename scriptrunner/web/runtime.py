"""What one web application is made of, built at the first use and not before.

The lifespan builds it at start; without a lifespan (a bare ``TestClient(app)``) the first
request does.
"""

import threading

from scriptrunner.access.answers import App
from scriptrunner.access.protection import LoginPage
from scriptrunner.access.wall import Wall, build_wall
from scriptrunner.application.services import Services, build_services
from scriptrunner.settings import Settings, load_settings
from scriptrunner.web.ending import Ending
from scriptrunner.web.live import Bell, ChangeFeed
from scriptrunner.web.object_topics import ObjectFeed
from scriptrunner.web.workers import Workers


class Runtime:
    """Services, streams and the wall of one application. Threads may share it.

    Whoever made it calls ``close``; used again after that, it is built again.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Use ``settings``, or those of the environment at the first use."""
        self.ending = Ending()
        self._given = settings
        self._lock = threading.Lock()
        self._parts: _Parts | None = None
        self._wall: Wall | None = None

    def open(self) -> "_Parts":
        """Build everything if it is not there.

        Raises:
            SettingsError: If the environment cannot be used.
        """
        with self._lock:
            if self._parts is None:
                self._parts = _Parts(self._given or load_settings())
            return self._parts

    @property
    def is_open(self) -> bool:
        """Whether everything is built."""
        return self._parts is not None

    @property
    def _open_parts(self) -> "_Parts":
        return self._parts or self.open()

    @property
    def services(self) -> Services:
        """The services."""
        return self._open_parts.services

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._open_parts.services.settings

    @property
    def bell(self) -> Bell:
        """Rings when the record of some run has changed."""
        return self._open_parts.bell

    @property
    def feed(self) -> ChangeFeed:
        """Reads what changed."""
        return self._open_parts.feed

    @property
    def objects(self) -> ObjectFeed:
        """Reads what changed of objects that are no runs."""
        return self._open_parts.objects

    @property
    def workers(self) -> Workers:
        """This worker among all workers."""
        return self._open_parts.workers

    def wall_around(self, app: App, *, login_page: LoginPage) -> Wall:
        """Return the wall in front of ``app``, always the same one."""
        parts = self._open_parts
        with self._lock:
            if self._wall is None:
                services = parts.services
                self._wall = build_wall(
                    app,
                    service=services.access,
                    settings=services.settings,
                    login_page=login_page,
                )
            return self._wall

    def close(self) -> None:
        """Close everything that is open."""
        with self._lock:
            if self._wall is not None:
                self._wall.close()
            if self._parts is not None:
                self._parts.close()
            self._wall = self._parts = None


class _Parts:
    """What is built together."""

    def __init__(self, settings: Settings) -> None:
        self.services = build_services(settings)
        self.bell = Bell(settings.data_dir)
        self.feed = ChangeFeed(self.services.runs.changes_since)
        self.objects = ObjectFeed(lambda: self.services)
        self.workers = Workers(
            settings.data_dir,
            limit=settings.streams_limit,
            limit_per_caller=settings.streams_per_caller,
        )

    def close(self) -> None:
        self.workers.leave()
        self.services.close()
