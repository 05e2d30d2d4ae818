"""Green Button XML piece by piece: the entries of a feed, their links, fields and interval readings, as texts.

The parser takes no document type, so there are no entities to expand and nothing outside is asked for; how deep, long
and many things may be is bounded (data/espi.toml). What a text means is not judged here.
"""

import codecs
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from io import SEEK_END, SEEK_SET
from typing import BinaryIO
from xml.parsers import expat

from quintet.terms.errors import BadInput

from .espi_codes import OURS, Limits, codes

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
CHUNK = 1 << 16
DECLARATION = 256
"""Within so many bytes the first line of a file says its encoding."""
DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
PART = 100
"""What a short text takes in memory beside its signs, about."""
READING = f"{ESPI} IntervalReading"
ENTRY = f"{ATOM} entry"
LINK = f"{ATOM} link"
CONTENT = f"{ATOM} content"
PLACES = {
    "timePeriod/start": "start",
    "timePeriod/duration": "duration",
    "IntervalReading/value": "value",
    "ReadingQuality/quality": "quality",
    "extension/quality": "own_quality",
}
"""Where the texts of a reading stand: parent and element."""


@dataclass(slots=True)
class RawReading:
    """An interval reading as it is written; None: nothing stands there. `number` counts from 1 in the file."""

    number: int
    line: int
    start: str | None = None
    duration: str | None = None
    value: str | None = None
    qualities: list[str] = field(default_factory=list)
    own_quality: str | None = None


@dataclass(slots=True)
class Entry:
    """One entry: what kinds of thing it holds, its links by relation, the things' fields, its interval readings."""

    line: int
    id: str = ""
    title: str = ""
    kinds: list[str] = field(default_factory=list)
    links: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    readings: list[RawReading] = field(default_factory=list)
    durations: dict[str, int] = field(default_factory=dict)
    """How many readings have which length, as written."""
    size: int = 0
    """About how many bytes its links, fields and lengths take."""

    def own(self) -> str:
        """Give the name by which others link to it: its own address, else its id."""
        return next(iter(self.links.get("self", [])), self.id)


@dataclass(slots=True)
class Scanned:
    """What is known of the feed as a whole once it was read."""

    id: str = ""
    entries: int = 0
    readings: int = 0


def entries(file: BinaryIO, name: str, said: Scanned, *, keep: bool) -> Generator[Entry]:
    """Give a feed's entries one after the other; without `keep` readings are only counted.

    `said` is filled while it reads. Raises BadInput, with the file, line and remedy, for XML that is broken, that has a
    document type, or that is larger than the limits.
    """
    limits = codes().limits
    file.seek(0, SEEK_END)
    if file.tell() > limits.file_bytes:
        raise too_much(f"is larger than {limits.file_bytes:,} bytes", name)
    file.seek(0, SEEK_SET)
    declared = DECLARED.match(file.read(DECLARATION))
    file.seek(0, SEEK_SET)
    scan = _Scan(name, said, limits, None if declared is None else declared[1].decode("ascii"), keep=keep)
    more = True
    while more:
        chunk = file.read(CHUNK)
        more = bool(chunk)
        scan.feed(chunk, final=not more)
        yield from scan.done
        scan.done.clear()


