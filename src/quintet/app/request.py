"""What every request is: one struct of parameters, the same on the command line and the socket."""

import msgspec


class Request(msgspec.Struct, frozen=True, tag=True):
    """An operation's parameters; the class name names the operation on the wire."""
