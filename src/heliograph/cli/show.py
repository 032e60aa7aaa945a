"""What commands print for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

SHOWN = 5  # destinations named before "and so many more"
WIDE = 120  # characters of what a call wanted said

_MARKS = {True: "[green]✔[/]", False: "[red]✘[/]"}
_COLOURS = {"delivered": "green", "read": "green", "submitted": "cyan", "failed": "red", "lapsed": "yellow"}


def moment(ms: int) -> str:
    """Unix milliseconds as a time of day, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def date(ms: int) -> str:
    """Unix milliseconds as a day and time, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def changes(lines: Iterable[str], *, applied: bool) -> None:
    """What an apply changed, or would."""
    lines = list(lines)
    for text in lines:
        colour = {"+": "green", "-": "red", "~": "yellow"}.get(text[:1], "white")
        console.print(f"[{colour}]{escape(text)}[/]")
    verb = "applied" if applied else "would be applied"
    count = "1 change" if len(lines) == 1 else f"{len(lines)} changes"
    console.print(f"{count} {verb}" if lines else "no changes: the workspace is as declared")


def findings(rows: list[dict[str, Any]]) -> None:
    """What the doctor saw."""
    for row in rows:
        mend = "" if row["ok"] else f"\n    mend: {escape(row['mend'])}"
        console.print(f"{_MARKS[bool(row['ok'])]} {escape(row['what'])}: {escape(row['found'])}{mend}")


def moved(rows: list[dict[str, Any]]) -> None:
    """What arrived in the other database."""
    for row in rows:
        console.print(f"{_MARKS[True]} {escape(row['table']):<14} {row['rows']:>12,} rows  {row['checksum']}")
    console.print("everything is there; set HELIOGRAPH_DATABASE to the new database, keep the data folder's keys")


def records(rows: list[dict[str, Any]]) -> None:
    """Status records, a line each."""
    for row in rows:
        console.print(
            f"{row['transactionid']}  {escape(row['to']):<15}  {row['status']:<9}  {row['code']} "
            f"{escape(row['description'])}  [dim]{row['last_updated']}[/]"
        )


def story(document: dict[str, Any]) -> None:
    """Everything known of one message, as a timeline."""
    colour = _COLOURS.get(document["state"], "white")
    console.print(
        f"[bold]{document['transid']}[/]  {document['channel']} to {escape(document['destination'])}  "
        f"[{colour}]{document['code']} {escape(document['description'])}[/] ({document['state']})"
    )
    if document["detail"]:
        console.print(f"  detail   {escape(document['detail'])}")
    if document["possible_duplicate"]:
        console.print("  [yellow]the far end may have got this message more than once[/]")
    console.print(f"  why      {escape(document['explanation']['cause'])}")
    console.print(f"  mend     {escape(document['explanation']['fix'])}")
    console.print(
        f"  who      {document['explanation']['fixed_by']}, safe to send again: "
        f"{document['explanation']['retry_safe']}"
    )
    console.print()
    console.print(f"{moment(document['accepted_at'])}  accepted for service {escape(document['service'])}")
    if followed := document["followed"]:
        console.print(f"              {escape(_cause(followed))}", highlight=False)
    if asked := _asked(document["request"]["content"]):
        console.print(f"              {escape(asked)}")
    for gate in document["gates"]:
        decided = f"  [dim]{escape(str(gate.get('decided_by', '')))}[/]" if gate.get("decided_by") else ""
        console.print(
            f"              {_MARKS[bool(gate['ok'])]} {gate['gate']}: {escape(str(gate['value']))}{decided}"
        )
    if document["gates_note"]:
        console.print(f"              [dim]{document['gates_note']}[/]")
    for at, said in sorted(_moments(document), key=lambda line: line[0]):
        console.print(f"{moment(at)}  {said}")


def explained(document: dict[str, Any]) -> None:
    """What would become of a call; destinations that fare the same are shown once."""
    who = f"{escape(document['tenant'])}/{escape(document['service'])}"
    console.print(
        f"[bold]{who}[/]  " + ("[green]would be accepted[/]" if document["accepted"] else "[red]refused[/]")
    )
    for fault in document["faults"]:
        _fault(fault)
    alike: dict[str, list[dict[str, Any]]] = {}
    for item in document["destinations"]:
        what = {
            name: item[name] for name in ("channel", "faults", "sender", "connector", "text", "price", "earliest")
        }
        alike.setdefault(repr(what), []).append(item)
    for items in alike.values():
        first = items[0]
        named = [escape(item["destination"] or f"element {item['ordinal']}") for item in items[:SHOWN]]
        more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
        console.print(f"\n{_MARKS[not first['faults']]} {first['channel']} {', '.join(named)}{more}")
        if first["text"]:
            parts = "1 part" if first["parts"] == 1 else f"{first['parts']} parts"
            console.print(f"    text    {escape(first['text'])}  [dim]{parts}, {first['encoding']}[/]")
        if first["sender"] or first["connector"]:
            console.print(f"    way     {escape(first['sender'])} over {escape(first['connector'])}")
        if first["price"]:
            console.print(f"    costs   {escape(first['price']['amount'])} {escape(first['price']['currency'])}")
        if first["earliest"]:
            console.print(f"    when    {'now' if first['earliest'] <= document['at'] else date(first['earliest'])}")
        for fault in first["faults"]:
            _fault(fault)


def _fault(fault: dict[str, Any]) -> None:
    console.print(f"  [red]{fault['code']} {escape(fault['description'])}[/]")
    if fault.get("decided_by"):
        console.print(f"    looked  {fault['gate']}: {escape(fault['value'])}  [dim]{escape(fault['decided_by'])}[/]")
    console.print(f"    why     {escape(fault['cause'])}")
    console.print(f"    mend    {escape(fault['fix'])}")


def _cause(followed: dict[str, Any]) -> str:
    """Which rule sent it, and what that followed from."""
    if not followed["rule"]:
        return f"sent by run {followed['run']} of a rule, which is no longer kept"
    came = f"{followed['trigger']} {followed['name']}".strip() or "what is no longer kept"
    origin = f", from {followed['origin']}" if followed["origin"] else ""
    return (
        f"sent by the rule {followed['rule']} (run {followed['run']}) on {came} (event {followed['event']}{origin})"
    )


def _asked(content: dict[str, Any]) -> str:
    """What a call wanted said, on one line, cut where it is long."""
    fields = content.get("fields", {})
    said = fields.get("text") or fields.get("alert") or ""
    if content.get("template"):
        given = ", ".join(f"{name}: {value}" for name, value in content.get("parameters", {}).items())
        said = f"template {content['template']}" + (f" with {given}" if given else "")
    line = " ".join(str(said).split())
    return line if len(line) <= WIDE else line[: WIDE - 1] + "…"


def _moments(document: dict[str, Any]) -> Iterable[tuple[int, str]]:
    for attempt in document["attempts"]:
        said = "submitted as " + ", ".join(attempt["native_ids"]) if attempt["result"] == "submitted" else (
            f"refused: {attempt['native_code']} {attempt['detail']} ({attempt['status']}, retry {attempt['retry']})"
        )  # fmt: skip
        yield attempt["at"], f"attempt {attempt['attempt']} on {escape(attempt['connector'])}: {escape(said)}"
    for step in document["steps"]:
        yield step["at"], f"    {escape(step['what'])}"
    for receipt in document["receipts"]:
        told = document["steps"] and receipt["raw"].startswith("{")  # what is in there was just shown
        native = escape(receipt["native_code"] if told else receipt["raw"] or receipt["native_code"])
        yield receipt["at"], f"receipt {receipt['code']} {receipt['key']} [dim]{native}[/]"
    for click in document["clicks"]:
        yield click["at"], f"clicked {escape(click['link'])} [dim]{escape(click['system'])}[/]"
    for callback in document["callbacks"]:
        answer = f"HTTP {callback['status']}" if callback["status"] else callback["error"]
        yield (
            callback["at"],
            (
                f"callback {callback['code']}{_of_device(callback)} to {escape(callback['url'])}: {callback['state']}"
                f" after {callback['attempts']} tries {escape(str(answer))}"
            ),
        )


def _of_device(callback: dict[str, Any]) -> str:
    return f" of device {escape(callback['device'])}" if callback.get("device") else ""


def event(what: dict[str, Any]) -> None:
    """One line of the live log."""
    colour = _COLOURS.get(what["state"], "white")
    console.print(
        f"{moment(what['at'])}  {what['transid']}  [{colour}]{what['state']}[/]  {what['code']} "
        f"{escape(what['description'])}  {escape(what['detail'])}"
    )


def codes(rows: list[dict[str, str]]) -> None:
    """Catalogue rows: a table, or one row in full."""
    if len(rows) > 6:
        table = Table("api", "code", "message", "key", "phase", "fixed by", "retry", box=None)
        for row in rows:
            table.add_row(
                row["api"], row["code"], escape(row["message"]), row["key"], row["phase"], row["fixed_by"],
                row["retry_safe"],
            )  # fmt: skip
        console.print(table)
        return
    for row in rows:
        console.print(f"[bold]{row['code']} {escape(row['message'])}[/]  ({row['api']}, {row['key']})")
        console.print(f"  cause  {escape(row['cause'])}")
        console.print(f"  fix    {escape(row['fix'])}")
        console.print(
            f"  phase {row['phase']}, {row['finality']}, to be fixed by {row['fixed_by']}, "
            f"safe to send again: {row['retry_safe']}\n"
        )


def imported(counts: Any) -> None:
    """What became of a file."""
    refused = f", {counts['refused']} were refused" if counts["refused"] else ""
    console.print(
        f"{counts['listed']} of {counts['rows']} rows are on the list, {counts['new']} of them new{refused}"
    )
    console.print(f"what became of each: {counts['outcome']}")


def differences(report: Any) -> None:
    """What other policies would have made of messages."""
    more = "; there were more, narrow the time" if report["more"] else ""
    console.print(f"{report['judged']} messages were judged again{more}")
    if not report["changes"]:
        console.print("nothing would differ")
    for change, count in report["changes"].items():
        console.print(f"{count} would differ: {change}")
    for item in report["examples"]:
        why = f"{item['value']}; {item['decided_by']}" if item["decided_by"] else ""
        line = f"  {item['transid']}  {item['destination']}  {item['before']} -> {item['after']}  {why}"
        console.print(line.rstrip(), markup=False)


def profiles_imported(counts: dict[str, Any]) -> None:
    """What became of a file of profiles."""
    failed = f", {counts['failed']} could not be" if counts["failed"] else ""
    console.print(f"{counts['written']} of {counts['rows']} profiles were written{failed}", markup=False)
    console.print(f"what became of each: {counts['outcome']}", markup=False)


def erased(counts: dict[str, Any]) -> None:
    """What was taken away of a person."""
    went = (f"{count} {name}" for name, count in counts.items() if name != "waiting")
    console.print(f"forgotten: {', '.join(went)}", markup=False)
    if counts["waiting"]:
        console.print(
            f"{counts['waiting']} messages are still on their way and keep their address; call it again once they "
            "have ended",
            markup=False,
        )
