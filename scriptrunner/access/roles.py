"""Which permission each route needs, and which permissions each role has: two tables.

Every route of the application stands in ``PERMISSION_BY_ROUTE`` under its name, aliases
and pages included; ``check_routes`` stops the start of an application that has another.
The matched route is judged, never the text of a path.
"""

from collections.abc import Iterable
from enum import StrEnum

from scriptrunner.access.models import Caller, ForbiddenError, Role
from scriptrunner.errors import ScriptRunnerError


class Permission(StrEnum):
    """Something a caller may be allowed to do."""

    #: Nothing at all: liveness and the way in. Only ``Protection`` decides which paths.
    ANYBODY = "anybody"
    #: See who one is, and log out.
    SELF_READ = "self.read"
    #: See the pages and report what they were kept from doing.
    PAGE_READ = "page.read"
    #: Read the description of the API.
    API_READ = "api.read"
    #: See the state of service and machine.
    SYSTEM_READ = "system.read"
    #: See runs, their logs, events, results and streams.
    RUN_READ = "run.read"
    #: Start a script that lies below an allowed root, anew or again.
    RUN_START = "run.start"
    #: Bring a script along and start it.
    RUN_UPLOAD = "run.upload"
    #: Cancel, stop and kill.
    RUN_STOP = "run.stop"
    #: Remove records with all that belongs to them.
    RUN_DELETE = "run.delete"
    #: See folder roots, scripts, their texts and versions, and pick folders.
    LIBRARY_READ = "library.read"
    #: Say what a script is: status, owner, notes, tags.
    LIBRARY_WRITE = "library.write"
    #: Add, change, scan and remove folder roots.
    LIBRARY_ADMIN = "library.admin"
    #: See which alerts were triggered, and which channels there are.
    ALERT_READ = "alert.read"
    #: Acknowledge and mute alerts, and try channels.
    ALERT_WRITE = "alert.write"
    #: See tasks, events and what is due.
    SCHEDULE_READ = "schedule.read"
    #: Make, change, pause and delete tasks.
    SCHEDULE_WRITE = "schedule.write"
    #: Run a task now.
    SCHEDULE_RUN = "schedule.run"
    #: Fire an event, which starts every task that listens.
    EVENT_FIRE = "event.fire"
    #: Ask the history of runs, and export it.
    ANALYTICS_READ = "analytics.read"
    #: Make benchmarks and remove old executions.
    ANALYTICS_WRITE = "analytics.write"
    #: See which tokens there are, never their secrets.
    TOKEN_READ = "token.read"  # noqa: S105 - a word, not a secret
    #: Make and revoke tokens.
    TOKEN_WRITE = "token.write"  # noqa: S105 - a word, not a secret
    #: See who asked for what.
    AUDIT_READ = "audit.read"


