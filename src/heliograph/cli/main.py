"""The commands. Exit status 0 is success, 1 a refusal, 2 a usage error; errors name the thing and the mend."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from heliograph import __version__, catalogue, config
from heliograph.channels import stand_ins, stand_ins_by_channel
from heliograph.cli import show
from heliograph.cli.bulk.commands import profiles
from heliograph.cli.bulk.dnd import import_list
from heliograph.cli.common import Data, Json, Key, Listen
from heliograph.cli.common import printed as _print
from heliograph.cli.common import refusals as _refusals
from heliograph.cli.common import settings_of as _settings
from heliograph.cli.demo import demo_document, introduce
from heliograph.cli.doctor import examine
from heliograph.cli.moving import move_all
from heliograph.cli.parts.commands import events, rerun, rules
from heliograph.cli.parts.processes import Inherited
from heliograph.cli.remote import Remote, moment
from heliograph.cli.serve import read_document, serve, serve_many
from heliograph.cli.simulators import SimulatorBusy, Simulators
from heliograph.model.ids import parse_transid

app = typer.Typer(
    help="Heliograph: one Messaging API over many channels, with a status code for everything that can happen.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

dnd = typer.Typer(help="The do-not-disturb lists.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dnd, name="dnd")
app.add_typer(profiles, name="profiles")
app.add_typer(events, name="events")
app.add_typer(rules, name="rules")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"heliograph {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command("serve")
def serve_command(
    listen: Listen = None,
    data: Data = None,
    workspace: Annotated[Path | None, typer.Option(help="Workspace file to apply at start.")] = None,
    roles: Annotated[str | None, typer.Option(help="Of api,worker,console,simulators; all by default.")] = None,
    processes: Annotated[int | None, typer.Option(help="How many processes share the work; 1 by default.")] = None,
    inherited: Annotated[str, typer.Option(hidden=True, help="Descriptors that a supervisor passes on.")] = "",
) -> None:
    """Run the platform until SIGTERM, which drains it."""
    with _refusals():
        count = None if processes is None else str(processes)
        settings = _settings(listen=listen, data=data, roles=roles, processes=count)
        if inherited:
            serve(settings, workspace, inherited=Inherited.of(inherited))
        elif settings.processes > 1:
            serve_many(settings, workspace)
        else:
            serve(settings, workspace)


@app.command()
def demo(listen: Listen = None, data: Data = None) -> None:
    """Run the platform with the demo workspace, send a message and show its timeline."""
    with _refusals():
        settings = _settings(listen=listen, data=data)
        serve(settings, then=lambda platform: introduce(platform, demo_document(settings.url)))


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="Workspace file, YAML or JSON.")],
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Declare the workspace: all of the file or, with an error, nothing."""
    with _refusals():
        document = read_document(file)
        answer = Remote(_settings(listen=listen, data=data)).admin("PUT", "/workspace", json=document)

        def human(value: Any) -> None:
            show.changes(value["changes"], applied=True)
            for name, key in value["made_keys"].items():
                show.console.print(f"service key made for {name} (shown once): {key}")

        _print(answer, as_json, human)


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(help="Workspace file, YAML or JSON.")],
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what `apply` would change."""
    with _refusals():
        document = read_document(file)
        answer = Remote(_settings(listen=listen, data=data)).admin("PUT", "/workspace?plan=true", json=document)
        _print(answer, as_json, lambda value: show.changes(value["changes"], applied=False))


@app.command()
def export(
    secrets: Annotated[bool, typer.Option("--secrets", help="Show secrets instead of ***.")] = False,
    listen: Listen = None,
    data: Data = None,
) -> None:
    """Write the workspace out as JSON."""
    with _refusals():
        path = "/workspace?secrets=true" if secrets else "/workspace"
        answer = Remote(_settings(listen=listen, data=data)).admin("GET", path)
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")


@app.command()
def send(
    to: Annotated[list[str], typer.Argument(help="Destinations, for SMS phone numbers.")],
    key: Key = None,
    text: Annotated[str, typer.Option(help="The text.")] = "",
    sender: Annotated[str, typer.Option(help="Sender id; the service's own by default.")] = "",
    template: Annotated[str, typer.Option(help="Template id instead of a text.")] = "",
    listen: Listen = None,
    as_json: Json = False,
) -> None:
    """Send an SMS through the Messaging API."""
    with _refusals():
        fields = {name: value for name, value in (("text", text), ("senderid", sender)) if value}
        body: dict[str, Any] = {"deliverychannel": "sms", "destination": [{"msisdn": to}]}
        if fields:
            body["channels"] = {"sms": fields}
        if template:
            body["message"] = {"template": template}
        settings = _settings(listen=listen, key=key)
        answer = Remote(settings).message(json.dumps(body).encode(), settings.key)["response"]
        _print(answer, as_json, _show_response)
        if isinstance(answer, dict) or any(element["code"] != "1001" for element in answer):
            raise typer.Exit(1)


def _show_response(response: Any) -> None:
    for element in response if isinstance(response, list) else [response]:
        show.console.print(f"{element['transid']}  {element['code']} {element['description']}", markup=False)


@app.command()
def status(
    transid: Annotated[str, typer.Argument(help="A transid, or a bare UUID for all of a call.")],
    key: Key = None,
    listen: Listen = None,
    as_json: Json = False,
) -> None:
    """Ask the status API what became of a transaction."""
    with _refusals():
        settings = _settings(listen=listen, key=key)
        answer = Remote(settings).status(transid, settings.key)
        if isinstance(answer, dict):
            _print(answer, as_json, lambda value: _show_response(value["response"]))
            raise typer.Exit(1)
        _print(answer, as_json, show.records)


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="A transid, or a file with the body of a Messaging call.")],
    service: Annotated[str, typer.Option(help="For a file: the service that would send it.")] = "",
    tenant: Annotated[str, typer.Option(help="For a file: the service's tenant, where its id leaves a doubt.")] = "",
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show every gate a message passed, what decided, every attempt, receipt and callback; of a call in a file,
    what would become of it, without sending it."""
    with _refusals():
        remote = Remote(_settings(listen=listen, data=data))
        if not Path(what).is_file():
            _print(remote.admin("GET", f"/messages/{what}"), as_json, show.story)
            return
        answer = remote.explain(Path(what).read_bytes(), service, tenant)
        _print(answer, as_json, show.explained)
        if not answer["accepted"]:
            raise typer.Exit(1)


