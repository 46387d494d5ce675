"""The dashboard's files: complete, referenced, unchanged, and without forbidden code."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from scriptrunner.web.assets import (
    STATIC_FOLDER,
    Assets,
    dynamic_imports,
    read_assets,
    static_imports,
)
from tools.vendor import NOTICE, notice

OWN_FILES = [
    path
    for path in sorted(STATIC_FOLDER.rglob("*"))
    if path.is_file() and "vendor" not in path.parts
]
MODULES = [path for path in OWN_FILES if path.suffix == ".js"]
LOCK = json.loads((STATIC_FOLDER / "vendor" / "vendor.lock.json").read_text())


def name_of(path: Path) -> str:
    return path.relative_to(STATIC_FOLDER).as_posix()


def test_version_changes_with_any_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a {}")
    before = read_assets(tmp_path).version
    (tmp_path / "a.css").write_text("a { color: red }")
    after = read_assets(tmp_path).version
    assert before != after
    assert re.fullmatch(r"[0-9a-f]{12}", after)


def test_modules_are_listed_once_and_nearest_first(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "main.js").write_text(
        'import { a } from "./lib/a.js";\nimport "./b.js";'
    )
    (tmp_path / "b.js").write_text('export { c } from "./lib/c.js";')
    (tmp_path / "lib" / "a.js").write_text("import { c } from './c.js';")
    (tmp_path / "lib" / "c.js").write_text("export const c = 1;")
    assets = read_assets(tmp_path)
    assert assets.modules_of("main.js") == ["main.js", "lib/a.js", "b.js", "lib/c.js"]


def test_import_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text('import "./gone.js";')
    with pytest.raises(ValueError, match=r"main\.js imports gone\.js"):
        read_assets(tmp_path)


def test_file_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.exe").write_text("")
    with pytest.raises(ValueError, match="no content type"):
        read_assets(tmp_path)


def test_imports_in_comments_do_not_count() -> None:
    source = """
    // import "./one.js";
    /* import "./two.js"; */
    import { x } from './three.js'; // from './four.js'
    const later = () => import('./five.js');
    """
    assert static_imports("js/main.js", source) == ("js/three.js",)
    assert dynamic_imports("js/main.js", source) == ("js/five.js",)


def test_development_reads_changed_files_again(tmp_path: Path) -> None:
    path = tmp_path / "a.css"
    path.write_text("a {}")
    assets = Assets(tmp_path, development=True)
    before = assets.current()
    path.write_text("b {}")
    os.utime(path, ns=(1, 1))
    assert assets.current().version != before.version


def test_served_files_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.css"
    path.write_text("a {}")
    assets = Assets(tmp_path)
    path.write_text("b {}")
    assert assets.current().files["a.css"].content == b"a {}"


def test_every_later_import_has_its_file() -> None:
    files = read_assets(STATIC_FOLDER).files
    missing = [
        (name_of(path), target)
        for path in MODULES
        for target in dynamic_imports(name_of(path), path.read_text())
        if target not in files
    ]
    assert missing == []


def test_every_module_is_used() -> None:
    used = {"js/main.js", *(n for n in map(name_of, MODULES) if "/worker/" in n)}
    for path in MODULES:
        source, name = path.read_text(), name_of(path)
        used.update(static_imports(name, source), dynamic_imports(name, source))
    assert {name_of(path) for path in MODULES} <= used


@pytest.mark.parametrize("path", OWN_FILES, ids=name_of)
def test_files_hold_nothing_that_the_policy_forbids(path: Path) -> None:
    forbidden = re.compile(
        r"""\sstyle="|\son[a-z]+="|innerHTML|outerHTML|insertAdjacentHTML"""
        r"""|\beval\(|new\s+Function|document\.write\b"""
        r"""|https?://(?!www\.w3\.org/2000/svg)""",
    )
    assert forbidden.findall(path.read_text()) == []


def test_only_the_calls_of_the_api_and_the_stream_fetch() -> None:
    fetching = [
        name_of(path)
        for path in MODULES
        if re.search(r"(?<![.\w])fetch\(", path.read_text())
    ]
    assert fetching == ["js/lib/api.js", "js/lib/live-hub.js"]


def test_each_vendored_library_is_named_by_one_module() -> None:
    naming: dict[str, set[str]] = {}
    for path in MODULES:
        for vendored in re.findall(r"/vendor/([\w-]+)\.js", path.read_text()):
            naming.setdefault(vendored, set()).add(name_of(path))
    view = {"preact", "preact-hooks", "signals", "htm"}
    assert {each: naming.pop(each) for each in view} == {
        each: {"js/lib/ui.js"} for each in view
    }
    assert naming["uplot"] == {"js/ui/series-chart.js"}
    assert {each: len(modules) for each, modules in naming.items()} == dict.fromkeys(
        naming, 1
    )


def test_every_icon_is_in_the_sprite() -> None:
    sprite = set(
        re.findall(r'<symbol id="([^"]+)"', (STATIC_FOLDER / "icons.svg").read_text())
    )
    named = {
        icon
        for path in MODULES
        for icon in re.findall(
            r"""(?:<\$\{Icon\} name|\bicon)(?:=|: )["']([a-z0-9-]+)["']""",
            path.read_text(),
        )
    }
    assert named - sprite == set()
    assert len(named) > 20


def test_budget_of_the_first_page() -> None:
    """At most 30 modules and 120 KB by gzip, so that the page is there at once."""
    assets = read_assets(STATIC_FOLDER)
    modules = assets.modules_of("js/main.js", "js/pages/runner.js")
    sent = sum(len(assets.files[each].compressed or b"") for each in modules)
    assert len(modules) <= 30
    assert sent <= 120_000


@pytest.mark.parametrize("package", LOCK["packages"], ids=lambda each: each["name"])
def test_vendored_files_are_those_of_the_lock(
    package: dict[str, dict[str, str]],
) -> None:
    for name, digest in package["files"].items():
        content = (STATIC_FOLDER / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, name


def test_nothing_else_lies_in_the_vendor_folder() -> None:
    locked = {name for package in LOCK["packages"] for name in package["files"]}
    there = {name_of(each) for each in (STATIC_FOLDER / "vendor").iterdir()}
    assert there - {"vendor/vendor.lock.json"} == locked - {"icons.svg"}


def test_notice_is_that_of_the_lock() -> None:
    assert NOTICE.read_text() == notice(LOCK["packages"])