#: Route name → permission.
PERMISSION_BY_ROUTE: dict[str, Permission] = {
    "get_health": Permission.ANYBODY,
    "get_login_page": Permission.ANYBODY,
    "get_login_style": Permission.ANYBODY,
    "log_in": Permission.ANYBODY,
    "log_out": Permission.SELF_READ,
    "get_me": Permission.SELF_READ,
    "dashboard": Permission.PAGE_READ,
    "page_runs": Permission.PAGE_READ,
    "page_run": Permission.PAGE_READ,
    "page_run_tab": Permission.PAGE_READ,
    "page_compare": Permission.PAGE_READ,
    "page_launch": Permission.PAGE_READ,
    "page_library": Permission.PAGE_READ,
    "page_duplicates": Permission.PAGE_READ,
    "page_script": Permission.PAGE_READ,
    "page_schedules": Permission.PAGE_READ,
    "page_schedule": Permission.PAGE_READ,
    "page_analytics": Permission.PAGE_READ,
    "page_gates": Permission.PAGE_READ,
    "page_alerts": Permission.PAGE_READ,
    "page_system": Permission.PAGE_READ,
    "page_settings": Permission.PAGE_READ,
    "page_tokens": Permission.PAGE_READ,
    "page_audit": Permission.PAGE_READ,
    "csp_report": Permission.PAGE_READ,
    "openapi": Permission.API_READ,
    "get_system_status": Permission.SYSTEM_READ,
    "get_settings": Permission.SYSTEM_READ,
    "get_stats": Permission.RUN_READ,
    "list_runs": Permission.RUN_READ,
    "get_run": Permission.RUN_READ,
    "get_logs": Permission.RUN_READ,
    "list_events": Permission.RUN_READ,
    "get_visualization": Permission.RUN_READ,
    "list_outputs": Permission.RUN_READ,
    "get_output": Permission.RUN_READ,
    "get_script": Permission.RUN_READ,
    "get_samples": Permission.RUN_READ,
    "get_run_request": Permission.RUN_READ,
    "compare_runs": Permission.RUN_READ,
    "get_script_tokens": Permission.RUN_READ,
    "get_log_lines": Permission.RUN_READ,
    "search_log": Permission.RUN_READ,
    "get_daily_stats": Permission.RUN_READ,
    "get_attention": Permission.RUN_READ,
    "stream_logs": Permission.RUN_READ,
    "stream_changes": Permission.RUN_READ,
    "start_run": Permission.RUN_START,
    "restart_run": Permission.RUN_START,
    "upload_run": Permission.RUN_UPLOAD,
    "cancel_run": Permission.RUN_STOP,
    "stop_run": Permission.RUN_STOP,
    "kill_run": Permission.RUN_STOP,
    "delete_run": Permission.RUN_DELETE,
    "delete_runs": Permission.RUN_DELETE,
    "list_tasks": Permission.SCHEDULE_READ,
    "get_task": Permission.SCHEDULE_READ,
    "explain_task": Permission.SCHEDULE_READ,
    "list_task_fires": Permission.SCHEDULE_READ,
    "list_due_tasks": Permission.SCHEDULE_READ,
    "list_task_events": Permission.SCHEDULE_READ,
    "preview_schedule": Permission.SCHEDULE_READ,
    "get_task_graph": Permission.SCHEDULE_READ,
    "get_task_calendar": Permission.SCHEDULE_READ,
    "export_tasks": Permission.SCHEDULE_READ,
    "create_task": Permission.SCHEDULE_WRITE,
    "update_task": Permission.SCHEDULE_WRITE,
    "delete_task": Permission.SCHEDULE_WRITE,
    "pause_task": Permission.SCHEDULE_WRITE,
    "resume_task": Permission.SCHEDULE_WRITE,
    "import_tasks": Permission.SCHEDULE_WRITE,
    "import_crontab": Permission.SCHEDULE_WRITE,
    "run_task": Permission.SCHEDULE_RUN,
    "fire_event": Permission.EVENT_FIRE,
    "get_trends": Permission.ANALYTICS_READ,
    "get_anomalies": Permission.ANALYTICS_READ,
    "get_baseline": Permission.ANALYTICS_READ,
    "get_series": Permission.ANALYTICS_READ,
    "get_overview": Permission.ANALYTICS_READ,
    "list_metrics": Permission.ANALYTICS_READ,
    "list_history": Permission.ANALYTICS_READ,
    "get_history_stats": Permission.ANALYTICS_READ,
    "export_history": Permission.ANALYTICS_READ,
    "preview_retention": Permission.ANALYTICS_READ,
    "list_benchmarks": Permission.ANALYTICS_READ,
    "list_regressions": Permission.ANALYTICS_READ,
    "create_benchmark": Permission.ANALYTICS_WRITE,
    "clean_up_history": Permission.ANALYTICS_WRITE,
    "list_folder_roots": Permission.LIBRARY_READ,
    "list_scans": Permission.LIBRARY_READ,
    "get_scan": Permission.LIBRARY_READ,
    "list_folder": Permission.LIBRARY_READ,
    "list_scripts": Permission.LIBRARY_READ,
    "get_library_tree": Permission.LIBRARY_READ,
    "list_duplicates": Permission.LIBRARY_READ,
    "get_library_stats": Permission.LIBRARY_READ,
    "get_library_script": Permission.LIBRARY_READ,
    "get_script_content": Permission.LIBRARY_READ,
    "get_library_tokens": Permission.LIBRARY_READ,
    "get_script_notes": Permission.LIBRARY_READ,
    "list_script_versions": Permission.LIBRARY_READ,
    "get_script_version": Permission.LIBRARY_READ,
    "compare_script_versions": Permission.LIBRARY_READ,
    "compare_scripts": Permission.LIBRARY_READ,
    "list_script_runs": Permission.LIBRARY_READ,
    "list_tags": Permission.LIBRARY_READ,
    "set_script_status": Permission.LIBRARY_WRITE,
    "create_tag": Permission.LIBRARY_WRITE,
    "update_tag": Permission.LIBRARY_WRITE,
    "delete_tag": Permission.LIBRARY_WRITE,
    "attach_tag": Permission.LIBRARY_WRITE,
    "detach_tag": Permission.LIBRARY_WRITE,
    "tag_scripts": Permission.LIBRARY_WRITE,
    "create_folder_root": Permission.LIBRARY_ADMIN,
    "update_folder_root": Permission.LIBRARY_ADMIN,
    "delete_folder_root": Permission.LIBRARY_ADMIN,
    "start_scan": Permission.LIBRARY_ADMIN,
    "cancel_scan": Permission.LIBRARY_ADMIN,
    "run_library_script": Permission.RUN_START,
    "list_alerts": Permission.ALERT_READ,
    "list_alert_channels": Permission.ALERT_READ,
    "check_condition": Permission.ALERT_READ,
    "test_alert_channel": Permission.ALERT_WRITE,
    "acknowledge_alert": Permission.ALERT_WRITE,
    "list_mutes": Permission.ALERT_READ,
    "mute_alerts": Permission.ALERT_WRITE,
    "unmute_alerts": Permission.ALERT_WRITE,
    "list_tokens": Permission.TOKEN_READ,
    "create_token": Permission.TOKEN_WRITE,
    "revoke_token": Permission.TOKEN_WRITE,
    "list_audit": Permission.AUDIT_READ,
}

