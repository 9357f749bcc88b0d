"""Tables with a column for every variant, as HTML made of values. Every text is escaped.

On a narrow screen the cells of a line stand below its name, each with its variant's letter; the
roles say that it is still a table.
"""

from collections.abc import Sequence

from chartbuster.markup import Markup, element
from webapp.compare.differences import Line


def html(
    name: str, letters: Sequence[str], lines: Sequence[Line], *, total: bool = False
) -> Markup:
    """The table `name` of `lines`, the variants' letters over their columns.

    With `total` the last line is set off as what the others add up to.
    """
    head = element(
        "tr",
        element("td", role="cell"),
        *(element("th", letter, scope="col", role="columnheader") for letter in letters),
        role="row",
        class_="cb-letters",
    )
    body = [
        _line(letters, line, total=total and number == len(lines) - 1)
        for number, line in enumerate(lines)
    ]
    return element(
        "table",
        element("caption", name, class_="cb-unseen"),
        element("thead", head, role="rowgroup"),
        element("tbody", *body, role="rowgroup"),
        role="table",
        class_="cb-side",
    )


def _line(letters: Sequence[str], line: Line, *, total: bool) -> Markup:
    cells = []
    for letter, cell in zip(letters, line.cells, strict=True):
        apart = [element("span", cell.apart, class_="cb-apart")] if cell.apart else []
        cells.append(
            element(
                "td",
                element("span", letter, class_="cb-of", aria_hidden="true"),
                element("span", cell.value or "not known", class_="cb-value"),
                *apart,
                role="cell",
            )
        )
    return element(
        "tr",
        element("th", line.name, scope="row", role="rowheader"),
        *cells,
        role="row",
        class_="cb-total" if total else None,
    )
