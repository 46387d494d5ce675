"""``scriptrunner advisories``: the data that the dependency scan works with."""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import click

from scriptrunner.engine.scans.advisories import Advisories, AdvisoryDataError, load
from scriptrunner.engine.scans.refresh import refresh as convert
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.settings import load_settings

#: All advisories for Python packages, as the OSV project publishes them.
SOURCE = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
#: Bytes of the largest download.
MAX_DOWNLOAD_BYTES = 1 << 30
#: Seconds without a byte after which a download is given up.
TIMEOUT_SECONDS = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.group()
def advisories() -> None:
    """Fetch and show the list of known vulnerabilities.

    Scans never use the network: they read this list, and say how old it is.
    """


@advisories.command()
@click.option(
    "--from",
    "source",
    default=SOURCE,
    show_default=True,
    metavar="SOURCE",
    help="Address, file or folder with advisories in the OSV format.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: WEBAPI_ADVISORY_DB, else in the data folder]",
)
def refresh(source: str, target: Path | None) -> None:
    """Replace the list by the newest one."""
    target = target or _configured()
    if target.is_dir():
        raise click.ClickException(
            f"{target} is a folder; name a file with --to, or fill the folder yourself"
        )
    if target.suffix != ".gz":
        raise click.ClickException(f"{target}: the file's name must end in .json.gz")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        found = _refresh(source, target)
    except (AdvisoryDataError, OSError) as error:
        raise click.ClickException(f"The list is as it was: {error}") from None
    click.echo(f"{target}: {_describe(found)}")


@advisories.command()
def show() -> None:
    """Tell where the list is, how much is in it, and of when it is."""
    path = _configured()
    if not path.exists():
        raise click.ClickException(
            f"{path} is not there; make it with: scriptrunner advisories refresh"
        )
    try:
        found = load(str(path))
    except AdvisoryDataError as error:
        raise click.ClickException(f"{path}: {error}") from None
    click.echo(f"{path}: {_describe(found)}")
    unreadable = found.count_unreadable()
    if unreadable:
        click.echo(
            f"{unreadable} version texts in it are no versions and match nothing"
        )


def _configured() -> Path:
    try:
        return load_settings().advisory_path
    except ScriptRunnerError as error:
        raise click.ClickException(error.message) from None


def _describe(found: Advisories) -> str:
    newest = found.newest[:10] if found.newest else "an unknown date"
    return (
        f"{found.count} advisories on {found.package_count} packages,"
        f" the newest of {newest}"
    )


def _refresh(source: str, target: Path) -> Advisories:
    if "://" not in source:
        return convert(Path(source), target)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        name = Path(urlsplit(source).path).name or "download"
        file = Path(folder) / name
        _download(source, file)
        return convert(file, target)


def _download(url: str, file: Path) -> None:
    """Fetch a file over https (plain http only from this machine).

    Raises:
        OSError: If it cannot be had.
    """
    import httpx  # noqa: PLC0415 - only this command needs it

    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise OSError("only https addresses are fetched")
    try:
        with (
            httpx.stream("GET", url, timeout=TIMEOUT_SECONDS) as answer,
            file.open("wb") as out,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                out.write(chunk)
                if out.tell() > MAX_DOWNLOAD_BYTES:
                    raise OSError("the download is too large")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(
            f"{parts.hostname}: {str(error) or type(error).__name__}"
        ) from None
