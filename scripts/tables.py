"""The tables that the status of a stack shows, wherever it runs."""

from collections.abc import Iterable, Mapping

from rich import box
from rich.table import Table

from chartbuster.ports import Depth
from compose.status import Served


def plain(*columns: str) -> Table:
    """A table without frames; a column whose name begins with > is of numbers."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        made.add_column(column.removeprefix(">"), justify="right" if right else "left")
    return made


def of_queues(queues: Mapping[str, Depth]) -> Table:
    """How deep each queue is."""
    made = plain("queue", ">waiting", ">in hand")
    for name, depth in queues.items():
        made.add_row(name, str(depth.waiting), str(depth.in_hand))
    return made


def of_champions(champions: Iterable[Served]) -> Table:
    """Which model is champion of each dataset."""
    made = plain("dataset", "champion", "run", "since (UTC)", "")
    for served in champions:
        first = "shown first" if served.active else ""
        since = served.since[:16].replace("T", " ")
        made.add_row(served.dataset, served.model, served.run_id, since, first)
    return made
