"""A measured figure beside its target, as the benchmarks print it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its target: at most it, or at least it where `more` is better.

    Without a target it is there to be compared with.
    """

    name: str
    value: float
    unit: str
    target: float | None
    more: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met; true where there is none."""
        if self.target is None:
            return True
        return self.value >= self.target if self.more else self.value <= self.target

    def __str__(self) -> str:
        sign = ">=" if self.more else "<="
        verdict = "met" if self.met else "MISSED"
        value = f"{self.value:,.2f}" if self.value < 10 else f"{self.value:,.1f}"
        measured = f"{self.name:<56} {value:>9} {self.unit:<3}"
        return (
            measured
            if self.target is None
            else f"{measured} {sign} {self.target:>7,.4g}  {verdict}"
        )
