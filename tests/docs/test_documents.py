"""The documents are true: nothing is undocumented, nothing stale, no link broken, no example that does not work."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from heliograph import catalogue, config
from heliograph.api.metrics import COUNTERS, CREDENTIALS, GAUGES
from heliograph.channels import channels
from heliograph.cli.data import Secrets
from heliograph.cli.demo import KEY, TRY_NUMBERS
from heliograph.cli.main import app
from heliograph.cli.platform import Platform
from heliograph.contract.declared.documents import read_yaml
from heliograph.contract.workspace import read_workspace
from heliograph.store.vault import new_secret

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "src" / "heliograph"
sys.path.insert(0, str(DOCS))
generate = importlib.import_module("generate")
notes = importlib.import_module("notes")
channel_pages = importlib.import_module("channel_pages")

DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *PACKAGE.rglob("README.md")])
DECISIONS = sorted(path for path in (DOCS / "decisions").glob("*.md") if path.name != "README.md")
FORBIDDEN = ("TODO", "FIXME", "/home/", "/root/")
DECISION_LINES = 60
CODES = DOCS / "reference" / "codes.md"
COMING: set[str] = set()  # advised by fixes of codes.csv and not there yet; to become empty

FIELD_WORDS = (
    "channel", "connector", "operator", "bind", "service", "app", "profile", "message", "transaction", "transid",
    "destination", "sender id", "part", "accept", "submit", "deliver", "receipt", "inbound", "notification",
    "attempt", "state", "status", "key", "code", "validity",
)  # fmt: skip

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(path: Path) -> str:
    """A document."""
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """A document as a test's name."""
    return path.relative_to(ROOT).as_posix()


def written() -> str:
    """All that is written by hand."""
    return "\n".join(text_of(path) for path in DOCUMENTS if path.parent.name != "reference")


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(_FENCE.sub("", text)))
    return {heading.strip().replace(" ", "-") for heading in plain}


# Nothing is undocumented


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_generated_page_says_what_the_code_says(page: str) -> None:
    assert text_of(DOCS / "reference" / page) == generate.page(page), "run python docs/generate.py"


def test_the_rules_in_the_pages_of_channels_are_what_the_code_says() -> None:
    pages = channel_pages.pages().items()
    stale = [name_of(path) for path, channel in pages if text_of(path) != channel_pages.renewed(path, channel)]

    assert stale == [], "run python docs/generate.py"


@pytest.mark.parametrize("setting", [item.name for item in config.SETTINGS])
def test_a_setting_is_documented(setting: str) -> None:
    assert f"`{config.PREFIX}{setting}`" in text_of(DOCS / "reference" / "settings.md")


def commands() -> dict[str, Any]:
    """The commands by name, those of a group with its name before theirs."""
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        found |= {f"{name} {one}": inner for one, inner in getattr(command, "commands", {}).items()} or {
            name: command
        }
    return found


@pytest.mark.parametrize("command", commands())
def test_a_command_is_documented(command: str) -> None:
    assert f"## heliograph {command}\n" in text_of(DOCS / "reference" / "commands.md")
    assert all(item.help for item in commands()[command].params if item.name != "help")


def paths() -> list[str]:
    """Every path that is served, without the trailing slash that some have twice."""
    return sorted({route.path.rstrip("/") for routes in generate.served().values() for route in routes})


@pytest.mark.parametrize("path", paths())
def test_an_endpoint_is_documented(path: str) -> None:
    assert f"{path}`" in text_of(DOCS / "reference" / "endpoints.md")


@pytest.mark.parametrize("metric", [*COUNTERS, *GAUGES, *CREDENTIALS])
def test_a_metric_is_documented(metric: str) -> None:
    assert f"`heliograph_{metric}" in text_of(DOCS / "reference" / "metrics.md")


async def test_what_the_metrics_count_is_documented(tmp_path: Path) -> None:
    settings = config.load({"DATA": str(tmp_path), "SMSC_SIMULATOR": "127.0.0.1:0"}, {})
    platform = Platform(settings, Secrets("token", new_secret(), made=False))
    counted = {name: sorted(numbers) for name, numbers in platform.surface.numbers().items()}
    await platform.store.close()

    assert counted == {name: sorted(meanings) for name, meanings in notes.METRICS.items()}


@pytest.mark.parametrize("channel", sorted({channel.name for channel in channels().values()}))
def test_a_channel_has_its_page_and_is_linked(channel: str) -> None:
    page = PACKAGE / "channels" / channel / "README.md"

    assert page.is_file()
    assert f"(src/heliograph/channels/{channel}/README.md)" in text_of(ROOT / "README.md")


