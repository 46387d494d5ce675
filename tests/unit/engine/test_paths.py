import os
import sys
from pathlib import Path

import pytest

from scriptrunner.engine.paths import (
    AllowedRoots,
    FolderOutsideRootError,
    InvalidScriptPathError,
    InvalidWorkingDirError,
    NotPythonError,
    ScriptMissingError,
    ScriptNotAllowedError,
    ScriptOutsideRootError,
    SymlinkNotAllowedError,
    has_script_suffix,
    list_own_files,
)
from scriptrunner.engine.plan import ScriptRef


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.py", "b.pyw", "sub/c.py", "note.txt", "X.PY", "x.py.txt", ".py"):
        (folder / name).write_text("print()")
    (tmp_path / "secret.py").write_text("print()")
    return folder


@pytest.fixture
def roots(root: Path) -> AllowedRoots:
    return AllowedRoots([root])


@pytest.mark.parametrize(
    ("text", "relative"),
    [
        ("a.py", "a.py"),
        ("./a.py", "a.py"),
        ("b.pyw", "b.pyw"),
        ("sub/c.py", "sub/c.py"),
        ("sub/../a.py", "a.py"),
        ("missing/../a.py", "a.py"),
        ("sub//c.py", "sub/c.py"),
        ("ROOT/a.py", "a.py"),
        ("ROOT/sub/../sub/c.py", "sub/c.py"),
        ("/ROOT/a.py", "a.py"),  # two slashes
    ],
)
def test_scripts_below_a_root_are_found(roots, root, text, relative):
    text = text.replace("ROOT", str(root))
    found = roots.locate(text)
    assert (found.kind, found.root, found.relative) == ("file", str(root), relative)
    assert found.path == f"{root}/{relative}"
    assert found.shown_path == text
    assert found.name == Path(relative).name


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a\0.py", InvalidScriptPathError),
        ("a\n.py", InvalidScriptPathError),
        ("a\x1b[2J.py", InvalidScriptPathError),
        ("a\x85.py", InvalidScriptPathError),
        ("a\u2028.py", InvalidScriptPathError),
        ("\ud800.py", InvalidScriptPathError),
        ("x" * 4_097, InvalidScriptPathError),
        ("../../etc/passwd\0", InvalidScriptPathError),
        ("../secret.py", ScriptOutsideRootError),
        ("sub/../../secret.py", ScriptOutsideRootError),
        ("..", ScriptOutsideRootError),
        ("/etc/passwd", ScriptOutsideRootError),
        ("/missing/anywhere.py", ScriptOutsideRootError),
        ("ROOT/../secret.py", ScriptOutsideRootError),
        ("ROOT-not.py", ScriptOutsideRootError),
        ("/", ScriptOutsideRootError),
        ("", ScriptMissingError),
        ("missing.py", ScriptMissingError),
        ("missing.txt", ScriptMissingError),
        ("sub", ScriptMissingError),
        (".", ScriptMissingError),
        ("ROOT", ScriptMissingError),
        ("a.py/x.py", ScriptMissingError),
        ("x" * 300 + ".py", ScriptMissingError),
        ("~/a.py", ScriptMissingError),
        ("$HOME/a.py", ScriptMissingError),
        ("*.py", ScriptMissingError),
        ("file:///etc/passwd", ScriptMissingError),
        ("note.txt", NotPythonError),
        ("X.PY", NotPythonError),
        ("x.py.txt", NotPythonError),
        (".py", NotPythonError),
    ],
)
def test_every_other_path_is_refused_in_the_order_of_the_rules(
    roots, root, text, error
):
    with pytest.raises(error) as caught:
        roots.locate(text.replace("ROOT", str(root)))
    assert type(caught.value) is error
    assert str(root) not in caught.value.message


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (InvalidScriptPathError, "Invalid script path", "invalid_script_path"),
        (
            ScriptOutsideRootError,
            "Script must reside within the allowed root",
            "script_outside_root",
        ),
        (SymlinkNotAllowedError, "Symlinks are not allowed", "symlink_not_allowed"),
        (
            ScriptMissingError,
            "Script path must point to an existing file",
            "script_missing",
        ),
        (NotPythonError, "Only Python files are allowed", "not_python"),
        (
            ScriptNotAllowedError,
            "This file cannot be run as a script",
            "script_not_allowed",
        ),
        (
            InvalidWorkingDirError,
            "working_dir must be an existing directory",
            "invalid_working_dir",
        ),
        (
            FolderOutsideRootError,
            "working_dir must be an existing directory within the allowed root",
            "invalid_working_dir",
        ),
    ],
)
def test_errors_speak_the_words_of_the_api(error, message, code):
    assert (error().message, error().code) == (message, code)


