"""A measured figure beside its target, as the benchmarks print it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its target: at most it, or at least it where `more` is better."""

    name: str
    value: float
    unit: str
    target: float
    more: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.more else self.value <= self.target

    def __str__(self) -> str:
        sign = ">=" if self.more else "<="
        verdict = "met" if self.met else "MISSED"
        value = f"{self.value:,.2f}" if self.value < 10 else f"{self.value:,.1f}"
        return f"{self.name:<56} {value:>9} {self.unit:<3} {sign} {self.target:>7,.4g}  {verdict}"
