"""The codes of errors that the source raises, read from the source itself: no list to keep, and none to forget."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import quintet

SOURCE = Path(quintet.__file__).parent
ANY = "*"


@dataclass(frozen=True)
class Raised:
    """A code where it is raised; `*` stands for what is only known when it runs. `said` names the figures with it."""

    code: str
    module: str
    line: int
    said: frozenset[str]


@cache
def raised(*packages: str) -> tuple[Raised, ...]:
    """List the codes raised in packages or modules of the source, by keyword or by a function that takes a code."""
    out: list[Raised] = []
    for package in packages:
        root = SOURCE / package
        for path in [root] if root.suffix else sorted(root.rglob("*.py")):
            out += _of_module(path)
    return tuple(out)


def _of_module(path: Path) -> Iterator[Raised]:
    tree, module = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(SOURCE).as_posix()
    makers = _makers(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        at, own = makers.get(call.func.id if isinstance(call.func, ast.Name) else "", (None, frozenset[str]()))
        given = {one.arg: one.value for one in call.keywords}
        value = given.get("code") or (call.args[at] if at is not None and at < len(call.args) else None)
        code = None if value is None else _text(value)
        if code is None or (code == ANY and "remedy" in given):  # a maker itself, which passes on what it was given
            continue
        names = _names(given.get("said"))
        if at is not None:
            names |= {one for one in given if one is not None and one not in own}
        yield Raised(code, module, call.lineno, names)


def _names(said: ast.expr | None) -> frozenset[str]:
    """Give the names of the figures that are always said."""
    if isinstance(said, ast.IfExp):
        return _names(said.body) & _names(said.orelse)
    return frozenset(_text(key) or ANY for key in said.keys if key) if isinstance(said, ast.Dict) else frozenset()


def _makers(tree: ast.AST) -> dict[str, tuple[int, frozenset[str]]]:
    """Give the functions of a module that take a code: where it stands among what they are given, and their names."""
    out: dict[str, tuple[int, frozenset[str]]] = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.FunctionDef):
            names = [arg.arg for arg in one.args.args]
            if "code" in names and any(_text(found) == ANY for found in _codes(one)):
                out[one.name] = (names.index("code"), frozenset(names))
    return out


def _codes(function: ast.FunctionDef) -> Iterator[ast.expr]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call):
            yield from (one.value for one in call.keywords if one.arg == "code")


def _text(value: ast.expr) -> str | None:
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else ANY for one in value.values)
    return ANY
