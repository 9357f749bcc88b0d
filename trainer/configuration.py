"""The training configuration: a commented YAML file, read into values that are checked."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from chartbuster.errors import Misconfigured
from chartbuster.learn.recipes import FOLDS, RECIPES, Recipe
from chartbuster.runs import BASELINE

DEFAULT = "config.yaml"


@dataclass(frozen=True)
class Configuration:
    """What a run is made with; `text` is the file it was read from, as it is stored.

    `models` hold the settings of each model to train, the baseline first.
    """

    seed: int
    folds: int
    fewest_songs: int
    models: tuple[Recipe, ...]
    text: str

    def values(self) -> dict[str, Any]:
        """The settings that decide a run, without the comments around them."""
        return {
            "seed": self.seed,
            "folds": self.folds,
            "fewest_songs": self.fewest_songs,
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
    top = _mapping("the configuration", found, ("seed", "folds", "fewest_songs", "models"))
    lacking = [key for key in ("seed", "folds", "fewest_songs", "models") if key not in top]
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
        models=tuple(_model(known[name], wanted[name]) for name in known if name in wanted),
        text=text,
    )


def _model(kind: type[Recipe], given: Any) -> Recipe:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    settings = _mapping(f"models.{kind.name}", {} if given is None else given, tuple(fields))
    checked: dict[str, Any] = {}
    for key, value in settings.items():
        field = fields[key]
        low, high = field.metadata["low"], field.metadata["high"]
        whole = field.type is int
        number = _number(f"models.{kind.name}.{key}", value, low, high, whole=whole)
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


def _number(where: str, value: Any, low: float, high: float, *, whole: bool) -> float:
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        what = "a whole number" if whole else "a number"
        raise Misconfigured(f"{where} is {value!r}; expected {what} from {low:g} to {high:g}")
    return value
