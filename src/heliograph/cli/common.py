"""What all commands share: options, errors that name the mend, output for people or for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from heliograph import config
from heliograph.cli import logs, show
from heliograph.cli.remote import RemoteError
from heliograph.store.vault import VaultError

Data = Annotated[str | None, typer.Option("--data", help="Data folder (default ./heliograph-data).")]
Listen = Annotated[str | None, typer.Option("--listen", help="HOST:PORT of the server (default 127.0.0.1:8080).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Key = Annotated[str | None, typer.Option("--key", help="Service key (or HELIOGRAPH_KEY).")]


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal is told in a sentence, with exit status 1."""
    try:
        yield
    except (config.ConfigError, RemoteError, VaultError) as error:
        show.errors.print(f"heliograph: {error}", style="red", markup=False)
        raise typer.Exit(1) from error


def settings_of(**given: str | None) -> config.Config:
    """The settings, with those of the command line; the log is set up by them. Raises `ConfigError`."""
    settings = config.load({name.upper(): value for name, value in given.items()})
    logs.configure(settings.log)
    return settings


def printed(value: Any, as_json: bool, human: Callable[[Any], None]) -> None:
    """The answer as JSON, or as `human` shows it."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    else:
        human(value)
