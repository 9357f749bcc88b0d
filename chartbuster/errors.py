"""Every error ChartBuster raises on purpose, in one tree.

The two branches that matter to a caller are `Permanent` (the same input will fail again, so set
it aside and say why) and `TryAgain` (the world was in the way, so the work comes back later). A
message holds what failed, the value, and what would have been right.
"""


class ChartBusterError(Exception):
    """The root of the tree: anything ChartBuster raises knowingly."""


class Permanent(ChartBusterError):
    """The input itself is at fault; a repeat would fail in the same way."""


class TryAgain(ChartBusterError):
    """The input may be fine; something around it was not, and a repeat can succeed."""


class UnreadableUpload(Permanent):
    """An uploaded file that cannot become a table of songs."""


class WrongSchema(Permanent):
    """A prepared table whose columns or schema version are not the ones this code knows."""


class InvalidSong(Permanent):
    """A song whose attributes are unknown or out of range.

    Where one attribute is at fault, `attribute` is its name, `value` what it was given and
    `expected` what would have been right, in words.
    """

    def __init__(
        self, message: str, *, attribute: str = "", value: object = None, expected: str = ""
    ) -> None:
        super().__init__(message)
        self.attribute = attribute
        self.value = value
        self.expected = expected


class InvalidName(Permanent):
    """A dataset or file name that cannot be part of an object key."""


class InvalidReason(Permanent):
    """A reason for a decision that is too short, too long or not one line of text."""


class NotAllowed(Permanent):
    """Something that only an operator may do, tried by somebody who is none."""


class JobUnusable(Permanent):
    """A queue message that can never become a training run."""


class UntrustedModel(Permanent):
    """A stored model that its manifest does not vouch for, or that holds a type not allowed."""


class Corrupt(Permanent):
    """A stored record that cannot be what its key promises: cut short, or not ours."""


class NotFound(Permanent):
    """An object, run or champion that is not there."""


class Misconfigured(Permanent):
    """Settings that are missing or make no sense; names all of them at once."""


class Conflict(TryAgain):
    """A conditional write that somebody else won: read again, then decide again."""


class Unreachable(TryAgain):
    """A service that did not answer, or answered that it cannot serve now."""
