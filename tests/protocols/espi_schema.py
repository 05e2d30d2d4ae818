"""The published schema of ESPI, which stands beside the checkout: what a feed holds is valid or it is not."""

from pathlib import Path
from typing import Any

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"


class _NoAtom(etree.Resolver):
    """The schema imports one of Atom and uses nothing of it."""

    def resolve(self, url: str, _pubid: str, context: Any) -> Any:
        if not url.endswith("atom.xsd"):
            return None
        empty = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/2005/Atom"/>'
        return self.resolve_string(empty, context)


def schema_file(shared: Path) -> Path:
    return shared / "vectors" / "espi" / "schema_4.0" / "espi.xsd"


def faults_by_schema(shared: Path, feed: bytes) -> list[str]:
    """Give what the schema finds wrong with the things in a feed, and check that Atom's own order is there."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_NoAtom())
    schema = etree.XMLSchema(etree.parse(schema_file(shared), parser))
    root = etree.fromstring(feed)
    found = []
    count = 0
    for content in root.iter(f"{ATOM}content"):
        for thing in content:
            count += 1
            if not schema.validate(thing):
                found.append(str(schema.error_log.last_error))
    assert count
    for entry in root.iter(f"{ATOM}entry"):
        assert {"id", "title", "updated", "content"} <= {child.tag.removeprefix(ATOM) for child in entry}
    return found
