"""README and docs name only commands, options and make targets that exist."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from quintet.app.cli import COMMANDS, build

CODE = re.compile(r"^```\w*[^\n]*\n(.*?)^```$|^ {4}(\S.*)$|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^\s*|^\w+=\S+ |[(;&|]\s*)quintet ([a-z][^\n;#`)]*)", re.MULTILINE)
CHOICE = re.compile(r"[a-z][a-z-]*(?:\|[a-z-]+)*")
OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")


def pages(root: Path) -> list[Path]:
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def code(text: str) -> Iterator[str]:
    """Give what stands as code in a page, lines that a backslash goes on with joined."""
    for found in CODE.finditer(text):
        yield next(group for group in found.groups() if group is not None).replace("\\\n", " ")


def named(text: str) -> Iterator[tuple[str, list[str]]]:
    """Give each command that a text names, the choices of `a|b` one by one, with the options that follow it."""
    for part in code(text):
        for call in CALL.finditer(part):
            rest = re.split(r" \| (?!-)| > | && ", call[1])[0]
            words: list[list[str]] = []
            for word in rest.split():
                said = " ".join(one[0] for one in words)
                more = any(known == f"{said} {word}" for known in COMMANDS)
                if not CHOICE.fullmatch(word) or (said in COMMANDS and not more):
                    break
                words.append(word.split("|"))
            for choice in product(*words):
                yield " ".join(choice), OPTION.findall(rest)


def options(command: str) -> set[str]:
    """Give the options of a command, and those that every command has."""
    app = build()
    for word in command.split():
        app = app[word]
    return {"--help"} | {name for one in app.assemble_argument_collection(parse_docstring=False) for name in one.names}


def unknown(text: str) -> list[str]:
    """Give what a text names and nobody knows."""
    out: list[str] = []
    for command, asked in named(text):
        if command in COMMANDS:
            out += [f"{command} {option}" for option in asked if option not in options(command)]
        elif not any(known.startswith(f"{command} ") for known in COMMANDS):
            out.append(command)
    return out


def test_readme_and_docs_name_only_commands_and_options_that_exist(root: Path) -> None:
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages(root)}
    assert len(list(named(texts["README.md"]))) > 15
    assert len(list(named(texts["ingest.md"]))) > 5
    wrong = {name: found for name, text in texts.items() if (found := unknown(text))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("    quintet serv --city CITY", ["serv"]),
        ("    quintet serve --town CITY  # why", ["serve --town"]),
        ("say `quintet load http|ftp --rate 1`", ["load ftp"]),
        ("```sh\nA=$(quintet token create \\\n  --rights all | tail -n 1)\n```", ["token create --rights"]),
        ("    quintet quarantine list|count --city CITY", []),
    ],
)
def test_what_does_not_exist_would_be_seen(text: str, found: list[str]) -> None:
    assert unknown(text) == found


def test_readme_names_only_make_targets_that_exist(root: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = (root / "README.md").read_text(encoding="utf-8")
    asked = re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.MULTILINE)
    assert len(asked) > 2
    assert set(asked) <= set(targets)
