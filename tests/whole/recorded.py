"""A disk that loses its power: what a process did to its files, recorded by strace, and what may be left of it.

What was not synced may be kept, dropped or cut, each change by itself; a name is durable when its folder was synced.
"""

import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
"""A disk writes at least this much whole."""
CALLS = (
    "open,openat,creat,close,dup,dup2,dup3,fcntl,lseek,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,"
    "ftruncate,truncate,fallocate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,"
    "mkdirat,fsync,fdatasync,sync_file_range,msync"
)
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$", re.DOTALL)
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass
class Call:
    """One system call: its name, arguments as written, its result, and how many calls had ended when it began."""

    name: str
    words: str
    result: int
    began: int


@dataclass
class Change:
    """One change that a sync makes durable: a write or a new length of a file, or names put and dropped in folders."""

    at: int
    data: bytes | None = None
    offset: int = 0
    names: list[tuple[int, str, int | None]] = field(default_factory=list)


@dataclass
class Node:
    """A file or folder: what of it is durable, and what was changed since."""

    folder: bool
    content: bytearray = field(default_factory=bytearray)
    names: dict[str, int] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)


def record(command: list[str], trace: Path, environment: dict[str, str]) -> str:
    """Run a command under strace to its end; give what it printed."""
    strace = ["strace", "-f", "-qq", "-xx", "-s", str(2**26), "-e", f"trace={CALLS}", "-e", "signal=none", "-o", trace]
    done = subprocess.run(
        [*strace, *command], capture_output=True, text=True, env=environment, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def calls(trace: Path) -> Iterator[Call]:
    """Read the calls that succeeded in the order in which they ended."""
    begun: dict[str, tuple[str, str, int]] = {}
    ended = 0
    with trace.open() as lines:
        for line in lines:
            found = LINE.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, resumed, name, rest = found.groups()
            began, words = ended, rest
            if resumed:
                name, head, began = begun.pop(thread)
                words = head + rest
            if words.endswith("<unfinished ...>"):
                begun[thread] = (name, words.removesuffix("<unfinished ...>"), began)
                continue
            words, _, result = words.rpartition(" = ")
            number = re.match(r"-?\d+", result)
            ended += 1
            if number is not None and int(number[0]) >= 0:
                yield Call(name, words.rstrip().removesuffix(")"), int(number[0]), began)


def texts(words: str) -> list[bytes]:
    """Give the quoted texts among a call's arguments."""
    return [bytes.fromhex(found.replace("\\x", "")) for found in TEXT.findall(words)]


class Disk:
    """The files below a folder as a process changed them, with what was durable at each moment."""

    def __init__(self, root: Path) -> None:
        """Begin with an empty folder."""
        self.root = str(root)
        self.nodes = {0: Node(folder=True)}
        self.now: dict[str, int] = {self.root: 0}
        self.files: dict[int, tuple[int | None, str, bool]] = {}
        self.places: dict[int, int] = {}
        self.lengths: dict[int, int] = {0: 0}
        self.said: list[str] = []
        self.ended = 0
        self._printed = b""

    def take(self, call: Call) -> None:
        """Do what a call did."""
        getattr(self, f"_{call.name}", self._refuse)(call)
        self.ended += 1

    def _refuse(self, call: Call) -> None:
        inside = any(self._inside(text.decode(errors="replace")) for text in texts(call.words))
        handles = [int(word) for word in re.findall(r"(?<![\w.])(\d+)(?=[,)]|$)", call.words.split('"')[0])]
        ours = any(self.files.get(handle, (None,))[0] is not None for handle in handles[:1])
        assert not inside, f"{call.name} is not known here"
        assert not ours, f"{call.name} is not known here"

    def _inside(self, path: str) -> bool:
        return path == self.root or path.startswith(self.root + "/")

    def _paths(self, call: Call) -> list[str]:
        """Give a call's paths, those beside a folder's handle made absolute."""
        out: list[str] = []
        for match in TEXT.finditer(call.words):
            path = bytes.fromhex(match[1].replace("\\x", "")).decode()
            before = re.search(r"(\d+), $", call.words[: match.start()])
            if not path.startswith("/") and before is not None:
                path = f"{self.files.get(int(before[1]), (None, '', False))[1]}/{path}"
            out.append(path)
        return out

    def _name(self, path: str, node: int | None) -> tuple[int, str, int | None]:
        """Put a name into its folder, or drop it; gives the change."""
        parent, _, name = path.rpartition("/")
        if node is None:
            self.now.pop(path, None)
        else:
            self.now[path] = node
        return self.now[parent], name, node

    def _named(self, *names: tuple[int, str, int | None]) -> None:
        change = Change(self.ended, names=list(names))
        for parent in {parent for parent, _, _ in names}:
            self.nodes[parent].pending.append(change)

    def _new(self, path: str, *, folder: bool) -> int:
        node = len(self.nodes)
        self.nodes[node] = Node(folder)
        self.lengths[node] = 0
        self._named(self._name(path, node))
        return node

    def _openat(self, call: Call) -> None:
        path = self._paths(call)[0]
        node: int | None = None
        if self._inside(path):
            node = self.now[path] if path in self.now else self._new(path, folder=False)
            if "O_TRUNC" in call.words and self.lengths[node]:
                self._cut(node, 0)
        self.files[call.result] = (node, path, "O_APPEND" in call.words)
        self.places[call.result] = 0

    _open = _creat = _openat

    def _close(self, call: Call) -> None:
        self.files.pop(int(call.words), None)

    def _dup(self, call: Call) -> None:
        source = int(re.match(r"\d+", call.words)[0])  # type: ignore[index]
        if source in self.files:
            self.files[call.result] = self.files[source]
            self.places[call.result] = self.places[source]

    _dup2 = _dup3 = _dup

    def _fcntl(self, call: Call) -> None:
        if "F_DUPFD" in call.words:
            self._dup(call)

    def _lseek(self, call: Call) -> None:
        self.places[int(call.words.split(",")[0])] = call.result

    def _file(self, call: Call) -> int | None:
        return self.files.get(int(call.words.split(",")[0]), (None, "", False))[0]

    def _write(self, call: Call) -> None:
        handle, data = int(call.words.split(",")[0]), b"".join(texts(call.words))[: call.result]
        if handle == 1:
            *lines, self._printed = (self._printed + data).split(b"\n")
            self.said += [line.decode() for line in lines]
        node, _, append = self.files.get(handle, (None, "", False))
        if node is not None:
            place = self.lengths[node] if append else self.places[handle]
            self._put(node, place, data)
            self.places[handle] = place + len(data)

    _writev = _write

    def _pwrite64(self, call: Call) -> None:
        node = self._file(call)
        if node is not None:
            self._put(node, int(call.words.rsplit(",", 1)[1]), b"".join(texts(call.words))[: call.result])

    _pwritev = _pwrite64

    def _copy(self, source: int, target: int, place: int, count: int) -> None:
        """Copy within the kernel: the bytes are what the source holds just now, from where it was read last."""
        node, path, _ = self.files[source]
        begin = self.places[source]
        data = (self.image(node) if node is not None else Path(path).read_bytes())[begin : begin + count]
        self.places[source] = begin + count
        self._put(target, place, bytes(data))

    def _sendfile(self, call: Call) -> None:
        words = call.words.split(", ")
        target, source = int(words[0]), int(words[1])
        node = self.files.get(target, (None, "", False))[0]
        if node is None or not call.result:
            return
        begin = re.match(r"\[(\d+)\]", words[2])
        if begin is not None:
            self.places[source] = int(begin[1])
        self._copy(source, node, self.places[target], call.result)
        self.places[target] += call.result

    def _copy_file_range(self, call: Call) -> None:
        words = call.words.split(", ")
        node = self.files.get(int(words[2]), (None, "", False))[0]
        if node is not None and call.result:
            assert words[1] == words[3] == "NULL"
            self._copy(int(words[0]), node, self.places[int(words[2])], call.result)
            self.places[int(words[2])] += call.result

    def _ftruncate(self, call: Call) -> None:
        node = self._file(call)
        if node is not None:
            self._cut(node, int(call.words.split(", ")[1]))

    def _put(self, node: int, offset: int, data: bytes) -> None:
        self.lengths[node] = max(self.lengths[node], offset + len(data))
        self.nodes[node].pending.append(Change(self.ended, data, offset))

    def _cut(self, node: int, length: int) -> None:
        self.lengths[node] = length
        self.nodes[node].pending.append(Change(self.ended, None, length))

    def _mkdir(self, call: Call) -> None:
        path = self._paths(call)[0]
        if self._inside(path) and path != self.root:
            self._new(path, folder=True)

    _mkdirat = _mkdir

    def _rename(self, call: Call) -> None:
        old, new = self._paths(call)
        if self._inside(old):
            node = self.now[old]
            self._named(self._name(old, None), self._name(new, node))
            for path in [path for path in self.now if path.startswith(old + "/")]:
                self.now[new + path.removeprefix(old)] = self.now.pop(path)

    _renameat = _renameat2 = _rename

    def _link(self, call: Call) -> None:
        old, new = self._paths(call)
        if self._inside(new):
            self._named(self._name(new, self.now[old]))

    _linkat = _link

    def _unlink(self, call: Call) -> None:
        path = self._paths(call)[0]
        if self._inside(path):
            self._named(self._name(path, None))

    _unlinkat = _rmdir = _unlink

    def _fsync(self, call: Call) -> None:
        """Make durable what was changed before the call began."""
        number = self._file(call)
        if number is None:
            return
        node = self.nodes[number]
        for change in [change for change in node.pending if change.at <= call.began]:
            self._settle(number, change)

    _fdatasync = _fsync

    def _settle(self, number: int, change: Change) -> None:
        for node in {number, *(parent for parent, _, _ in change.names)}:
            self.nodes[node].pending.remove(change)
        applied(self.nodes, number, change)

    def image(self, number: int) -> bytearray:
        """Give a file's content as the process sees it."""
        content = bytearray(self.nodes[number].content)
        for change in self.nodes[number].pending:
            written(content, change)
        return content

    def lose_power(self, chance: random.Random, target: Path) -> None:
        """Write what may be left into a new folder: all, some or nothing of what was not synced."""
        keep = chance.choice((0.0, 0.5, 0.5, 0.9, 1.0))
        nodes = {n: Node(node.folder, bytearray(node.content), dict(node.names)) for n, node in self.nodes.items()}
        seen: dict[int, bool] = {}
        changes = [(change.at, n, change) for n, node in self.nodes.items() for change in node.pending]
        for _, number, change in sorted(changes, key=lambda one: one[:2]):
            if id(change) in seen:
                continue
            seen[id(change)] = True
            if chance.random() < keep:
                applied(nodes, number, torn(chance, change) if chance.random() < 0.3 else change)
        put_down(nodes, 0, target)


def written(content: bytearray, change: Change) -> None:
    """Change a file's content."""
    if change.data is None:
        del content[change.offset :]
    content.extend(bytes(max(0, change.offset - len(content))))
    if change.data is not None:
        content[change.offset : change.offset + len(change.data)] = change.data


def applied(nodes: dict[int, Node], number: int, change: Change) -> None:
    """Apply a change to what is durable."""
    if not change.names:
        written(nodes[number].content, change)
    for parent, name, node in change.names:
        if node is None:
            nodes[parent].names.pop(name, None)
        else:
            nodes[parent].names[name] = node


def torn(chance: random.Random, change: Change) -> Change:
    """Cut a write off where a sector ends."""
    if not change.data:
        return change
    end = (change.offset + chance.randrange(len(change.data) + 1)) // SECTOR * SECTOR
    return Change(change.at, change.data[: max(0, end - change.offset)], change.offset)


def put_down(nodes: dict[int, Node], number: int, target: Path) -> None:
    """Write a folder and all that is in it."""
    target.mkdir()
    for name, child in nodes[number].names.items():
        if nodes[child].folder:
            put_down(nodes, child, target / name)
        else:
            (target / name).write_bytes(nodes[child].content)
