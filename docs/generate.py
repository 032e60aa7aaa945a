"""Writes the reference pages, and the rules in the channels' pages, from the package's own data:
`python docs/generate.py`, or `--check` to compare.

Each fact is taken from the place that acts on it; the sentences for people that stand there are taken too. What
has no sentence in the code has one in `notes.py`, and a missing one stops the run, so that nothing new stays
without a word.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import channel_pages
import msgspec
import notes
import typer
from starlette.routing import BaseRoute, Route

from heliograph import catalogue
from heliograph.api.admin.callbacks import CallbackViews
from heliograph.api.admin.collections import CollectionViews
from heliograph.api.admin.explain import ExplainViews
from heliograph.api.admin.keys import KeyViews
from heliograph.api.admin.messages import MessageViews
from heliograph.api.admin.parked import ParkedViews
from heliograph.api.admin.people import PeopleViews
from heliograph.api.admin.policies.accounts import AccountViews
from heliograph.api.admin.policies.clock import ClockViews
from heliograph.api.admin.policies.dnd import DndViews
from heliograph.api.admin.policies.whatif import WhatIfViews
from heliograph.api.admin.rules.events import EventViews
from heliograph.api.admin.rules.runs import RunViews
from heliograph.api.admin.views import Views
from heliograph.api.admin.workspace import WorkspaceViews
from heliograph.api.app import Endpoints, admin_routes, operation_routes, public_routes
from heliograph.api.callbacks import CALLBACKS_PATH, Callbacks
from heliograph.api.events.edges import EventEdges
from heliograph.api.events.endpoints import Events
from heliograph.api.events.hooks import HOOKS_PATH, InboundHooks
from heliograph.api.inapp.socket import Socket
from heliograph.api.inapp.views import InAppEndpoints, TokenViews, UserQueries
from heliograph.api.links import LinkViews
from heliograph.api.messaging import Messaging
from heliograph.api.metrics import COUNTERS, CREDENTIALS, GAUGES, Metrics
from heliograph.api.profiles.endpoints import Profiles
from heliograph.api.transactions import Transactions
from heliograph.cli.main import app
from heliograph.config import FILE, PREFIX, SETTINGS
from heliograph.model import automation, policies, workspace
from heliograph.model.events import declared as happenings
from heliograph.model.profiles import declared
from heliograph.policy.objects.links import PATH
from heliograph.simulators.bin import Bins

FOLDER = Path(__file__).parent / "reference"
HEAD = "<!-- Written by docs/generate.py; change the code or docs/notes.py, not this page. -->\n\n"
MADE = ("ADMIN_TOKEN", "SECRET_KEY")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join('---' for _ in heads)}|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def sentence(text: str | None) -> str:
    """A docstring as one line."""
    return " ".join((text or "").split())


# Settings


def settings() -> str:
    """Every setting of `config.py`."""
    rows = [
        (f"`{PREFIX}{item.name}`", "made at first start" if item.name in MADE else f"`{item.default}`", item.help)
        for item in SETTINGS
    ]
    return notes.SETTINGS_HEAD.format(prefix=PREFIX, file=FILE) + table(("setting", "default", "meaning"), rows)


# Commands


def commands() -> str:
    """Every command of `cli/main.py` with its arguments and options."""
    group: Any = typer.main.get_command(app)
    pieces = [notes.COMMANDS_HEAD]
    for name, command in _commands(group):
        pieces.append(f"## heliograph {name}\n\n{sentence(command.help)}\n")
        shown = [item for item in command.params if item.name != "help" and not getattr(item, "hidden", False)]
        if shown:
            pieces.append(table(("argument or option", "meaning", "default"), map(_parameter, shown)))
    return "\n".join(pieces)


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its whole name, those of a group under it."""
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _parameter(item: Any) -> tuple[str, str, str]:
    flags = [*item.opts, *item.secondary_opts]
    name = ", ".join(f"`{flag}`" for flag in flags) if item.param_type_name == "option" else f"`{item.name.upper()}`"
    meaning = item.help or ""
    if item.envvar:
        meaning += f" Also from the environment, `{item.envvar}`."
    if item.required:
        return name, meaning, "must be given"
    return name, meaning, f"`{item.default}`" if item.default not in (None, "", False) else ""


# Endpoints


def _bare(kind: Any) -> Any:
    """An object of a class of views, not set up: enough to ask which methods serve what."""
    return object.__new__(kind)


