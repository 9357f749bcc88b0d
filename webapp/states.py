"""What the app knows of the store at a moment: values only, so a page is a function of one."""

from dataclasses import dataclass

from chartbuster.registry import Champion, RunManifest


@dataclass(frozen=True)
class Connecting:
    """Nobody has looked yet."""


@dataclass(frozen=True)
class Away:
    """The store does not answer, and nothing was read from it before."""


@dataclass(frozen=True)
class Progress:
    """A training run on its way. `fraction` of the work is done, 0 to 1."""

    dataset: str
    stage: str
    fraction: float


@dataclass(frozen=True)
class Waiting:
    """The store answers but holds no champion yet; `runs` are those that say how far they are."""

    runs: tuple[Progress, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A dataset with its champion and one of its runs, the champion's unless a link names another.

    `model` is the one to ask unless somebody wants another: the champion, or the best of its run.
    """

    dataset: str
    champion: Champion
    run: RunManifest

    @property
    def reigns(self) -> bool:
        """Whether the run is the champion's."""
        return self.run.run_id == self.champion.run_id

    @property
    def model(self) -> str:
        """The name of the model to ask first."""
        return self.champion.model if self.reigns else self.run.best


@dataclass(frozen=True)
class Broken:
    """A dataset whose champion cannot be shown; `why` is a sentence for people."""

    dataset: str
    why: str


@dataclass(frozen=True)
class Showing:
    """The datasets that have a champion, the one to show first in front.

    `asleep` means the store has stopped answering since: what is loaded still works.
    """

    datasets: tuple[Shown | Broken, ...]
    asleep: bool = False


type State = Connecting | Away | Waiting | Showing
