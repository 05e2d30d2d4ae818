"""Passwords: argon2id, one time for all answers, and a bound of tries that knows nobody.

Who is unknown, disabled or has no password costs the same hash as who is known; who tries too often is refused the same
way, right or wrong, before anything is hashed.
"""

import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from ipaddress import ip_address, ip_network

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from zxcvbn import zxcvbn

from quintet.terms.errors import BadInput, QuintetError

from .account_limits import account_limits

LOOKED_AT = 72
"""Signs that are weighed: what follows makes a password no weaker, and takes long to weigh."""


class TooManyTries(QuintetError):
    """There were too many tries; later they are taken again."""

    status = 429


class Passwords:
    """Hashes and checks passwords, a few at a time: each takes 64 MiB (RFC 9106, second recommended option)."""

    def __init__(self) -> None:
        """Make the hash with which unknown names are compared."""
        self._hasher = PasswordHasher()
        self._room = threading.BoundedSemaphore(account_limits().hashes_at_once)
        self._nobody: str | None = None

    def hashed(self, password: str) -> str:
        """Hash a new password; raises BadInput for one that is too short or too long."""
        check_password(password)
        with self._room:
            return self._hasher.hash(composed(password))

    def fits(self, password: str, known: str | None) -> bool:
        """Tell whether a password is the one of a hash; None for nobody's takes as long and never fits."""
        most, given = account_limits().password_most, composed(password)
        known = known if len(given) <= most else None  # none so long was ever taken
        given = given[:most]
        with self._room:
            if self._nobody is None:
                self._nobody = self._hasher.hash("nobody has this password")
            try:
                return self._hasher.verify(known or self._nobody, given) and known is not None
            except (VerificationError, InvalidHashError):
                return False


def composed(password: str) -> str:
    """Give the one form of a password: a Korean syllable is one sign or three, by the device (RFC 8265, 4.2.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, about: Sequence[str] = ()) -> None:
    """Refuse a new password that is too short, too long, or that a guesser soon comes to.

    `about` are words of its person (name, mail): who guesses tries them first. How soon is reckoned by zxcvbn (common
    passwords, words, dates, keys side by side, repetition; Wheeler 2016, USENIX Security) on the first signs.
    """
    limits, password = account_limits(), composed(password)
    if not limits.password_least <= len(password) <= limits.password_most:
        raise BadInput(
            f"has {len(password)} signs.",
            code="bad_password",
            place="password",
            remedy=f"Use {limits.password_least} to {limits.password_most}: a sentence is easy to remember.",
            said={"least": limits.password_least, "most": limits.password_most},
        )
    words = [part for one in about for part in (one, *one.split("@")) if part]
    if float(zxcvbn(password[:LOOKED_AT], user_inputs=words)["guesses_log10"]) < limits.password_guesses_log10:
        raise BadInput(
            "is one that is soon guessed: common, repeated, in order, or your name.",
            code="weak_password",
            place="password",
            remedy="Take some words that do not belong together.",
        )


class Tries:
    """Counts tries within a moving window: of a name, of a name from one address, of an address.

    A try that is not over yet counts as one that failed: many at once are no more than one after the other.
    """

    def __init__(self) -> None:
        """Begin with none."""
        limits = account_limits()
        self._window = MovingWindowRateLimiter(MemoryStorage())
        minutes = limits.window_minutes
        self._of_name = RateLimitItemPerMinute(limits.tries_of_name, minutes, namespace="name")
        self._of_both = RateLimitItemPerMinute(limits.tries_of_name_here, minutes, namespace="both")
        self._of_address = RateLimitItemPerMinute(limits.tries_of_address, minutes, namespace="address")
        self._lock = threading.Lock()
        self._going: Counter[Key] = Counter()

    def check(self, name: str, address: str) -> None:
        """Raise TooManyTries where one more is too many; nothing is counted.

        A code or a link has no name: "" counts by address only.
        """
        self._refuse(self._keys(name, address))

    @contextmanager
    def trying(self, name: str, address: str) -> Generator[None]:
        """Make one try, counted as long as it goes on; `failed` counts it for good. Raises as `check` does."""
        keys = self._keys(name, address)
        with self._lock:
            self._refuse(keys)
            self._going.update(keys)
        try:
            yield
        finally:
            with self._lock:
                self._going.subtract(keys)
                for key in keys:
                    if not self._going[key]:
                        del self._going[key]

    def failed(self, name: str, address: str) -> None:
        """Count a try that failed."""
        for item, *names in self._keys(name, address):
            self._window.hit(item, *names)

    def _refuse(self, keys: Sequence["Key"]) -> None:
        for key in keys:
            item, *names = key
            if not self._window.test(item, *names, cost=1 + self._going[key]):
                stats = self._window.get_window_stats(item, *names)
                error = TooManyTries(
                    "there were too many tries.",
                    code="too_many_tries",
                    remedy="Wait until Retry-After has passed; nobody else is kept out.",
                )
                error.retry_after_s = max(int(stats.reset_time - time.time()) + 1, 1)
                raise error

    def _keys(self, name: str, address: str) -> list["Key"]:
        # by digest: what is remembered of a try is as small however long a name was made up
        name, address = (
            blake2b(one.encode(), digest_size=16).hexdigest() if one else "" for one in (name, whose(address))
        )
        here: list[Key] = [(self._of_address, address)]
        return [(self._of_both, name, address), (self._of_name, name), *here] if name else here


Key = tuple[RateLimitItem, str] | tuple[RateLimitItem, str, str]
"""What is bounded, and of whom."""


def whose(address: str) -> str:
    """Name who asks from an address: of IPv6 a subscriber has a whole network, and is one (accounts.toml).

    Some proxies write the port as well, which says nothing of who asks.
    """
    bare = address[1:].partition("]")[0] if address.startswith("[") else address
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, account_limits().ipv6_prefix), strict=False))
