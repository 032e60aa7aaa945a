"""Caps on the tails of the code, with every exception in sight."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "heliograph"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if "tests" not in path.parts]
FOLDERS = sorted({path.parent for path in MODULES})

MODULE_LINES, FUNCTION_LINES, PARAMETERS, CLASS_LINES, FOLDER_MODULES = 400, 60, 7, 250, 12

# What may be larger, and why. Empty is the aim.
EXCEPTIONS: dict[str, str] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """The module as it is read: relative to the package."""
    return path.relative_to(PACKAGE).as_posix()


def length(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    """Lines of a definition."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def faults(path: Path) -> list[str]:
    """What is wrong with a module's shape."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = []
    if (lines := text.count("\n")) > MODULE_LINES:
        found.append(f"{lines} lines")
    if not ast.get_docstring(tree):
        found.append("no docstring")
    for node in ast.walk(tree):
        if isinstance(node, Function):
            found.extend(_function_faults(node))
        elif isinstance(node, ast.ClassDef):
            if length(node) > CLASS_LINES:
                found.append(f"class {node.name} has {length(node)} lines")
            if not node.name.startswith("_") and not ast.get_docstring(node):
                found.append(f"class {node.name} has no docstring")
    return found


def _function_faults(node: Function) -> list[str]:
    found = []
    arguments = node.args
    names = [item.arg for item in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
    count = len([name for name in names if name not in ("self", "cls")])
    if length(node) > FUNCTION_LINES:
        found.append(f"function {node.name} has {length(node)} lines")
    if count > PARAMETERS:
        found.append(f"function {node.name} has {count} parameters")
    if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)):
        found.append(f"function {node.name} imports")
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_keeps_its_shape(path: Path) -> None:
    found = [fault for fault in faults(path) if f"{name_of(path)}: {fault}" not in EXCEPTIONS]

    assert found == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_has_few_modules(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]

    assert len(modules) <= FOLDER_MODULES


def test_sql_stands_only_in_the_store() -> None:
    verbs = ("INSERT INTO", "SELECT ", "UPDATE transactions", "DELETE FROM", "CREATE TABLE")
    outside = [
        name_of(path)
        for path in MODULES
        if path.relative_to(PACKAGE).parts[0] not in ("store", "testing")
        and any(verb in path.read_text(encoding="utf-8") for verb in verbs)
    ]

    assert outside == []


def test_only_config_reads_the_environment() -> None:
    readers = [name_of(path) for path in MODULES if "os.environ" in path.read_text(encoding="utf-8")]

    assert readers == ["config.py"]
