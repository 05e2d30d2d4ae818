"""The README and its Korean twin name the same commands in the same order, and links lead somewhere."""

import re
from pathlib import Path

COMMAND = re.compile(r"(?m)^    (.+?) *(?:#.*)?$")


def commands(path: Path) -> list[str]:
    """Give the commands of a README without what is said of them."""
    return [line.strip() for line in COMMAND.findall(path.read_text(encoding="utf-8"))]


def test_both_readmes_name_the_same_commands(root: Path) -> None:
    english, korean = commands(root / "README.md"), commands(root / "README.ko.md")
    assert len(english) > 20
    assert english == korean
    for name, other in (("README.md", "README.ko.md"), ("README.ko.md", "README.md")):
        assert f"]({other})" in (root / name).read_text(encoding="utf-8")


LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def targets(path: Path) -> list[str]:
    """Give what a page links to inside the repository, what stands in code left out."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [one for pair in LINK.findall(text) if not (one := pair[0] or pair[1]).startswith("https://")]


def anchors(path: Path) -> set[str]:
    """Give the names of a page's headings, as links write them."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def broken(path: Path) -> list[str]:
    """Give the links of a page that lead nowhere."""
    out: list[str] = []
    for target in targets(path):
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            out.append(target)
    return out


def test_every_link_leads_somewhere(root: Path) -> None:
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    assert sum(len(targets(page)) for page in pages) > 200
    assert {page.name: found for page in pages if (found := broken(page))} == {}


def test_a_link_to_nothing_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One head\n[a](#one-head) [b](#two) [c](none.md) `[d](code)` [e](https://example.org)\n", "utf-8")
    assert broken(page) == ["#two", "none.md"]


def test_both_readmes_lead_to_every_page(root: Path) -> None:
    pages = {f"docs/{page.name}" for page in (root / "docs").glob("*.md")}
    for name in ("README.md", "README.ko.md"):
        assert pages <= {target.partition("#")[0] for target in targets(root / name)}