@pytest.mark.parametrize("row", [*catalogue.EXTENSIONS, *catalogue.ROWS], ids=lambda row: f"{row.api}-{row.key}")
def test_a_status_is_documented(row: catalogue.Row) -> None:
    assert f"| `{row.key}` |" in text_of(DOCS / "reference" / "codes.md")


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_the_architecture_names_every_folder(folder: str) -> None:
    assert f"\n  {folder}/ " in text_of(ROOT / "ARCHITECTURE.md")


@pytest.mark.parametrize("word", FIELD_WORDS)
def test_the_glossary_has_every_field_word(word: str) -> None:
    assert f"| **{word}** |" in text_of(ROOT / "GLOSSARY.md")


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_listed_short_and_whole(path: Path) -> None:
    text = text_of(path)
    number = int(path.name.partition("-")[0])

    assert f"({path.name})" in text_of(DOCS / "decisions" / "README.md")
    assert text.startswith(f"# {number}. ")
    assert _HEADING.findall(text)[1:] == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) < DECISION_LINES


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name.partition("-")[0]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


# What is written holds


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text_of(path))):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (path.parent / target).resolve() if target else path
        if not found.exists() or (anchor and anchor not in anchors(text_of(found))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_no_forbidden_word(path: Path) -> None:
    text = text_of(path)

    assert [word for word in FORBIDDEN if word in text] == []


def examples(language: str, within: str) -> list[tuple[str, str]]:
    """Fenced blocks of a language that hold a text, with the documents they stand in."""
    return [
        (name_of(path), block)
        for path in DOCUMENTS
        for kind, block in _FENCE.findall(text_of(path))
        if kind == language and within in block
    ]


@pytest.mark.parametrize(("document", "block"), examples("yaml", "tenants:"))
def test_a_workspace_in_the_documents_can_be_declared(document: str, block: str) -> None:
    known = channels()
    declared = read_workspace(read_yaml(block), known)

    for tenant in declared.tenants:
        for spec in tenant.connectors:
            assert known[spec.channel].kinds[spec.kind].check(spec) == []


def used_commands(paths: list[Path]) -> set[str]:
    """Commands that documents tell people to type."""
    return set(re.findall(r"(?:^|[`/ ])heliograph ([a-z]+)", "\n".join(map(_code_of, paths)), re.MULTILINE))


def test_commands_in_the_documents_exist() -> None:
    used = used_commands([path for path in DOCUMENTS if path != CODES])

    assert used - {name.partition(" ")[0] for name in commands()} == set()


def test_commands_that_the_catalogue_advises_exist_or_are_known_to_be_missing() -> None:
    assert used_commands([CODES]) - {name.partition(" ")[0] for name in commands()} == COMING


def _code_of(path: Path) -> str:
    """What stands in fences and back-ticks."""
    text = text_of(path)
    blocks = [block for kind, block in _FENCE.findall(text) if kind in ("sh", "")]
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", _FENCE.sub("", text))])


def test_endpoints_in_the_documents_exist() -> None:
    known = [re.sub(r"\{[^}]*\}", "[^/]+", path) for path in paths()]
    named = set(
        re.findall(r"`(?:GET|POST|PUT|DELETE) (/(?:admin|resources|readyz|healthz|metrics)[^`?\s]*)", written())
    )

    assert named
    assert [path for path in named if not any(re.fullmatch(one, path.rstrip("/")) for one in known)] == []


def test_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z]+)", written(), re.MULTILINE))

    assert used - targets == set()


def test_the_architecture_lists_the_layers_that_are_checked() -> None:
    contracts = text_of(ROOT / ".importlinter")
    layers = [line.strip() for line in contracts.partition("layers =\n")[2].partition("\n\n")[0].splitlines()]

    assert "```\n" + "\n".join(layers) + "\n```" in text_of(ROOT / "ARCHITECTURE.md")


def test_settings_in_the_documents_exist() -> None:
    known = {f"{config.PREFIX}{item.name}" for item in config.SETTINGS}

    assert set(re.findall(rf"{config.PREFIX}[A-Z_]+", written())) - known == set()


def test_codes_in_the_documents_exist() -> None:
    used = set(re.findall(r"(?<![\w:.,-])(7[0-9]{3})(?![\w:.-]|,[0-9])", written()))

    assert {code for code in used if not catalogue.with_code(code)} == set()


def test_the_readme_tells_the_demo_as_it_is() -> None:
    text = text_of(ROOT / "README.md")

    assert KEY in text
    assert [number for number, _ in TRY_NUMBERS if f"`{number}`" not in text] == []