def bare_endpoints() -> Endpoints:
    """The endpoints of a platform that does not exist, for their routes alone."""

    async def ready() -> dict[str, Any]:
        return {}

    return Endpoints(
        messaging=_bare(Messaging), transactions=_bare(Transactions), messages=_bare(MessageViews),
        workspace=_bare(WorkspaceViews), callbacks=_bare(CallbackViews), parked=_bare(ParkedViews),
        explain=_bare(ExplainViews),
        keys=_bare(KeyViews),
        views=_bare(Views), metrics=_bare(Metrics),
        ready=ready, ids=_bare(object), channels={}, admin_token="", hooks=_bare(Callbacks), links=_bare(LinkViews),
        dnd=_bare(DndViews), accounts=_bare(AccountViews), collections=_bare(CollectionViews),
        clock=_bare(ClockViews), whatif=_bare(WhatIfViews),
        profiles=_bare(Profiles), people=_bare(PeopleViews),
        inapp=InAppEndpoints(_bare(Socket), _bare(UserQueries), _bare(TokenViews)),
        runs=_bare(RunViews), events=EventEdges(_bare(Events), _bare(InboundHooks), _bare(EventViews)),
    )  # fmt: skip


def served() -> dict[str, list[Route]]:
    """All routes by the section of the page they stand in."""
    endpoints = bare_endpoints()
    bins = [Route(f"/sim/bin{one.path}", one.endpoint, methods=list(one.methods or ())) for one in Bins().routes()]
    found: dict[str, Sequence[BaseRoute]] = {
        "public": [one for one in public_routes(endpoints) if "profile" not in getattr(one, "path", "")],
        "profiles": endpoints.profiles.routes(),
        "operation": operation_routes(endpoints),
        "admin": admin_routes(endpoints),
        "bin": bins,
    }
    return {section: [one for one in routes if isinstance(one, Route)] for section, routes in found.items()}


def endpoints() -> str:
    """Every path that is served."""
    pieces = [notes.ENDPOINTS_HEAD]
    for section, routes in served().items():
        rows: dict[str, str] = {}
        for route in routes:
            for method in _methods(route, section):
                path = f"{method} {route.path.rstrip('/')}"
                rows.setdefault(path, _meaning(section, path, route))
        pieces.append(f"## {notes.SECTIONS[section]}\n")
        pieces.append(table(("call", "does"), [(f"`{path}`", text) for path, text in rows.items()]))
    return "\n".join(pieces) + notes.ENDPOINTS_TAIL


def _methods(route: Route, section: str) -> list[str]:
    if "/typing/" in route.path:
        return ["POST"]
    if section == "public" and not route.path.startswith((CALLBACKS_PATH, PATH, f"{HOOKS_PATH}/")):
        return ["POST" if route.path.rstrip("/").endswith(("messaging", "externalevent")) else "GET"]
    return sorted((route.methods or set()) - {"HEAD"})


def _meaning(section: str, path: str, route: Route) -> str:
    if section != "admin":
        return notes.ENDPOINTS[path]
    handler = inspect.getclosurevars(route.endpoint).nonlocals["handler"]
    said = sentence(handler.__doc__)
    if not said:
        raise SystemExit(f"{path} has no docstring")
    return f"{said} {notes.QUERIES.get(path, '')}".strip()


# Metrics


def metrics() -> str:
    """Every metric with the values of its label."""
    rows = []
    for kind, names in (("counter", COUNTERS), ("gauge", GAUGES)):
        for name, text in names.items():
            full = f"`heliograph_{name}{'_total' if kind == 'counter' else ''}`"
            rows.append((full, kind, "", text))
            rows += [("", "", f"`{what}`", meaning) for what, meaning in notes.METRICS[name].items()]
    shown = table(("metric", "kind", "`what`", "meaning"), rows)
    each = [(f"`heliograph_{name}`", "gauge", text) for name, text in CREDENTIALS.items()]
    return notes.METRICS_HEAD + shown + notes.CREDENTIALS + table(("metric", "kind", "meaning"), each)


# Workspace