#: Role → permissions beyond ``ANYBODY``.
PERMISSIONS_BY_ROLE: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission) - {Permission.ANYBODY},
    Role.EVENT: frozenset({Permission.EVENT_FIRE}),
    Role.NONE: frozenset(),
}


class MissingPermissionError(ScriptRunnerError):
    """A route of the application has no permission."""


def check_routes(names: Iterable[str]) -> None:
    """Make sure that every route has a permission; called when an application is made.

    Args:
        names: Names of all routes of the application.

    Raises:
        MissingPermissionError: If some have none; the message names them.
    """
    missing = sorted(set(names) - PERMISSION_BY_ROUTE.keys())
    if missing:
        raise MissingPermissionError(
            f"no permission for the routes {', '.join(missing)}: add them to "
            "PERMISSION_BY_ROUTE in scriptrunner/access/roles.py"
        )


def permission_for(route_name: str) -> Permission:
    """Return the permission that a route needs.

    Raises:
        MissingPermissionError: If the route is not in the table.
    """
    try:
        return PERMISSION_BY_ROUTE[route_name]
    except KeyError:
        raise MissingPermissionError(f"no permission for {route_name}") from None


def list_permissions(caller: Caller) -> list[Permission]:
    """Return what ``caller`` may do, in alphabetical order."""
    return sorted(PERMISSIONS_BY_ROLE[caller.role])


def is_allowed(caller: Caller, permission: Permission) -> bool:
    """Return whether ``caller`` has ``permission``."""
    return (
        permission is Permission.ANYBODY
        or permission in PERMISSIONS_BY_ROLE[caller.role]
    )


def require_permission(caller: Caller, permission: Permission) -> None:
    """Let ``caller`` pass if it has ``permission``.

    Raises:
        ForbiddenError: If it has not.
    """
    if not is_allowed(caller, permission):
        raise ForbiddenError(
            f"This needs the permission {permission.value}, which the role "
            f"{caller.role.value} does not have"
        )
