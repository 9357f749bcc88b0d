"""The training configuration: a commented YAML file, read into values that are checked."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from chartbuster.errors import Misconfigured
from chartbuster.learn.recipes import FOLDS, RECIPES, Recipe, bounded
from chartbuster.runs import BASELINE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DEFAULT = "config.yaml"

_OPTIONAL = ("calibration", "interval", "hits", "search", "report", "blend")
_KEYS = ("seed", "folds", "fewest_songs", *_OPTIONAL, "models")


@dataclass(frozen=True)
class Hits:
    """What a hit is: the share of songs that are, and among how many precision is taken."""

    top: float = bounded(0.1, 0.001, 0.5)
    precision_at: int = bounded(100, 1, 1_000_000)


@dataclass(frozen=True)
class Search:
    """How far settings are searched: see `search`. Without candidates nothing is."""

    candidates: int = bounded(4, 0, 200)
    songs: int = bounded(4_000, 100, 1_000_000)
    seconds: float = bounded(120.0, 0.0, 86_400.0)
    megabytes: float = bounded(30.0, 0.1, 256.0)


@dataclass(frozen=True)
class Reporting:
    """On how many songs the report's comparisons are made, which fit a model once more each."""

    songs: int = bounded(8_000, 100, 1_000_000)


@dataclass(frozen=True)
class Configuration:
    """What a run is made with; `text` is the file it was read from, as it is stored.

    `interval` is how often popularity is to be within an interval, `calibration` the share of songs
    kept apart to see to that. `models` hold the settings of each model to train, the baseline
    first; `blend` names those whose mean is tried as one more.
    """

    seed: int
    folds: int
    fewest_songs: int
    calibration: float
    interval: float
    hits: Hits
    search: Search
    report: Reporting
    blend: tuple[str, ...]
    models: tuple[Recipe, ...]
    text: str

    def values(self) -> dict[str, Any]:
        """The settings that decide a run, without the comments around them."""
        return {
            "seed": self.seed,
            "folds": self.folds,
            "fewest_songs": self.fewest_songs,
            "calibration": self.calibration,
            "interval": self.interval,
            "hits": dataclasses.asdict(self.hits),
            "search": dataclasses.asdict(self.search),
            "report": dataclasses.asdict(self.report),
            "blend": list(self.blend),
            "models": {model.name: dataclasses.asdict(model) for model in self.models},
        }


def default_text() -> str:
    """The configuration that comes with the trainer."""
    return files("trainer").joinpath(DEFAULT).read_text(encoding="utf-8")


def read_configuration(text: str) -> Configuration:
    """The configuration in `text`; raises `Misconfigured` naming key, value and what is right."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise Misconfigured(f"the configuration is no readable YAML: {error}") from error
    top = _mapping("the configuration", found, _KEYS)
    lacking = [key for key in _KEYS if key not in top and key not in _OPTIONAL]
    if lacking:
        raise Misconfigured(f"the configuration lacks {', '.join(lacking)}")
    known = {model.name: model for model in RECIPES}
    wanted = _mapping("models", top["models"], tuple(known))
    if BASELINE not in wanted:
        raise Misconfigured(f"models lacks {BASELINE}; every score is read beside it")
    return Configuration(
        seed=int(_number("seed", top["seed"], 0, 2**32 - 1, whole=True)),
        folds=int(_number("folds", top["folds"], 1, FOLDS, whole=True)),
        fewest_songs=int(_number("fewest_songs", top["fewest_songs"], 50, 10**9, whole=True)),
        calibration=_number("calibration", top.get("calibration", 0.05), 0.0, 1 / FOLDS),
        interval=_number("interval", top.get("interval", 0.9), 0.5, 0.98),
        hits=_settings("hits", Hits, top.get("hits")),
        search=_settings("search", Search, top.get("search")),
        report=_settings("report", Reporting, top.get("report")),
        blend=_blend(top.get("blend"), tuple(name for name in wanted if name != BASELINE)),
        models=tuple(
            _settings(f"models.{name}", kind, wanted[name])
            for name, kind in known.items()
            if name in wanted
        ),
        text=text,
    )


def _blend(given: Any, models: tuple[str, ...]) -> tuple[str, ...]:
    names = [] if given is None else given
    right = f"no models, or two or more of {', '.join(models)}, each once"
    if not isinstance(names, list) or not all(name in models for name in names):
        raise Misconfigured(f"blend is {given!r}; expected {right}")
    if len(names) == 1 or len(set(names)) < len(names):
        raise Misconfigured(f"blend is {given!r}; expected {right}")
    return tuple(names)


def _settings[T: "DataclassInstance"](where: str, kind: type[T], given: Any) -> T:
    """The settings of `kind` in `given`, each within the bounds of its field."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    settings = _mapping(where, {} if given is None else given, tuple(fields))
    checked: dict[str, Any] = {}
    for key, value in settings.items():
        field = fields[key]
        low, high = field.metadata["low"], field.metadata["high"]
        whole = field.type is int
        number = _number(f"{where}.{key}", value, low, high, whole=whole)
        checked[key] = int(number) if whole else float(number)
    return kind(**checked)


def _mapping(where: str, value: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Misconfigured(f"{where} is {value!r}; expected the keys {', '.join(known)}")
    unknown = [key for key in value if key not in known]
    if unknown:
        raise Misconfigured(
            f"{where} has the unknown key {unknown[0]!r}; expected only {', '.join(known)}"
        )
    return value


def _number(where: str, value: Any, low: float, high: float, *, whole: bool = False) -> float:
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        what = "a whole number" if whole else "a number"
        raise Misconfigured(f"{where} is {value!r}; expected {what} from {low:g} to {high:g}")
    return value
