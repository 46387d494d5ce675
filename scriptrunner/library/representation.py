"""The library as JSON: the keys and values of the API, in plain dictionaries."""

from typing import Any

from scriptrunner.clock import to_text
from scriptrunner.library.models import (
    DuplicateGroup,
    DuplicateRule,
    LibraryStats,
    Root,
    Scan,
    Script,
    ScriptPage,
    Tag,
    Version,
)
from scriptrunner.runs.representation import time_to_json


def root_to_json(root: Root) -> dict[str, Any]:
    """Return a root with its counts and its newest scan."""
    return {
        "id": root.id,
        "path": root.path,
        "name": root.name,
        "recursive": root.options.recursive,
        "include_patterns": root.options.include_patterns,
        "exclude_patterns": root.options.exclude_patterns,
        "gitignore": root.options.gitignore,
        "watch": root.options.watch,
        "last_scan_at": time_to_json(root.last_scan_at),
        "created_at": time_to_json(root.created_at),
        "script_count": root.script_count,
        "missing_count": root.missing_count,
        "last_scan": None if root.last_scan is None else scan_to_json(root.last_scan),
    }


def scan_to_json(scan: Scan) -> dict[str, Any]:
    """Return a scan."""
    counts = scan.counts
    return {
        "id": scan.id,
        "root_id": scan.root_id,
        "started_at": time_to_json(scan.started_at),
        "ended_at": time_to_json(scan.ended_at),
        "status": scan.status,
        "reason": scan.reason,
        "error_message": scan.error_message,
        "seen_count": counts.seen_count,
        "new_count": counts.new_count,
        "updated_count": counts.updated_count,
        "deleted_count": counts.deleted_count,
        "unchanged_count": counts.unchanged_count,
        "skipped_count": counts.skipped_count,
        "error_count": counts.error_count,
        "progress": scan.progress,
        "current_path": scan.current_path,
        "resumed_from": scan.resumed_from,
    }


def script_to_json(script: Script) -> dict[str, Any]:
    """Return a script as lists show it."""
    return {
        "id": script.id,
        "root_id": script.root_id,
        "path": script.path,
        "relative_path": script.relative,
        "name": script.name,
        "extension": script.extension,
        "language": script.language,
        "size": script.size,
        "mtime": to_text(script.mtime),
        "line_count": script.line_count,
        "missing_flag": script.missing_flag,
        "created_at": to_text(script.created_at),
        "updated_at": to_text(script.updated_at),
        "lifecycle_status": script.lifecycle_status,
        "owner": script.owner,
        "environment": script.environment,
        "tags": [tag.name for tag in script.tags],
        "sha256": script.sha256,
    }


def detail_to_json(script: Script, *, last_run: Any) -> dict[str, Any]:
    """Return all about one script; ``last_run`` is JSON already, or None."""
    values = script_to_json(script)
    values["script_id"] = script.id
    values["status"] = script.lifecycle_status
    values["notes"] = script.notes
    values["tags"] = [
        {"id": tag.id, "name": tag.name, "color": tag.color} for tag in script.tags
    ]
    values["last_run"] = last_run
    return values


def page_to_json(page: ScriptPage) -> dict[str, Any]:
    """Return a page of a list of scripts."""
    return {
        "items": [script_to_json(each) for each in page.items],
        "total": page.total,
        "page": page.page,
        "page_size": page.page_size,
        "total_pages": page.total_pages,
        "total_is_exact": page.total_is_exact,
    }


def tag_to_json(tag: Tag) -> dict[str, Any]:
    """Return a tag with the number of its scripts."""
    return {
        "id": tag.id,
        "name": tag.name,
        "color": tag.color,
        "created_at": to_text(tag.created_at),
        "script_count": tag.script_count,
    }


def version_to_json(version: Version) -> dict[str, Any]:
    """Return a version of a script."""
    return {
        "sha256": version.sha256,
        "size": version.size,
        "first_seen_at": to_text(version.first_seen_at),
        "last_seen_at": time_to_json(version.last_seen_at),
        "current": version.is_current,
        "available": version.is_available,
        "runs": version.runs,
        "source": version.source,
    }


def group_to_json(group: DuplicateGroup) -> dict[str, Any]:
    """Return a group of duplicates; name, size and lines are those of its first."""
    first = group.members[0]
    hashes = [script.sha256 for script in group.members]
    is_near = group.rule is DuplicateRule.NEAR
    return {
        "rule": group.rule.value,
        "name": first.name,
        "size": first.size,
        "line_count": first.line_count,
        "count": len(group.members),
        "paths": [script.path for script in group.members],
        "ids": [script.id for script in group.members],
        "identical": not is_near and len(set(hashes)) == 1,
        "sha256": hashes,
        "similarity": group.similarity,
    }


def stats_to_json(stats: LibraryStats) -> dict[str, Any]:
    """Return the figures of the library."""
    return {
        "total_scripts": stats.total_scripts,
        "missing_scripts": stats.missing_scripts,
        "by_language": dict(stats.by_language),
        "by_lifecycle_status": dict(stats.by_lifecycle_status),
        "total_tags": stats.total_tags,
        "total_roots": stats.total_roots,
        "duplicate_groups": stats.duplicate_groups,
    }
