"""Invented artists and titles.

An artist is made of nonsense syllables, so that nobody is named by intention; a title of plain
words. Everything is decided by the random generator handed in.
"""

import numpy as np
from numpy.typing import NDArray

from chartbuster.demo.figures import Floats

type Texts = NDArray[np.object_]

_ONSETS = ("b", "br", "d", "dr", "gl", "l", "m", "n", "r", "s", "st", "t", "th", "tr", "v")
_VOWELS = tuple("aeiou")
_ENDINGS = ("l", "r", "th", "x", "nd", "m", "sk")
_FORMS = ("{first} {last}", "The {first} {last}s", "{first} & {last}", "{first} {last} Band")
_FORM_SHARE = np.array([0.72, 0.12, 0.09, 0.07])

_ADJECTIVES = """
Amber, Bitter, Blue, Borrowed, Bright, Broken, Burning, Careful, Clear, Crooked, Distant, Early,
Empty, Endless, Faded, Fearless, Gentle, Golden, Half, Hidden, Hollow, Honest, Idle, Last,
Little, Lonely, Long, Lost, Midnight, Moving, Narrow, New, Northern, Old, Open, Ordinary,
Painted, Paper, Patient, Quiet, Restless, Rising, Salted, Second, Secret, Silver, Simple,
Sleeping, Slow, Small, Soft, Southern, Spare, Stolen, Sudden, Tender, Thin, Tired, Velvet,
Wandering, Warm, Wild, Winter, Wooden
"""
_NOUNS = """
Address, Anchor, Answer, Arrow, Avenue, Balcony, Bell, Bicycle, Blanket, Border, Bridge, Candle,
Carnival, Chair, Circle, City, Clock, Cloud, Coast, Compass, Corner, Country, Crossing, Dance,
Desert, Distance, Door, Echo, Engine, Evening, Feather, Fever, Field, Fire, Flood, Forest,
Garden, Ghost, Glass, Harbour, Heart, Highway, Hill, Holiday, Hour, House, Island, Kitchen,
Lantern, Letter, Light, Machine, Map, Meadow, Mirror, Moon, Morning, Mountain, Night, Number,
Ocean, Orchard, Parade, Pocket, Promise, Question, Radio, Rain, River, Road, Room, Rumour, Salt,
Season, Shadow, Ship, Shore, Signal, Sky, Smoke, Snow, Spark, Square, Stair, Star, Station,
Stone, Story, Storm, Street, Summer, Sunday, Thread, Thunder, Ticket, Tide, Tower, Town, Train,
Tree, Valley, Voice, Wall, Water, Weather, Whisper, Window, Wire
"""
_VERBS = """
Borrow, Break, Call, Carry, Catch, Chase, Count, Draw, Find, Follow, Forget, Hold, Keep, Leave,
Light, Lose, Move, Name, Open, Paint, Pass, Read, Remember, Send, Shake, Stop, Take, Turn, Walk,
Watch
"""
_PLACES = """
Autumn, Black and White, Daylight, December, Fog, Green, June, Motion, My Head, Silence, Slow
Motion, the Attic, the Dark, the Distance, the Morning, the Rain, the Suburbs, Time, Transit,
Winter
"""

# A small share of titles says that it is a version of something.
_VERSIONS = (" - Remix", " - Live", " - Acoustic", " - Remastered", " - Instrumental")
_VERSION_SHARE = np.array([0.018, 0.016, 0.007, 0.013, 0.005])
_FEATURING_SHARE = 0.035


def artist_names(count: int, random: np.random.Generator) -> Texts:
    """`count` different names (count,)."""
    syllables = len(_ONSETS) * len(_VOWELS)
    space = syllables**3 * len(_ENDINGS)
    # Numbers that differ make names that differ: a name can be read back syllable by syllable.
    number = random.choice(space, size=count, replace=False)
    form = _drawn(_FORM_SHARE, random.random(count))
    number, ending = np.divmod(number, len(_ENDINGS))
    first = _syllable(number % syllables) + _syllable(random.integers(0, syllables, count))
    last = _syllable(number // syllables % syllables) + _syllable(number // syllables**2)
    last += _words(_ENDINGS)[ending]
    first, last = _capitalised(first), _capitalised(last)
    names = np.empty(count, dtype=object)
    for index, pattern in enumerate(_FORMS):
        chosen = form == index
        before, rest = pattern.split("{first}")
        between, after = rest.split("{last}")
        names[chosen] = before + first[chosen] + between + last[chosen] + after
    return names


def titles(artists: Texts, random: np.random.Generator) -> Texts:
    """One title (N,) per song; `artists` are the names a title can feature."""
    count = len(artists)

    def some(listed: str) -> Texts:
        words = _words(" ".join(listed.split()).split(", "))
        return words[random.integers(0, len(words), count)]

    nouns, adjectives, verbs, places = some(_NOUNS), some(_ADJECTIVES), some(_VERBS), some(_PLACES)
    others = some(_NOUNS)
    forms = (
        adjectives + " " + nouns,
        nouns + " in " + places,
        verbs + " the " + nouns,
        "The " + nouns + " and the " + others,
        nouns + ", " + others,
        verbs + " My " + adjectives + " " + nouns,
    )
    share = np.array([0.34, 0.16, 0.18, 0.1, 0.08, 0.14])
    title = np.choose(_drawn(share, random.random(count)), forms)

    guest = artists[random.integers(0, count, count)]
    featuring = (random.random(count) < _FEATURING_SHARE) & (guest != artists)
    title[featuring] += (" (feat. " + guest + ")")[featuring]

    plain = 1 - _VERSION_SHARE.sum()
    version = _drawn(np.append(_VERSION_SHARE, plain), random.random(count))
    return np.asarray(title + _words([*_VERSIONS, ""])[version], dtype=object)


def _drawn(share: Floats, uniform: Floats) -> NDArray[np.int64]:
    """The index (N,) each `uniform` (N,) falls on when [0, 1) is divided by `share`."""
    return np.searchsorted(np.cumsum(share)[:-1], uniform, side="right")


def _words(words: tuple[str, ...] | list[str]) -> Texts:
    return np.array(words, dtype=object)


def _syllable(number: NDArray[np.int64]) -> Texts:
    both = [onset + vowel for onset in _ONSETS for vowel in _VOWELS]
    return _words(both)[number]


def _capitalised(words: Texts) -> Texts:
    return np.array([word.capitalize() for word in words], dtype=object)
