"""`heliograph profiles`: profiles in bulk, and people who want to be forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from heliograph.cli import show
from heliograph.cli.bulk.profiles import export_profiles, import_profiles
from heliograph.cli.common import Data, Json, Listen, printed, refusals, settings_of
from heliograph.cli.remote import Remote

profiles = typer.Typer(help="Profiles in bulk.", no_args_is_help=True, rich_markup_mode=None)

OfTenant = Annotated[str, typer.Option("--tenant", help="Whose profiles.")]
OfApp = Annotated[str, typer.Option("--app", help="Profiles of this app; left out, customers.")]


@profiles.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A file of CSV (.csv), or of JSON lines as `export` writes them.")],
    tenant: OfTenant,
    of_app: OfApp = "",
    act: Annotated[str, typer.Option(help="put (create what is not there, change what is), create, update.")] = "put",
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the profiles of a file, and beside it what became of each; exit status 1 when one was not written."""
    with refusals():
        remote = Remote(settings_of(listen=listen, data=data))
        counts = import_profiles(remote, tenant, file, app=of_app, act=act)
        printed(counts, as_json, show.profiles_imported)
        if counts["failed"]:
            raise typer.Exit(1)


@profiles.command("export")
def export_command(
    file: Annotated[str, typer.Argument(help="Where to; `-` is the output.")],
    tenant: OfTenant,
    of_app: OfApp = "",
    form: Annotated[str, typer.Option("--format", help="csv or ndjson; left out, by the file's ending.")] = "",
    listen: Listen = None,
    data: Data = None,
) -> None:
    """Write all profiles of a tenant to a file, which `import` can read; tokens of users are left out."""
    with refusals():
        count = export_profiles(Remote(settings_of(listen=listen, data=data)), tenant, file, app=of_app, form=form)
        show.errors.print(f"{count} profiles were exported", markup=False)


@profiles.command("erase")
def erase_command(
    tenant: OfTenant,
    customer: Annotated[str, typer.Argument(help="The customer's id.")] = "",
    address: Annotated[
        list[str] | None, typer.Option(help="An address of the person; may be given several times.")
    ] = None,
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Forget a person: profiles, addresses, texts and inbound messages. Exit status 1 when messages are still on
    their way: call it again once they ended."""
    with refusals():
        body = {"customerId": customer, "addresses": address or []}
        remote = Remote(settings_of(listen=listen, data=data))
        answer = remote.admin("POST", f"/tenants/{tenant}/erasures", json=body, timeout=None)
        printed(answer, as_json, show.erased)
        if answer["waiting"]:
            raise typer.Exit(1)
