"""Fetch the dashboard's third-party files and record where each came from.

Run ``python tools/vendor.py`` after a change of ``vendor.toml``. It needs npm (only
``npm pack``: nothing is installed and no script of a package runs) and rewrites
``scriptrunner/web/static/vendor/``, ``icons.svg`` and ``THIRD_PARTY.md``.

For each package: fetch the archive, compare its sha512 with the registry's and with the
one locked earlier for this version, copy the listed files and the licence, turn bare
import specifiers into relative ones, drop source-map lines, and make modules of scripts
that only define a name.
"""

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
STATIC = PROJECT / "scriptrunner" / "web" / "static"
VENDOR = STATIC / "vendor"
LOCK = VENDOR / "vendor.lock.json"
NOTICE = PROJECT / "THIRD_PARTY.md"

_IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'.][^"']*)\2""")
_SOURCE_MAP = re.compile(r"\s*//# sourceMappingURL=\S+\s*$")


def main() -> None:
    """Rewrite the vendor folder from ``vendor.toml``."""
    plan = tomllib.loads((PROJECT / "tools" / "vendor.toml").read_text("utf-8"))
    locked = _locked_integrity()
    VENDOR.mkdir(parents=True, exist_ok=True)
    for old in VENDOR.iterdir():
        old.unlink()
    entries = [
        _vendor(package, plan["specifiers"], locked) for package in plan["package"]
    ]
    LOCK.write_text(json.dumps({"packages": entries}, indent=2) + "\n", "utf-8")
    NOTICE.write_text(notice(entries), "utf-8")


def notice(entries: list[dict[str, Any]]) -> str:
    """Return the text of ``THIRD_PARTY.md`` for the packages of a lock."""
    rows = [
        f"| [{each['name']}](https://www.npmjs.com/package/{each['name']}) "
        f"| {each['version']} | {each['purpose']} "
        f"| [{each['licence']}](scriptrunner/web/static/vendor/{each['licence_file']}) |"
        for each in entries
    ]
    head = [
        "# Third-party files in this repository",
        "",
        "The dashboard ships these files; everything else is installed by pip.",
        "Written by `python tools/vendor.py`; do not edit.",
        "",
        "| package | version | used for | licence |",
        "|---|---|---|---|",
    ]
    tail = [
        "",
        "Each licence is in the file it links to, as its authors wrote it.",
        "",
        "`scriptrunner/engine/steps/prices.json` holds list prices of cloud providers: facts",
        "that we have typed in, each with its day and the page it is from. The lists of known",
        "vulnerabilities that `scriptrunner advisories refresh` fetches are not part of this",
        "repository; they come from the OSV project under the licences of their sources.",
    ]
    return "\n".join([*head, *rows, *tail]) + "\n"


def _vendor(
    package: dict[str, Any], specifiers: dict[str, str], locked: dict[str, str]
) -> dict[str, Any]:
    """Write one package's files and return its entry in the lock."""
    spec = f"{package['name']}@{package['version']}"
    archive, integrity = _fetch(spec)
    if locked.get(spec, integrity) != integrity:
        sys.exit(f"{spec}: the registry's archive differs from the locked one")
    licence_file = (
        f"LICENSE-{re.sub(r'[^a-z0-9]+', '-', package['name']).strip('-')}.txt"
    )
    written = {f"vendor/{licence_file}": archive["LICENSE"]}
    for source, target in package.get("files", {}).items():
        content = archive[source]
        if target.endswith(".js"):
            text = _rewritten(content.decode("utf-8"), specifiers)
            if exported := package.get("exports", {}).get(target):
                text += f"export default {exported};\n"
            content = text.encode("utf-8")
        written[f"vendor/{target}"] = content
    if "icons" in package:
        written["icons.svg"] = _sprite(archive, package["icons"])
    for name, content in written.items():
        (STATIC / name).write_bytes(content)
    return {
        "name": package["name"],
        "version": package["version"],
        "licence": package["licence"],
        "licence_file": licence_file,
        "purpose": package["purpose"],
        "integrity": integrity,
        "files": {name: _sha256(content) for name, content in sorted(written.items())},
    }


def _fetch(spec: str) -> tuple[dict[str, bytes], str]:
    """Return the files of a package, by path, and its checked integrity."""
    with tempfile.TemporaryDirectory() as folder:
        answer = _npm("pack", spec, "--json", "--ignore-scripts", cwd=folder)
        name = json.loads(answer)[0]["filename"]
        content = (Path(folder) / name).read_bytes()
    integrity = _npm("view", spec, "dist.integrity").strip()
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if integrity != f"sha512-{digest}":
        sys.exit(f"{spec}: the archive does not match the registry's sha512")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [each for each in archive.getmembers() if each.isfile()]
        return {
            each.name.partition("/")[2]: archive.extractfile(each).read()  # type: ignore[union-attr]
            for each in members
        }, integrity


def _npm(*arguments: str, cwd: str | None = None) -> str:
    """Return what npm prints."""
    return subprocess.run(
        ["npm", *arguments], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


def _rewritten(source: str, specifiers: dict[str, str]) -> str:
    """Return a module with relative imports and without its source-map line."""

    def relative(match: re.Match[str]) -> str:
        name = match[3]
        if name not in specifiers:
            sys.exit(f"no file is known for the import {name!r}")
        return f"{match[1]}{match[2]}./{specifiers[name]}{match[2]}"

    return _SOURCE_MAP.sub("", _IMPORT.sub(relative, source)).rstrip() + "\n"


def _sprite(archive: dict[str, bytes], names: list[str]) -> bytes:
    """Return an SVG file with one symbol per icon, drawn in the current colour."""
    symbols = []
    for name in sorted(names):
        drawing = archive[f"icons/{name}.svg"].decode("utf-8")
        inner = drawing[
            drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("<")
        ]
        shapes = " ".join(inner.split()).replace("> <", "><")
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
            f"{shapes}</symbol>"
        )
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'.encode()


def _locked_integrity() -> dict[str, str]:
    """Return the integrity locked earlier, by ``name@version``."""
    if not LOCK.exists():
        return {}
    packages = json.loads(LOCK.read_text("utf-8"))["packages"]
    return {f"{each['name']}@{each['version']}": each["integrity"] for each in packages}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
