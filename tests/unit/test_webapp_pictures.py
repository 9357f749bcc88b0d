"""Plots are shown as pictures that stand by themselves and say what they show."""

import base64
import re
from xml.etree import ElementTree as ET

from chartbuster.markup import element
from chartbuster.plots import About, Mark, Row, rows
from webapp.pictures import pictured

PLOT = rows(
    About("plot", 'R&B beside "Pop"', "One mark per genre <b>."),
    [Row("R&B <script>", (Mark(1.0),)), Row("Pop", (Mark(2.0),))],
    series=("error",),
    axis="points",
)


def svg_in(html: str) -> ET.Element:
    (source,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    return ET.fromstring(base64.b64decode(source))


def test_a_plot_becomes_an_image_that_holds_the_whole_drawing_and_its_colours() -> None:
    root = svg_in(pictured(PLOT))

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "R&B <script>" in texts
    (style,) = root.iter("{http://www.w3.org/2000/svg}style")
    assert "--teal:" in str(style.text)
    assert "color-scheme: light dark" in str(style.text)


def test_the_image_says_what_the_plot_shows() -> None:
    assert 'alt="R&amp;B beside &quot;Pop&quot;. One mark per genre &lt;b&gt;."' in pictured(PLOT)


def test_what_stands_around_plots_stays() -> None:
    around = element("div", element("p", "before"), PLOT, element("p", "after"))

    html = pictured(around)

    assert html.startswith("<div><p>before</p><img ")
    assert html.endswith('class="cb-picture"><p>after</p></div>')
    assert "<svg" not in html