class _Scan:
    """The parser's state: the path of open elements, the entry and the reading that are open."""

    def __init__(self, name: str, said: Scanned, limits: Limits, encoding: str | None, *, keep: bool) -> None:
        self.done: list[Entry] = []
        self._name, self._said, self._limits, self._keep = name, said, limits, keep
        self._path: list[str] = []
        self._text: list[str] = []
        self._held = 0
        self._fed = 0
        self._decoder: codecs.IncrementalDecoder | None = None
        self._entry: Entry | None = None
        self._entry_depth = 0
        self._content_depth = 0
        self._reading: RawReading | None = None
        known = None if encoding is None else codes().encodings.get(encoding.lower())
        if known is not None:
            self._decoder = codecs.getincrementaldecoder(known)()
        parser = expat.ParserCreate("UTF-8" if known else None, " ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.buffer_text = True
        self._parser = parser

    def feed(self, chunk: bytes, *, final: bool) -> None:
        """Read some bytes on."""
        try:
            if self._decoder is not None:
                chunk = self._decoder.decode(chunk, final).encode()
            self._parser.Parse(chunk, final)
            self._fed += len(chunk)
            if len(self._parser.intern) > self._limits.names:
                raise too_much(f"has more than {self._limits.names:,} different names", self._place())
            if self._fed - max(self._parser.CurrentByteIndex, 0) > self._limits.token_bytes and not final:
                raise too_much(f"has a tag longer than {self._limits.token_bytes:,}", self._place())
        except expat.ExpatError as error:
            raise BadInput(
                f"is broken XML: {expat.ErrorString(error.code)}.",
                code="broken_xml",
                place=f"{self._name} line {error.lineno}",
                remedy="Download or copy it again; nothing of the file was taken.",
            ) from error
        except UnicodeDecodeError as error:
            raise BadInput(
                "holds bytes that its encoding does not know.",
                code="broken_xml",
                place=f"{self._name} line {self._parser.CurrentLineNumber}",
                remedy="Download or copy it again; nothing of the file was taken.",
            ) from error
        except (LookupError, ValueError) as error:
            raise BadInput(
                "is written in an encoding that is not read here.",
                code="unknown_encoding",
                place=f"{self._name} line {self._parser.CurrentLineNumber}",
                remedy="Save it as UTF-8, its first line saying so; nothing of the file was taken.",
            ) from error

    def _doctype(self, *_: object) -> None:
        raise BadInput(
            "declares a document type or an entity, which no feed needs.",
            code="doctype",
            place=f"{self._name} line {self._parser.CurrentLineNumber}",
            remedy="Ask the sender for a plain feed; nothing of the file was taken.",
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= self._limits.depth:
            raise too_much(f"nests deeper than {self._limits.depth} elements", self._place())
        self._text.clear()
        self._held = 0
        entry = self._entry
        if tag == ENTRY and entry is None:
            self._said.entries += 1
            if self._said.entries > self._limits.entries:
                raise too_much(f"has more than {self._limits.entries:,} entries", self._place())
            self._entry, self._entry_depth = Entry(self._parser.CurrentLineNumber), len(self._path)
        elif entry is not None:
            if tag == LINK and "href" in attributes and len(self._path) == self._entry_depth + 1:
                links = entry.links.setdefault(attributes.get("rel", "alternate"), [])
                links.append(attributes["href"].strip())
                self._part_of(entry, len(links), len(links[-1]))
            elif self._path[-1] == CONTENT and len(self._path) == self._entry_depth + 2:
                entry.kinds.append(local(tag))
                self._content_depth = len(self._path)
            elif tag == READING:
                self._said.readings += 1
                self._reading = RawReading(self._said.readings, self._parser.CurrentLineNumber)
        self._path.append(tag)

    def _characters(self, text: str) -> None:
        self._held += len(text)
        if self._held > self._limits.text_bytes:
            raise too_much(f"has a text longer than {self._limits.text_bytes:,}", self._place())
        self._text.append(text)

    def _end(self, tag: str) -> None:
        self._path.pop()
        text = "".join(self._text).strip()
        self._text.clear()
        self._held = 0
        entry, reading = self._entry, self._reading
        if reading is not None:
            if tag == READING:
                self._end_reading(reading)
            elif text:
                note(reading, f"{local(self._path[-1])}/{local(tag)}", text, own=tag.startswith(OURS))
                if entry is not None and len(text) > PART:  # none that is right is so long
                    self._part_of(entry, 0, len(text))
        elif entry is None:
            if tag == f"{ATOM} id" and len(self._path) == 1:
                self._said.id = text
        elif len(self._path) == self._entry_depth:
            self.done.append(entry)
            self._entry = None
        elif len(self._path) == self._entry_depth + 1:
            if tag == f"{ATOM} id":
                entry.id = text
            elif tag == f"{ATOM} title":
                entry.title = text
        elif text:
            path = "/".join(local(one) for one in self._path[self._content_depth :])
            entry.fields[f"{path}/{local(tag)}"] = text
            self._part_of(entry, len(entry.fields), len(path) + len(text))

    def _end_reading(self, reading: RawReading) -> None:
        self._reading = None
        entry = self._entry
        if entry is None:
            return
        said = reading.duration or ""
        entry.durations[said] = entry.durations.get(said, 0) + 1
        self._part_of(entry, len(entry.durations), len(said) if entry.durations[said] == 1 else 0)
        if self._keep:
            entry.readings.append(reading)
            if len(entry.readings) > self._limits.readings_of_entry:
                raise too_much(f"has an entry of more than {self._limits.readings_of_entry:,} readings", self._place())

    def _part_of(self, entry: Entry, count: int, size: int) -> None:
        """Count one more part of an entry: there may be so many, and so much."""
        if size:
            entry.size += size + PART
        if count > self._limits.parts_of_entry:
            raise too_much(f"has an entry of more than {self._limits.parts_of_entry:,} parts", self._place())
        if entry.size > self._limits.entry_bytes:
            raise too_much(f"has an entry of more than {self._limits.entry_bytes:,} bytes", self._place())

    def _place(self) -> str:
        return f"{self._name} line {self._parser.CurrentLineNumber}"


def note(reading: RawReading, place: str, text: str, *, own: bool) -> None:
    """Note one text of a reading where it belongs; others are of no use here (a cost, a tier)."""
    match PLACES.get(place):
        case "start":
            reading.start = text
        case "duration":
            reading.duration = text
        case "value":
            reading.value = text
        case "quality":
            reading.qualities.append(text)
        case "own_quality" if own:
            reading.own_quality = text
        case _:
            pass


def local(tag: str) -> str:
    """Give an element's name without its namespace."""
    return tag.rpartition(" ")[2]


def too_much(what: str, place: str) -> BadInput:
    """Say that a feed is beyond a limit."""
    return BadInput(
        f"{what}.", code="too_much", place=place, remedy="Ask for a shorter time; nothing of the file was taken."
    )
