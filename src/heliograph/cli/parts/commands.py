"""The commands on what happened."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from heliograph.cli import show
from heliograph.cli.common import Data, Json, Listen, printed, refusals, settings_of
from heliograph.cli.remote import Remote

events = typer.Typer(
    help="Events, calls of hooks, and whatever else rules follow from.", no_args_is_help=True, rich_markup_mode=None
)

rules = typer.Typer(help="Rules at work.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(help="Its id, or the transid that its caller got.")]


@events.command("list")
def listed(
    state: Annotated[str, typer.Option(help="new, matched, unresolved, done or ignored; left out, all.")] = "",
    tenant: Annotated[str, typer.Option(help="Whose; left out, everybody's.")] = "",
    name: Annotated[str, typer.Option(help="The id of an event or a hook.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most; 500 is the most.")] = 50,
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """What happened, newest first."""
    with refusals():
        query = {"state": state, "tenant": tenant, "name": name, "limit": str(limit)}
        params = {key: value for key, value in query.items() if value}
        answer = Remote(settings_of(listen=listen, data=data)).admin("GET", "/events", params=params)
        printed(answer, as_json, _lines)


@events.command("show")
def shown(event: Id, listen: Listen = None, data: Data = None, as_json: Json = False) -> None:
    """One thing that happened: what came with it, and where it stands."""
    with refusals():
        answer = Remote(settings_of(listen=listen, data=data)).admin("GET", f"/events/{event}")
        printed(answer, as_json, _whole)


@events.command("rerun")
def rerun(
    event: Annotated[str, typer.Argument(help="An id or a transid, or `unresolved` for all that a rule is for now.")],
    tenant: Annotated[str, typer.Option(help="With `unresolved`: whose.")] = "",
    name: Annotated[str, typer.Option(help="With `unresolved`: of which event or hook; left out, of all.")] = "",
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run what has ended again, with the rules of now; exit status 1 where no rule is for it."""
    with refusals():
        remote = Remote(settings_of(listen=listen, data=data))
        if event == "unresolved":
            answer = remote.admin("POST", "/events/rerun", json={"tenant": tenant, "name": name})
            printed(answer, as_json, lambda value: show.console.print(f"{value['rerun']} are run again"))
            return
        printed(remote.admin("POST", f"/events/{event}/rerun", json={}), as_json, _line)


@rules.command("runs")
def runs(
    tenant: Annotated[str, typer.Argument(help="Whose.")],
    rule: Annotated[str, typer.Option(help="The name of a rule; left out, all.")] = "",
    state: Annotated[str, typer.Option(help="open, awaiting, done, failed or refused; left out, all.")] = "",
    event: Annotated[str, typer.Option(help="The id of what happened; left out, all.")] = "",
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Which rules ran, and what each step came to, newest first."""
    with refusals():
        query = {"rule": rule, "state": state, "event": event}
        params = {key: value for key, value in query.items() if value}
        remote = Remote(settings_of(listen=listen, data=data))
        printed(remote.admin("GET", f"/tenants/{tenant}/runs", params=params), as_json, _runs)


@rules.command("show")
def shown_run(
    run: Annotated[str, typer.Argument(help="The id of a run.")],
    listen: Listen = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """One run, step by step."""
    with refusals():
        answer = Remote(settings_of(listen=listen, data=data)).admin("GET", f"/runs/{run}")
        printed(answer, as_json, _run)


def _runs(page: dict[str, Any]) -> None:
    for one in page["runs"]:
        _run(one)


def _run(one: dict[str, Any]) -> None:
    show.console.print(f"{show.moment(one['at'])}  {one['id']}  {escape(one['rule']):<24}  {one['state']}")
    for step in one["steps"]:
        mark = "[green]ok[/]" if step["ok"] else "[red]no[/]"
        show.console.print(f"  {mark}  {escape(step['action'])}  {step['what']:<8}  {escape(step['detail'])}")


def _lines(page: dict[str, Any]) -> None:
    for one in page["events"]:
        _line(one)


def _line(one: dict[str, Any]) -> None:
    note = f"  [dim]{escape(one['note'])}[/]" if one["note"] else ""
    what = f"{one['trigger']} {one['name']}"
    show.console.print(f"{show.moment(one['at'])}  {one['id']}  {escape(what):<24}  {one['state']:<10}{note}")


def _whole(one: dict[str, Any]) -> None:
    _line(one)
    show.console.print(f"  tenant   {escape(one['tenant'])}, service {escape(one['service'])}")
    show.console.print(f"  cause    {escape(one['origin'])}")
    if one["correlationid"]:
        show.console.print(f"  theirs   {escape(one['correlationid'])}")
    show.console.print_json(data=one["payload"])
