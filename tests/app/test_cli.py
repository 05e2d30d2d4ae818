"""The command line as others script against it: commands, help, exit codes, one line an error."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from quintet.app.cli import COMMANDS, build
from quintet.app.lazy import TARGETS, named
from quintet.app.operations import OPERATIONS
from quintet.app.requests import AnyRequest

Run = Callable[..., subprocess.CompletedProcess[str]]

DOCUMENTED = (
    "demo | init | serve | doctor | ingest | close | registry sync | registry list | registry exchange | registry "
    "rewire | registry move-in | registry move-out | meters list | meters show | intervals | balance | "
    "losses | facilities | conversions | "
    "selfsufficiency | selfsufficiency compute | selfsufficiency explain | selfsufficiency pin | emissions | emissions "
    "compute | emissions gpc | emissions publish | emissions published | emissions compare | emissions set | "
    "emissions withdraw | emissions sets | "
    "targets | targets set | targets withdraw | targets measure | targets weather | targets change | "
    "bill compute | bill tiers | bill pace | bill budget | bill incentives | bill show | bill run | bill issue | "
    "bill explain | bill agree | bill terms | bill allocate | bill follow | bill cards | "
    "building visits | building visited | building close | building allocation | "
    "vee rules | vee try | vee backtest | vee order | vee run | vee findings | exceptions list | "
    "exceptions show | exceptions close | exceptions reopen | "
    "alerts list | alerts run | alerts dismiss | alerts telling | alerts report | backup create | backup restore | "
    "door mqtt | bench | "
    "vee report | quarantine list | quarantine explain | quarantine count | quarantine replay | quarantine dismiss "
    "| quarantine drift | edit accept | edit reject | edit replace | edit estimate | edit undo | edit list | audit "
    "list | audit verify | event add | event list | event withdraw | uncertainty | uncertainty trials | "
    "report build | report verify | report compare | export open-data | "
    "export green-button | export releases | "
    "diff | migrate | top | load http | load mqtt | load meters | load verify | "
    "user add | user list | user disable | user erase | user grant | user revoke | user link | user reads | "
    "invite create | invite list | invite revoke | token create | token list | token "
    "revoke"
)
"""The contract of the command line, as the design writes it."""


def test_the_commands_are_those_documented() -> None:
    assert list(COMMANDS) == DOCUMENTED.split(" | ")


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_explains_itself_and_its_options(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert build()([*words.split(), "--help"]) is None
    out = capsys.readouterr()
    assert out.err == ""
    assert COMMANDS[words][1].split(":")[0] in " ".join(re.sub("[│╭╮╰╯]", " ", out.out).split())
    options = re.findall(r"│[ *]+(--?\S+|[A-Z]+) .*?│", out.out)
    assert options
    app = build()
    for word in words.split():
        app = app[word]
    for argument in app.assemble_argument_collection(parse_docstring=False):
        if argument.show:
            assert argument.parameter.help, f"{argument.name} of {words} has no help"


@pytest.mark.parametrize(
    "words", ["alerts list", "bill compute", "diff", "report build", "selfsufficiency explain", "targets change"]
)
def test_the_language_has_one_pair_of_names_everywhere(words: str) -> None:
    app = build()
    for word in words.split():
        app = app[word]
    named = {name for one in app.assemble_argument_collection(parse_docstring=False) for name in one.names}
    assert {"--lang", "--language"} <= named


def test_help_names_every_command_and_comes_without_the_engines() -> None:
    program = (
        "import sys; sys.argv = ['quintet', '--help']; from quintet.app.cli import main; code = main(); "
        "heavy = {'duckdb', 'pyarrow', 'numpy', 'fastapi', 'uvicorn', 'deltalake'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for words in COMMANDS:
        assert words.split()[0] in done.stdout


def test_a_command_that_speaks_to_an_owner_needs_no_engine() -> None:
    program = (
        "import sys; import quintet.app.command_ask, quintet.app.command_city, quintet.app.command_demo; "
        "import quintet.app.command_load, quintet.app.command_top; "
        "heavy = {'duckdb', 'pyarrow', 'numpy', 'fastapi', 'uvicorn', 'deltalake'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_request_has_an_operation_of_its_own() -> None:
    assert set(OPERATIONS) == set(get_args(AnyRequest))
    for request, target in OPERATIONS.items():
        _, taken, *_ = get_type_hints(named(f"quintet.app.{target}")).values()
        assert request in (taken, *get_args(taken)), target


def test_names_are_loaded_in_one_place_only() -> None:
    package = Path(__file__).parents[2] / "src/quintet"
    users = [path.name for path in package.rglob("*.py") if "importlib.import_module" in path.read_text()]
    assert users == ["lazy.py"]


def test_what_is_loaded_by_name_stands_in_this_package_or_beside_it() -> None:
    source = Path(__file__).parents[2] / "src"
    operations = [f"quintet.app.{target}" for target in OPERATIONS.values()]
    for target in (*TARGETS.values(), *operations):
        module, _, name = target.partition(":")
        text = (source / module.replace(".", "/")).with_suffix(".py").read_text()
        assert re.search(rf"^(def|class) {name}\b", text, re.MULTILINE), target


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], 'Unknown command "bogus"'),
        (["intervals", "a/b"], "--from"),
        (["meters", "list", "--formt", "csv"], "See `quintet meters list --help`."),
        (["bogus"], "See `quintet --help`."),
        (["meters", "list", "--formt", "csv"], "--formt"),
        (["meters", "list"], "no city was named. Give its folder with --city DIR or in QUINTET_CITY"),
        (["meters", "list", "--format", "xml"], "table"),
        (["serve", "--port", "many"], "--port"),
        (["ingest"], "PATH"),
        (["bench", "bone"], "spine"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(words: list[str], said: str, tmp_path: Path, quintet: Run) -> None:
    done = quintet(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("quintet: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_no_city_is_exit_1(tmp_path: Path, quintet: Run) -> None:
    done = quintet("doctor", "--city", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"quintet: {tmp_path}: is no city" in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_version_is_printed(quintet: Run) -> None:
    done = quintet("--version")
    assert (done.returncode, done.stdout) == (0, "0.1.0\n")
