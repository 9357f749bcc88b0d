"""A song, or several beside one another, as the parameters of an address, and back again.

What the visitor set goes into an address and nothing else; whatever it does not say is what is
usual for the genre. Reading never fails: what makes no sense is left out, and a sentence says so.
Those sentences quote the address, so they are as little to be trusted as the address is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from chartbuster.runs import RunManifest
from chartbuster.scoring import LETTERS, TEXTS
from chartbuster.songs import ATTRIBUTE, AUDIO_NAMES, RELEASE_YEAR, Attribute, genre_name

MOST_VARIANTS = 6
"""How many variants one link compares at most."""

LONGEST_TEXT = 200
"""How many characters a title, an artist, a name or an id has at most."""

LONGEST_VARIANT = 10_000
"""How many characters one variant has at most, encoded: nine times as many as it says, or more."""

VARIANT = "v"

_GENRE = "genre"
_NUMBERS: Mapping[str, Attribute] = ATTRIBUTE | {RELEASE_YEAR.name: RELEASE_YEAR}
_ATTRIBUTES = (_GENRE, *AUDIO_NAMES, *LETTERS, RELEASE_YEAR.name, *TEXTS)
_WHERE = ("dataset", "run")
_AROUND = (*_WHERE, "model", "known", "name")
_DECIMALS = 4
_MOST_GENRES = 30
_MOST_FIELDS = 60
_QUOTED = 40

type Parameters = Mapping[str, Sequence[str]]
"""Query parameters by name, every value of each in its order."""


@dataclass(frozen=True)
class Asked:
    """What an address asks: what a model says of a song.

    `song` holds what was set, by the attributes' names: numbers, text, and under `genre` a list of
    names, the first of which the rest follows; an empty list is no genre, and a song without
    `genre` has the one the page starts with. `known` is the id of the song it started from, `name`
    what the visitor calls it. None of `dataset`, `run` and `model` means the one shown first.
    """

    dataset: str | None = None
    run: str | None = None
    model: str | None = None
    song: Mapping[str, Any] = field(default_factory=dict)
    known: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Variants beside one another, all asked of one run: songs of two datasets do not compare.

    The variants' own `dataset` and `run` are None.
    """

    dataset: str | None = None
    run: str | None = None
    variants: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Read[T]:
    """What was read, and a sentence about everything that was left out."""

    value: T
    left_out: tuple[str, ...] = ()


def parameters(asked: Asked) -> dict[str, list[str]]:
    """`asked` as query parameters, in one order whatever the order things were set in.

    Numbers have four decimals at most, texts `LONGEST_TEXT` characters.
    """
    found = {name: [value[:LONGEST_TEXT]] for name in _AROUND if (value := getattr(asked, name))}
    for name in _ATTRIBUTES:
        value = asked.song.get(name)
        if name == _GENRE and value is not None:
            found[name] = [str(genre) for genre in value] or [""]
        elif name in _NUMBERS and value is not None:
            found[name] = [_short(float(value))]
        elif value:
            found[name] = [str(value)[:LONGEST_TEXT]]
    return found


def read(given: Parameters) -> Read[Asked]:
    """What `given` asks; whether the run can answer it, `fitting` says."""
    left_out: list[str] = []
    around: dict[str, Any] = {}
    song: dict[str, Any] = {}
    for name in _bounded(given, left_out):
        values = [str(value) for value in given[name]]
        if name == _GENRE:
            song[name] = _genres(values, left_out)
            continue
        if name not in _AROUND and name not in _ATTRIBUTES:
            left_out.append(f"The link says {_quoted(name)}, which means nothing here.")
            continue
        if len(values) > 1:
            left_out.append(f"The link says {name} more than once; the first counts.")
        try:
            kept = _value(name, values[0] if values else "")
        except _Unfit as error:
            left_out.append(str(error))
            continue
        if kept != "":
            (around if name in _AROUND else song)[name] = kept
    return Read(Asked(**around, song=song), tuple(left_out))


def fitting(asked: Asked, run: RunManifest) -> Read[Asked]:
    """`asked` without what `run` does not know: genres, attributes, the model."""
    left_out: list[str] = []
    inputs = run.inputs
    song = dict(asked.song)
    if _GENRE in song:
        spelt = {genre.casefold(): genre for genre in inputs.genres}
        found = [(genre, spelt.get(genre_name(genre).casefold())) for genre in song[_GENRE]]
        unknown = [genre for genre, known in found if known is None]
        left_out += [f"The data has no genre {_quoted(genre)}." for genre in unknown]
        song[_GENRE] = list(dict.fromkeys(known for _, known in found if known is not None))
        if unknown and not song[_GENRE]:
            # Somebody meant a genre, and no genre is not it.
            del song[_GENRE]
    for name in [name for name in song if not _had(name, run)]:
        del song[name]
        left_out.append(f"The data has no {_named(name)}, so the link's is not used.")
    model = asked.model
    if model is not None and all(entry.name != model for entry in run.models):
        known = ", ".join(entry.name for entry in run.models)
        left_out.append(f"The run has no model {_quoted(model)}; it has {known}.")
        model = None
    return Read(replace(asked, model=model, song=song), tuple(left_out))