PARTS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("The document", workspace.Document),
    ("tenants[]", workspace.Tenant),
    ("tenants[].limits", workspace.Limits),
    ("tenants[].billing", policies.Billing),
    ("tenants[].billing.rate_plan[]", policies.Rate),
    ("tenants[].dnd[]", policies.DndEntry),
    ("tenants[].opt_out", policies.OptOut),
    ("tenants[].frequency_caps[]", policies.FrequencyCap),
    ("tenants[].spam_words[]", policies.SpamWord),
    ("tenants[].social_hours", policies.SocialHours),
    ("tenants[].social_hours.windows[]", policies.Window),
    ("tenants[].limits.channels, tenants[].services[].limits", workspace.Volume),
    ("tenants[].apps[]", workspace.App),
    ("tenants[].apps[].features", workspace.Features),
    ("tenants[].profile_store", declared.ProfileStore),
    ("tenants[].profile_store.attributes[]", declared.Attribute),
    ("tenants[].events[]", happenings.EventSpec),
    ("tenants[].events[].parameters[]", happenings.Parameter),
    ("tenants[].hooks[]", happenings.Hook),
    ("tenants[].hooks[].signature", happenings.Signature),
    ("tenants[].rules[]", automation.Rule),
    ("tenants[].rules[].on", automation.On),
    ("tenants[].rules[].on.inbound", automation.OnInbound),
    ("tenants[].rules[].on.receipt", automation.OnReceipt),
    ("tenants[].rules[].on.click", automation.OnClick),
    ("tenants[].rules[].on.profile", automation.OnProfile),
    ("tenants[].rules[].when[]", automation.Condition),
    ("tenants[].rules[].then[]", automation.Action),
    ("tenants[].rules[].then[].send", automation.Send),
    ("tenants[].rules[].then[].notify", automation.CallUrl),
    ("tenants[].rules[].then[].profile", automation.SetProfile),
    ("tenants[].rules[].then[].dnd", automation.LeaveAlone),
    ("tenants[].rules[].then[].emit", automation.Emit),
    ("tenants[].senders[]", workspace.Sender),
    ("tenants[].connectors[]", workspace.ConnectorSpec),
    ("tenants[].templates[]", workspace.Template),
    ("tenants[].links[]", workspace.Link),
    ("tenants[].services[]", workspace.Service),
    ("tenants[].services[].jwt[]", workspace.JwtSecret),
    ("tenants[].services[].notify", workspace.Notify),
    ("tenants[].services[].channels", workspace.Binding),
)


def workspace_page() -> str:
    """Every member of the workspace document."""
    pieces = [notes.WORKSPACE_HEAD]
    for title, struct in PARTS:
        hints = get_type_hints(struct)
        rows = [
            (
                f"`{item.encode_name}`",
                _type(hints[item.name]),
                _default(item),
                notes.WORKSPACE[struct.__name__][item.encode_name],
            )
            for item in msgspec.structs.fields(struct)
        ]
        pieces.append(f"## {title}\n\n{sentence(struct.__doc__)}\n")
        pieces.append(table(("member", "type", "default", "meaning"), rows))
    return "\n".join(pieces)


def _type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return "any value"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "object"
    if origin is Union or type(hint).__name__ == "UnionType":
        return " or ".join(_type(argument) for argument in arguments)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "object"
    return {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}[hint]


def _default(item: Any) -> str:
    if item.required:
        return "must be given"
    value = item.default if item.default is not msgspec.NODEFAULT else item.default_factory()
    if value is None:
        return "`null`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{entry}`" for entry in value) or "empty"
    return f"`{value}`" if isinstance(value, str | int | float) and value != "" else "empty"


# Codes


def codes() -> str:
    """The whole catalogue."""
    pieces = [notes.CODES_HEAD]
    for api in dict.fromkeys(row.api for row in catalogue.ROWS):
        rows = [row for row in (*catalogue.EXTENSIONS, *catalogue.ROWS) if row.api == api]
        pieces.append(f"## {api}\n")
        pieces.append(
            table(
                ("code", "message", "key", "phase", "end", "fixed by", "send again", "cause", "fix"),
                [
                    (
                        row.code, row.message, f"`{row.key}`", row.phase, row.finality, row.fixed_by,
                        row.retry_safe, row.cause, row.fix,
                    )
                    for row in sorted(rows, key=lambda row: row.code)
                ],
            )
        )  # fmt: skip
    return "\n".join(pieces)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "commands.md": commands,
    "endpoints.md": endpoints,
    "metrics.md": metrics,
    "workspace.md": workspace_page,
    "codes.md": codes,
}


def page(name: str) -> str:
    """The text of a page as it should stand."""
    return f"{HEAD}{PAGES[name]()}".rstrip() + "\n"


def stale() -> list[str]:
    """The pages that differ from what the code says."""
    kept = {name: FOLDER / name for name in PAGES}
    pages = [
        name for name, path in kept.items() if not path.exists() or path.read_text(encoding="utf-8") != page(name)
    ]
    return pages + [
        f"{path.parent.name}/{path.name}"
        for path, channel in channel_pages.pages().items()
        if path.read_text(encoding="utf-8") != channel_pages.renewed(path, channel)
    ]


def main() -> None:
    """Write the pages, or check them."""
    if "--check" in sys.argv:
        if names := stale():
            raise SystemExit(f"out of date: {', '.join(names)}; run python docs/generate.py")
        return
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(page(name), encoding="utf-8")
    for path, channel in channel_pages.pages().items():
        path.write_text(channel_pages.renewed(path, channel), encoding="utf-8")


if __name__ == "__main__":
    main()
