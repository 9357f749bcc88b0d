"""What the mirror of the buckets decides: file names for keys, the order of things, what to do.

All pure. Two rules make a mirror that is cut anywhere restore to something whose events complete
the work: causes are kept before their effects (an upload before what was prepared from it, that
before the run made of it, a run's files before its manifest, that before the champion), and
listings are taken the other way round, so that whatever is seen has its causes seen too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from chartbuster import layout
from chartbuster.errors import InvalidName
from compose.layout import BUCKETS

CAUSES_FIRST = BUCKETS
EFFECTS_FIRST = tuple(reversed(BUCKETS))

# A file name may have 255 bytes; what is longer goes on in the next folder.
_LONGEST = 200
_GOES_ON = "%"
_EMPTY = "%-"
_NO_DOT = "%."


@dataclass(frozen=True, order=True)
class Place:
    """One object: the role of its bucket (raw, ready or artifacts) and its key."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Fetch:
    """Bring an object home, in the version its ETag names."""

    place: Place
    etag: str


@dataclass(frozen=True)
class Remove:
    """Forget an object that is gone."""

    place: Place


type Action = Fetch | Remove


def plan(seen: Mapping[Place, str], known: Mapping[Place, str | None]) -> tuple[Action, ...]:
    """What makes the mirror, which holds `known`, equal to the buckets, which hold `seen`.

    Both map objects to ETags; None is an object whose version the mirror does not know.
    """
    fetched = [place for place, etag in seen.items() if known.get(place) != etag]
    gone = [place for place in known if place not in seen]
    return (
        *(Fetch(place, seen[place]) for place in in_order(fetched)),
        *(Remove(place) for place in reversed(in_order(gone))),
    )


def in_order(places: Iterable[Place]) -> list[Place]:
    """Causes before effects: the order to keep things in."""
    return sorted(places, key=lambda p: (CAUSES_FIRST.index(p.bucket), _rank(p), p.key))


def in_restore_order(places: Iterable[Place]) -> list[Place]:
    """The order to put things back in: an event must find the work of its object done already.

    So the buckets go from artifacts to raw, and within each the object whose arrival others act on
    comes last.
    """
    return sorted(places, key=lambda p: (EFFECTS_FIRST.index(p.bucket), _rank(p), p.key))


def _rank(place: Place) -> int:
    """How late an object is within its bucket: what names others comes after them."""
    _folders, _slash, name = place.key.rpartition("/")
    match place.bucket:
        case "ready":
            # A report vouches for ready data, so a report that is new never stands beside old.
            return {"current.json": 1, layout.READY: 2, layout.REPORT: 3}.get(name, 0)
        case "artifacts" if place.key == layout.ACTIVE:
            return 3
        case "artifacts" if place.key.startswith((layout.CHAMPIONS, layout.DRIFT)):
            return 2
        case "artifacts" if place.key.startswith(layout.RUNS) and name == "manifest.json":
            return 1
    return 0


def path_of(place: Place) -> PurePosixPath:
    """The relative path of an object's file; no two objects share one, and none leads outside.

    Folder names never hold a dot and file names always do, so the object `a` and the folder of the
    object `a/b` do not collide.
    """
    *folders, name = place.key.split("/")
    parts = [part for folder in folders for part in _chunks(_folder(folder))]
    encoded = _encoded(name)
    if "." in encoded.strip(".") and len(encoded) <= _LONGEST:
        return PurePosixPath(place.bucket, *parts, encoded)
    *leading, last = _chunks(_folder(name))
    return PurePosixPath(place.bucket, *parts, *leading, last + _NO_DOT)


def place_of(path: PurePosixPath) -> Place:
    """The object whose file has this relative path; raises `InvalidName` for any other file."""
    bucket, *folders, name = path.parts
    segments, open_segment = list[str](), ""
    for part in (*folders, name.removesuffix(_NO_DOT)):
        if part.endswith(_GOES_ON):
            open_segment += part.removesuffix(_GOES_ON)
            continue
        segments.append(open_segment + part)
        open_segment = ""
    key = "/".join("" if segment == _EMPTY else unquote(segment) for segment in segments)
    place = Place(bucket, key)
    if bucket not in BUCKETS or path_of(place) != path:
        raise InvalidName(f"{path} is not the name of a kept object, like raw/datasets/a/b.csv")
    return place


def _encoded(segment: str) -> str:
    # What UTF-8 cannot hold cannot be a key, so it can only fail here for a made-up one.
    return quote(segment, safe=" ()+,&'!@~=.-_") or _EMPTY


def _folder(segment: str) -> str:
    return _encoded(segment).replace(".", "%2E")


def _chunks(encoded: str) -> list[str]:
    cut = [encoded[start : start + _LONGEST] for start in range(0, len(encoded), _LONGEST)]
    return [*(part + _GOES_ON for part in cut[:-1]), cut[-1]]