def test_links_below_the_root_are_refused_wherever_they_lead(roots, root, tmp_path):
    (root / "inside.py").symlink_to("a.py")
    (root / "outside.py").symlink_to(tmp_path / "secret.py")
    (root / "folder").symlink_to("sub")
    (root / "dangling.py").symlink_to("nowhere.py")
    for text in ("inside.py", "outside.py", "folder/c.py", "dangling.py"):
        with pytest.raises(SymlinkNotAllowedError):
            roots.locate(text)


def test_a_fifo_is_refused_and_does_not_hold_us_up(roots, root):
    os.mkfifo(root / "fifo.py")
    with pytest.raises(ScriptMissingError):
        roots.locate("fifo.py")


def test_both_spellings_of_a_root_are_accepted(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    roots = AllowedRoots([tmp_path / "link"])
    for text in (f"{tmp_path}/link/a.py", f"{root}/a.py", "a.py"):
        found = roots.locate(text)
        assert (found.root, found.path) == (str(root), f"{root}/a.py")


def test_a_root_is_resolved_once(root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "late.py").write_text("")
    link = tmp_path / "link"
    link.symlink_to(root)
    roots = AllowedRoots([link])
    link.unlink()
    link.symlink_to(other)
    assert roots.locate(f"{link}/a.py").path == f"{root}/a.py"
    with pytest.raises(ScriptMissingError):
        roots.locate(f"{link}/late.py")


def test_relative_paths_are_tried_below_each_root_in_order(root, tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    (second / "a.py").write_text("")
    (second / "only.py").write_text("")
    roots = AllowedRoots([root, second])
    assert roots.locate("a.py").root == str(root)
    assert roots.locate("only.py").root == str(second)
    assert roots.roots == (str(root), str(second))


def test_relative_paths_never_mean_the_current_folder(roots, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScriptMissingError):
        roots.locate("secret.py")


def test_the_deepest_root_counts_when_roots_lie_in_each_other(root, tmp_path):
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.py").write_text("")
    roots = AllowedRoots([root, root / "linked"])
    # Through the outer root this would go through a link; the inner one was named.
    assert roots.locate(f"{root}/linked/d.py").root == str(tmp_path / "elsewhere")


def test_a_root_that_is_missing_or_no_folder_is_an_error(tmp_path, root):
    with pytest.raises(FileNotFoundError):
        AllowedRoots([tmp_path / "missing"])
    with pytest.raises(NotADirectoryError):
        AllowedRoots([root / "a.py"])


def test_the_whole_file_system_may_be_a_root(root):
    found = AllowedRoots([Path("/")]).locate(f"{root}/a.py")
    assert (found.root, found.path) == ("/", f"{root}/a.py")


def test_own_files_are_refused_after_all_other_checks(root):
    roots = AllowedRoots([root], forbidden=[root / "a.py", root / "sub"])
    for text in ("a.py", "sub/c.py", f"{root}/sub/c.py"):
        with pytest.raises(ScriptNotAllowedError):
            roots.locate(text)
    (root / "sub" / "t.txt").write_text("")
    with pytest.raises(NotPythonError):
        roots.locate("sub/t.txt")
    assert roots.locate("b.pyw").name == "b.pyw"


def test_own_files_are_recognised_under_another_name(root):
    os.link(root / "a.py", root / "copy.py")
    roots = AllowedRoots([root], forbidden=[root / "a.py"])
    with pytest.raises(ScriptNotAllowedError):
        roots.locate("copy.py")


def test_own_files_need_not_exist_yet(root):
    roots = AllowedRoots([root], forbidden=[root / "data"])
    (root / "data").mkdir()
    (root / "data" / "x.py").write_text("")
    with pytest.raises(ScriptNotAllowedError):
        roots.locate("data/x.py")


def locate_own(project: Path, text: str, *, data_dir: Path, root: Path):
    forbidden = list_own_files(project, data_dir=data_dir, roots=[root])
    return AllowedRoots([root], forbidden=forbidden).locate(text)


def make_tree(project: Path) -> None:
    for name in (
        "runner.py",
        "mine.py",
        "WEBAPI/api.py",
        "scriptrunner/engine/shim.py",
        "data/evil.py",
        "data/runs/1/upload.py",
        "data/mine/ok.py",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")


@pytest.mark.parametrize(
    "text",
    [
        "runner.py",
        "WEBAPI/api.py",
        "scriptrunner/engine/shim.py",
        "data/evil.py",
        "data/runs/1/upload.py",
    ],
)
def test_the_services_programs_and_data_cannot_be_run(tmp_path, text):
    make_tree(tmp_path)
    with pytest.raises(ScriptNotAllowedError):
        locate_own(tmp_path, text, data_dir=tmp_path / "data", root=tmp_path)
    found = locate_own(tmp_path, "mine.py", data_dir=tmp_path / "data", root=tmp_path)
    assert found.name == "mine.py"


@pytest.mark.parametrize(
    ("root", "text", "allowed"),
    [
        ("data", "evil.py", True),
        ("data", "runs/1/upload.py", False),
        ("data/mine", "ok.py", True),
        ("data/runs/1", "upload.py", False),
    ],
)
def test_a_root_named_in_the_data_folder_works_but_for_the_runs(
    tmp_path, root, text, allowed
):
    make_tree(tmp_path)
    if not allowed:
        with pytest.raises(ScriptNotAllowedError):
            locate_own(tmp_path, text, data_dir=tmp_path / "data", root=tmp_path / root)
        return
    found = locate_own(tmp_path, text, data_dir=tmp_path / "data", root=tmp_path / root)
    assert found.relative == text


def test_the_python_environment_cannot_be_run():
    library = Path(os.__file__).parent
    roots = AllowedRoots(
        [library],
        forbidden=list_own_files(Path("/nowhere"), data_dir=Path("/none"), roots=[]),
    )
    with pytest.raises(ScriptNotAllowedError):
        roots.locate("this.py")
    own = list_own_files(Path("/nowhere"), data_dir=Path("/none"), roots=[])
    assert (Path(sys.prefix) in own) == (sys.prefix != sys.base_prefix)


@pytest.mark.parametrize(
    ("text", "relative"), [("sub", "sub"), ("ROOT/sub", "sub"), ("ROOT", ""), (".", "")]
)
def test_working_folders_below_a_root_are_found(roots, root, text, relative):
    text = text.replace("ROOT", str(root))
    found = roots.get_folder(text)
    assert (found.root, found.relative) == (str(root), relative)
    assert roots.get_folder(text).path == str(root / relative)


@pytest.mark.parametrize("text", ["/", "/etc", "..", "../..", "sub/../../x"])
def test_working_folders_outside_are_refused_as_such(roots, text):
    with pytest.raises(FolderOutsideRootError):
        roots.get_folder(text)


@pytest.mark.parametrize("text", ["", "a.py", "missing", "sub\0", "sub\n", "\ud800"])
def test_what_is_no_folder_is_refused(roots, text):
    with pytest.raises(InvalidWorkingDirError):
        roots.get_folder(text)


def test_working_folders_are_not_reached_through_links(roots, root):
    (root / "link").symlink_to("sub")
    with pytest.raises(InvalidWorkingDirError, match="without symlinks"):
        roots.get_folder("link")


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("a.py", True),
        ("a.pyw", True),
        (".pyx.py", True),
        ("a.PY", False),
        ("a.py ", False),
        ("py", False),
        (".py", False),
        (".pyw", False),
        ("a.pyc", False),
    ],
)
def test_the_suffix_is_exact(name, accepted):
    assert has_script_suffix(name) is accepted


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({}, []),
        ({"": 0o775}, ["Other users can change the allowed root"]),
        ({"sub": 0o777}, ["Other users can change 'sub'"]),
        ({"sub": 0o1777}, []),
        ({"sub/c.py": 0o666}, ["Other users can change 'sub/c.py'"]),
        ({"a.py": 0o666}, []),
    ],
)
def test_what_others_can_change_is_warned_of(roots, root, changes, warnings):
    for name in ("", "sub", "sub/c.py"):
        (root / name).chmod(0o755)
    for name, mode in changes.items():
        (root / name).chmod(mode)
    assert roots.find_warnings(roots.locate("sub/c.py")) == warnings


def test_a_hard_link_to_a_foreign_file_is_warned_of(roots, root, monkeypatch):
    for name in ("", "a.py"):
        (root / name).chmod(0o755)
    script = roots.locate("a.py")
    os.link(root / "a.py", root / "other.py")
    assert roots.find_warnings(script) == []
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000_000)
    assert roots.find_warnings(script) == [
        "'a.py' is a hard link to a file of another user"
    ]


def test_uploads_give_no_warnings(roots):
    upload = ScriptRef(kind="upload", shown_path="upload:x.py", name="x.py")
    assert roots.find_warnings(upload) == []