def comparison(compared: Comparison) -> dict[str, list[str]]:
    """`compared` as query parameters; variants past `MOST_VARIANTS` are not in it."""
    around = Asked(dataset=compared.dataset, run=compared.run)
    variants = [
        urlencode(parameters(replace(variant, dataset=None, run=None)), doseq=True)
        for variant in compared.variants[:MOST_VARIANTS]
    ]
    return parameters(around) | ({VARIANT: variants} if variants else {})


def read_comparison(given: Parameters) -> Read[Comparison]:
    """The comparison `given` asks; a variant's own dataset and run are not looked at."""
    around = read({name: values for name, values in given.items() if name != VARIANT})
    left_out = list(around.left_out)
    encoded = list(given.get(VARIANT, ()))
    if len(encoded) > MOST_VARIANTS:
        left_out.append(
            f"The link has {len(encoded)} variants; the first {MOST_VARIANTS} are shown."
        )
    variants = []
    for number, text in enumerate(encoded[:MOST_VARIANTS], start=1):
        if len(text) > LONGEST_VARIANT:
            left_out.append(
                f"Variant {number} of the link has {len(text):,} characters; expected at most "
                f"{LONGEST_VARIANT:,}."
            )
            continue
        variant = decoded(text)
        left_out += variant.left_out
        variants.append(replace(variant.value, dataset=None, run=None))
    asked = around.value
    if not variants and asked.song:
        # A link to one song is a comparison that has only begun.
        variants = [replace(asked, dataset=None, run=None)]
    return Read(Comparison(asked.dataset, asked.run, tuple(variants)), tuple(left_out))


def decoded(query: str) -> Read[Asked]:
    """What the text of a query string, without its question mark, asks."""
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Read(
            Asked(), (f"A part of the link says more than {_MOST_FIELDS} things; it is not read.",)
        )
    return read(found)


def address(page: str, given: Parameters) -> str:
    """The address of `page` with the parameters `given`."""
    query = urlencode(given, doseq=True)
    return f"{page}?{query}" if query else page


def _bounded(given: Parameters, left_out: list[str]) -> list[str]:
    names = list(given)
    if len(names) > _MOST_FIELDS:
        left_out.append(
            f"The link says {len(names)} things; what comes after the first {_MOST_FIELDS} is not "
            "read."
        )
    return names[:_MOST_FIELDS]


class _Unfit(Exception):
    """A value that is left out; the message says why."""


def _value(name: str, text: str) -> float | str:
    """What `text` says of `name`; raises `_Unfit`."""
    if name in _NUMBERS:
        return _number(_NUMBERS[name], text)
    if name in LETTERS and text not in LETTERS[name]:
        wanted = ", ".join(LETTERS[name])
        raise _Unfit(f"The link's {_named(name)} is {_quoted(text)}; expected one of {wanted}.")
    if len(text) > LONGEST_TEXT:
        raise _Unfit(
            f"The link's {name} has {len(text):,} characters; expected at most {LONGEST_TEXT}."
        )
    return text


def _number(attribute: Attribute, text: str) -> float:
    name, wanted = _named(attribute.name), f"expected a number from {attribute.range}"
    try:
        value = float(text)
    except ValueError as error:
        raise _Unfit(f"The link's {name} is {_quoted(text)}; {wanted}.") from error
    if not attribute.low <= value <= attribute.high:
        raise _Unfit(f"The link's {name} is {_quoted(text)}, out of range; {wanted}.")
    return value


def _had(name: str, run: RunManifest) -> bool:
    """Whether the songs of `run` had the attribute; a text may always be said."""
    if name == _GENRE:
        return bool(run.inputs.genres)
    if name in ATTRIBUTE:
        return name in run.inputs.audio
    return name in TEXTS or getattr(run.inputs, name) is not None


def _genres(values: Iterable[str], left_out: list[str]) -> list[str]:
    genres = [value for value in dict.fromkeys(values) if value]
    if len(genres) > _MOST_GENRES:
        left_out.append(f"The link has {len(genres)} genres; the first {_MOST_GENRES} count.")
    return genres[:_MOST_GENRES]


def _short(value: float) -> str:
    """A number without more digits than it needs: `0.71`, `215000`, `-7.5`."""
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _named(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _quoted(text: str) -> str:
    short = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    return f"“{short}”"