@app.command()
def tail(listen: Listen = None, data: Data = None, as_json: Json = False) -> None:
    """Follow what happens, until interrupted."""
    with _refusals(), contextlib.suppress(KeyboardInterrupt):
        for event in Remote(_settings(listen=listen, data=data)).lines("/tail"):
            if as_json:
                sys.stdout.write(json.dumps(event) + "\n")
                sys.stdout.flush()
            else:
                show.event(event)


@app.command()
def replay(
    callback: Annotated[
        str, typer.Argument(help="A callback's id, or `parked` for all parked ones; or an event's id or transid.")
    ],
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send a callback again, or run an event again."""
    if callback.isdecimal() or parse_transid(callback):
        rerun(callback, listen=listen, data=data, as_json=as_json)
        return
    with _refusals():
        path = "/callbacks/replay" if callback == "parked" else f"/callbacks/{callback}/replay"
        answer = Remote(_settings(listen=listen, data=data)).admin("POST", path, json={})
        _print(answer, as_json, lambda value: show.console.print(f"{value['replayed']} callbacks are sent again"))


@dnd.command("import")
def dnd_import(
    file: Annotated[Path, typer.Argument(help="CSV with the columns address, channel, category, reason, expires.")],
    tenant: Annotated[str, typer.Option(help="Whose list.")],
    channel: Annotated[str, typer.Option(help="For rows that name none; left out, every channel.")] = "",
    outcome: Annotated[Path | None, typer.Option(help="Where to write what became of each row.")] = None,
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put the addresses of a file on a tenant's do-not-disturb list; exit status 1 when a row was refused."""
    with _refusals():
        defaults = {"channel": channel} if channel else {}
        target = outcome or file.with_name(f"{file.name}.outcome.csv")
        counts = import_list(Remote(_settings(listen=listen, data=data)), tenant, file, target, defaults)
        _print(counts, as_json, show.imported)
        if counts["refused"]:
            raise typer.Exit(1)


@app.command()
def whatif(
    policy: Annotated[Path, typer.Option(help="YAML or JSON: members of the tenant as they might be.")],
    tenant: Annotated[str, typer.Option(help="Whose messages.")],
    since: Annotated[str, typer.Option("--from", help="A moment, or how long ago: 24h, 7d.")] = "7d",
    until: Annotated[str, typer.Option("--to", help="A moment, or how long ago.")] = "",
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Replay the messages of a tenant against other policies, and say what would differ; nothing is sent."""
    with _refusals():
        span = {"from": moment(since, "--from"), **({"to": moment(until, "--to")} if until else {})}
        remote = Remote(_settings(listen=listen, data=data))
        document = read_document(policy)
        answer = remote.admin("POST", f"/tenants/{tenant}/whatif", params=span, json=document)
        _print(answer, as_json, show.differences)


@app.command()
def codes(
    code: Annotated[str, typer.Argument(help="A code, e.g. 7207; all when left out.")] = "",
    as_json: Json = False,
) -> None:
    """The status catalogue: message, cause, fix, who can fix it, whether to send again."""
    rows = [row.as_dict() for row in (catalogue.with_code(code) if code else catalogue.ROWS)]
    if not rows:
        show.errors.print(
            f"heliograph: {code} is no code of the catalogue; `heliograph codes` lists them", style="red"
        )
        raise typer.Exit(1)
    _print(rows, as_json, show.codes)


@app.command()
def doctor(listen: Listen = None, data: Data = None, as_json: Json = False) -> None:
    """Check settings, data folder, disk, clock, server and connectors; exit status 1 when something is wrong."""
    with _refusals():
        findings = list(examine(_settings(listen=listen, data=data)))
    _print([asdict(finding) for finding in findings], as_json, show.findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def migrate(
    source: Annotated[str, typer.Option("--from", help="Where state is now: sqlite, in the data folder.")] = "sqlite",
    target: Annotated[
        str | None, typer.Option("--to", help="postgresql://USER:PASSWORD@HOST/NAME, empty (or HELIOGRAPH_DATABASE).")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Move a stopped installation to PostgreSQL: every row, compared by checksums, or nothing."""
    with _refusals():
        moved = move_all(_settings(data=data, database=target), source)
    _print([asdict(table) for table in moved], as_json, show.moved)


@app.command()
def simulate(
    only: Annotated[str, typer.Option(help="Channels or simulators, separated by commas; all by default.")] = "",
) -> None:
    """Run the simulators alone."""
    chosen: set[str] = set()
    known = {**stand_ins_by_channel(), **{name: (name,) for name in stand_ins()}}
    for name in filter(None, only.split(",")):
        if name not in known:
            there = ", ".join(sorted(known))
            show.errors.print(f"heliograph: there is no simulator for {name}; there is {there}", style="red")
            raise typer.Exit(2)
        chosen.update(known[name])
    with _refusals():
        asyncio.run(_simulate(_settings(), chosen))


async def _simulate(settings: config.Config, only: Collection[str]) -> None:
    simulators = Simulators(settings, only)
    try:
        await simulators.start()
    except SimulatorBusy as error:
        await simulators.stop()
        raise config.ConfigError(str(error)) from error
    for name in simulators.stand_ins:
        show.console.print(f"{name} simulator on {simulators.peers[name].host}:{simulators.peers[name].port}")
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    await simulators.stop()


def main() -> None:
    """The entry point."""
    app()
