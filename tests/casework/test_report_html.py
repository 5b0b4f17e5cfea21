"""The report: one file, nothing from elsewhere, nothing that runs, everything reachable."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer.casework.report import mathematics, write_report
from keycustomer.casework.report.cleaning import clean
from keycustomer.casework.report.front import compact
from keycustomer.casework.report.mathematics import to_mathml
from keycustomer.casework.report.prose import render

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fc"
        "cff0bf1e0005fe02fea735816e0000000049454e44ae426082"
    )
).decode()

VOID = {"meta", "img", "br", "hr", "col", "wbr", "input", "link", "area", "base", "embed"}
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)" onclick="alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<img src="https://evil.example/x.png"><img src="//evil.example/x.png">',
    '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    '<iframe src="https://evil.example"></iframe><object data="https://evil.example"></object>',
    "<style>@import url(https://evil.example/x.css); body{background:url(//evil.example)}</style>",
    '<p style="background:url(https://evil.example/x.png)">x</p>',
    '<link rel="stylesheet" href="https://evil.example/x.css"><base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<form action="https://evil.example"><input name=a autofocus onfocus=alert(1)></form>',
    '<video src="https://evil.example/v"></video><audio src="https://evil.example/a"></audio>',
    '<div id="main" class="banner">x</div>',
    "</section></main></body><script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script>alert(1)",
    "<!--><img src=x onerror=alert(1)>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "$\\text{<script>alert(1)</script>}$ $\\href{javascript:alert(1)}{x}$",
    '$\\style{background:url("https://evil.example")}{x}$ $"onload="alert(1)$',
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "`</code><script>alert(1)</script>`",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
)


class Page(HTMLParser):
    """Elements of a page with their attributes, and their nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.words: list[tuple[str, tuple[str, ...]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        self.words.append((data, tuple(self.open)))

    def all(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]

    def values(self, name):
        return [attributes[name] or "" for _, attributes, _ in self.elements if name in attributes]

    def text_in(self, tag):
        return "".join(text for text, path in self.words if tag in path)


def assert_harmless(page: Page) -> None:
    """No script, no handler, no style of others, no reference to another machine."""
    tags = {tag for tag, _, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "input"}
    assert not tags & {"svg", "video", "audio", "source", "template", "noscript", "foreignobject"}
    assert len(page.all("style")) <= 1
    assert [e for e in page.all("meta") if "http-equiv" in e and "default-src" not in str(e)] == []
    for tag, attributes, _ in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not set(attributes) & {"srcset", "action", "data", "poster", "background", "ping"}
        if "src" in attributes:
            assert tag == "img"
            assert attributes["src"].startswith("data:image/")
        for name in ("href", "xlink:href"):
            target = attributes.get(name)
            assert target is None or target.startswith("#") or (tag == "a" and is_web(target))
    assert "url(" not in "".join(text for text, path in page.words if "style" in path)
    assert "@import" not in page.text_in("style")


def is_web(target: str) -> bool:
    """Whether a link leads to a page that is loaded only when the reader follows it."""
    return bool(re.match(r"(https?://|mailto:)", target))


def markdown(source, *tags, **metadata):
    return {
        "cell_type": "markdown",
        "metadata": {"tags": list(tags), **metadata},
        "source": source.splitlines(keepends=True),
    }


def code(source, *outputs, tags=(), **metadata):
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {"tags": list(tags), **metadata},
        "source": source,
        "outputs": list(outputs),
    }


def shown(metadata=None, **data):
    renamed = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "display_data", "data": renamed, "metadata": metadata or {}}


def printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


ERROR = {
    "output_type": "error",
    "ename": "ValueError",
    "evalue": "no <b>customer</b>",
    "traceback": ["\x1b[0;31mValueError\x1b[0m", "  File <script>alert(1)</script>"],
}

RESULTS = {
    "case": {
        "name": "shop",
        "title": "A shop",
        "data": "Every sale of a shop.",
        "simulated": False,
        "identifiable": False,
        "currency": "EUR",
        "start": "2024-01-01",
        "end": "2024-12-31",
        "margin": 0.3,
    },
    "measures": [
        {
            "chapter": "1_pareto_analysis",
            "measure": "pareto_share",
            "group": "top_20",
            "estimate": 0.677773829698457,
            "lower": 0.655,
            "upper": 0.699,
            "unit": "share of revenue",
            "n": 2357,
            "method": "bootstrap",
        },
        {
            "chapter": "0_customer_file",
            "measure": "revenue",
            "group": "",
            "estimate": 2500315.63,
            "lower": None,
            "upper": None,
            "unit": "EUR",
            "n": None,
            "method": "",
        },
    ],
    "ledger": [
        {
            "claim": "K1",
            "statement": "The top 20 % bring 80 %",
            "measure": "pareto_share",
            "estimate": 0.678,
            "lower": 0.655,
            "upper": 0.699,
            "verdict": "not supported",
            "data": "shop",
        }
    ],
    "exclusions": [
        {
            "table_name": "transactions",
            "rule": "returns",
            "action": "net",
            "rows": 1234,
            "value": -99.5,
            "note": "against the order",
        }
    ],
    "skipped": [{"section": "1.9 What do they buy?", "missing_table": "products.category"}],
    "run": {
        "ended": "2026-11-21T22:35:35.735+00:00",
        "keycustomer": "0.1.0",
        "commit": "578be8913464d820707f4e6af429de6f5070a39e",
        "dirty": True,
        "python": "3.11.7",
        "packages": {"numpy": "2.4.0", "duckdb": "2.0.0", "other": "1"},
        "parameters": {"1_pareto_analysis": {"top": 0.2, "every": "month"}},
        "inputs": [{"table": "transactions", "location": "a.csv", "bytes": 10, "sha256": "ab"}],
        "chapters": {"1_pareto_analysis": {"status": "completed", "seconds": 1.25}},
    },
}


@pytest.fixture
def report(tmp_path):
    """Write a report of notebooks given as lists of cells; returns the parsed page."""

    def build(*notebooks, **changes) -> Page:
        paths = []
        for number, cells in enumerate(notebooks or ([markdown("# Title"), code("1")],)):
            path = tmp_path / f"{number}_chapter.ipynb"
            content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            path.write_text(json.dumps(content), encoding="utf-8")
            paths.append(path)
        results = {**RESULTS, **changes}
        written = write_report(paths, tmp_path / "report.html", results)
        page = Page(written.read_text(encoding="utf-8"))
        assert page.unbalanced == []
        assert page.open == []
        assert_harmless(page)
        return page

    return build


RICH = [
    markdown(
        "# 1 · Pareto $a^2$\n\nSee [the file](0_chapter.ipynb) and [a paper](https://x.org/1)."
    ),
    markdown("> **K1** First claim.\n> **R2** Second claim.", "claim"),
    code("top = 0.2  # share", tags=["parameters"]),
    markdown("## 1.1 What & why?\n\nThe share is $\\frac{a}{b}$:\n\n$$\n\\sum_i x_i\n= 1\n$$"),
    code(
        "chapter.figure('x', ax)",
        shown({"image/png": {"alt": "Two <bars> & a line.", "width": 960}}, image_png=PIXEL),
    ),
    code("other", shown({"alt": "Beside it."}, image_png=[PIXEL[:20], "\n", PIXEL[20:]])),
    code("old", shown(image_png=PIXEL, text_plain="<Figure size 640x480 with 1 Axes>")),
    code("hidden = 1", printed("seen"), tags=["remove-input"]),
    markdown("## 1.1 What & why?"),
    code("frame", shown(text_html="<table><tr><th>a</th></tr><tr><td>1</td></tr></table>")),
    markdown("For the instructor only.", slideshow={"slide_type": "notes"}),
    markdown("## Exercises"),
    markdown("### 1.1 Concept\n\nWhat is it?", "exercise"),
    code("answer = ...", printed("open"), tags=["exercise"]),
    code("check('1.1', 42)", printed("right"), tags=["solution"]),
]


def test_page_is_whole_and_says_what_it_is(report):
    page = report(RICH)
    assert page.text.startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": "en"}]
    assert page.text_in("title") == "A shop · Key Customer Value Lab"
    assert "default-src 'none'" in page.text
    assert len(page.all("h1")) == 1
    assert "1 January 2024 to 31 December 2024" in page.text
    assert "21 November 2026, 22:35 UTC" in page.text
    assert "keycustomer 0.1.0 (578be89134 with changes)" in page.text
    for expected in ("67.8\u202f%", "65.5\u202f% to 69.9\u202f%", "2.50 million", "not supported"):
        assert expected in page.text
    for expected in ("1,234", "-99.50", "against the order", "products.category", "SHA-256 ab"):
        assert expected in page.text


def test_ids_are_unique_and_every_link_inside_the_page_resolves(report):
    page = report(RICH, RICH)
    counts = Counter(page.values("id"))
    assert [name for name, count in counts.items() if count > 1] == []
    inside = [target[1:] for target in page.values("href") if target.startswith("#")]
    assert len(inside) > 10
    assert set(inside) <= set(counts)
    for attribute in ("aria-labelledby",):
        assert set(page.values(attribute)) <= set(counts)


def test_contents_lists_chapters_and_their_sections(report):
    page = report(RICH, [markdown("# Second"), markdown("## Part"), markdown("### Detail")])
    contents = page.text_in("nav")
    for expected in ("Summary", "1.1 What & why?", "Second", "Part", "Appendix"):
        assert expected in contents
    for absent in ("Detail", "Concept"):
        assert absent not in contents


def test_skip_link_leads_to_the_main_part(report):
    page = report(RICH)
    first = next(attributes for tag, attributes, _ in page.elements if tag == "a")
    assert first == {"class": "skip", "href": "#main"}
    assert [element["id"] for element in page.all("main")] == ["main"]


def test_figures_are_inside_with_text_alternatives(report):
    images = report(RICH).all("img")
    assert [image["alt"] for image in images] == [
        "Two <bars> & a line.",
        "Beside it.",
        "Figure without a description.",
    ]
    for image in images:
        assert base64.b64decode(image["src"].partition(",")[2]) == base64.b64decode(PIXEL)


def test_figures_are_numbered_in_each_chapter(report):
    page = report(RICH, RICH)
    captions = [text for text, path in page.words if "figcaption" in path]
    assert captions == ["Figure 1", "Figure 2", "Figure 3"] * 2


def test_damaged_image_leaves_its_description(report):
    page = report([code("x", shown({"alt": "A curve."}, image_png="not base64!"))])
    assert page.all("img") == []
    assert "A curve." in page.text_in("p")


def test_svg_is_shown_as_an_image_where_nothing_in_it_runs(report):
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    page = report([code("x", shown({"alt": "Map."}, **{"image_svg+xml": svg}))])
    assert page.all("img")[0]["src"].startswith("data:image/svg+xml;base64,")


def test_equations_are_mathml(report):
    page = report(RICH)
    assert [element["display"] for element in page.all("math")].count("block") == 1
    assert {"mfrac", "msub", "msup"} <= {tag for tag, _, _ in page.elements}
    assert "$" not in page.text_in("main")


def test_code_is_folded_and_hidden_where_asked(report):
    page = report(RICH)
    blocks = [path for tag, _, path in page.elements if tag == "pre" and "details" not in path]
    printed_outside = [text for text, path in page.words if "pre" in path and "details" not in path]
    assert len(blocks) == 1
    assert printed_outside == ["seen"]
    assert "hidden = 1" not in page.text
    assert all("open" not in attributes for attributes in page.all("details"))


def test_solutions_are_folded_inside_folded_exercises(report):
    page = report(RICH)
    path = next(path for text, path in page.words if text == "right")
    assert path.count("details") == 2
    path = next(path for text, path in page.words if "What is it?" in text)
    assert path.count("details") == 1


def test_notes_for_the_instructor_are_left_out(report):
    assert "For the instructor only" not in report(RICH).text


def test_claims_stand_on_lines_of_their_own(report):
    page = report(RICH)
    claims = [path for tag, _, path in page.elements if tag == "p" and "blockquote" in path]
    assert len(claims) == 2


def test_links_to_other_chapters_lead_into_the_page(report):
    page = report([markdown("# A")], [markdown("# B\n\n[back](0_chapter.ipynb#x) [no](9_x.ipynb)")])
    links = [element.get("href") for element in page.all("a")]
    assert links.count("#chapter-0_chapter") == 2
    assert None in links


def test_links_of_authors_stay_and_links_of_outputs_do_not(report):
    page = report(
        [
            markdown("[paper](https://doi.org/10.1287/x)"),
            code("x", shown(text_markdown="[evil](https://evil.example/) text")),
            code("x", shown(text_html='<a href="https://evil.example/">evil</a>')),
        ]
    )
    web = [element for element in page.all("a") if is_web(element.get("href") or "")]
    assert web == [{"href": "https://doi.org/10.1287/x", "rel": "noopener noreferrer"}]


def test_failed_notebook_shows_its_error_and_is_marked(report):
    cells = [
        markdown("# First"),
        markdown("<span>An Exception was encountered</span>", "papermill-error-cell-tag"),
        code("raise ValueError", ERROR),
        markdown("## Never reached"),
    ]
    run = {**RESULTS["run"], "chapters": {"0_chapter": {"status": "failed", "error": "<i>died"}}}
    page = report(cells, [markdown("# Second")], run=run)
    assert "no <b>customer</b>" in page.text_in("main")
    assert "ValueError\n  File <script>alert(1)</script>" in page.text_in("pre")
    assert "\x1b" not in page.text
    assert page.text_in("nav").count("failed") == 1
    assert "This report is incomplete." in page.text
    assert "<i>died" in page.text_in("main")
    assert "Never reached" not in page.text
    assert "An Exception was encountered" not in page.text
    assert "Second" in page.text_in("h2")


def test_exercises_that_failed_are_open(report):
    page = report([markdown("# A"), code("x", ERROR, tags=["exercise"])])
    assert {"class": "exercises", "open": None} in page.all("details")


def test_messages_of_the_error_stream_are_folded(report):
    page = report([code("x", printed("a <warning>", "stderr"))])
    path = next(path for text, path in page.words if "a <warning>" in text)
    assert "details" in path


def test_simulated_data_are_called_so_in_every_section(report):
    page = report(RICH, RICH, case={**RESULTS["case"], "simulated": True})
    banners = [e for tag, e, _ in page.elements if tag == "p" and e.get("class") == "banner"]
    assert len(banners) == len(page.all("section")) + 1
    assert "(simulated data)" in page.text_in("title")
    assert "Simulated data." not in report(RICH).text


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_survives_wherever_it_stands(report, text):
    cells = [
        markdown(f"# {text}"),
        markdown(f"## Heading {text}\n\n{text}"),
        markdown("![x](attachment:a.png)"),
        code(
            f'x = """{text}"""',
            shown(text_html=f"<table><caption>{text}</caption><tr><td>{text}</td></tr></table>"),
            shown(text_html=text),
            shown(text_markdown=text),
            shown(text_latex=text),
            shown(text_plain=text),
            shown({"image/png": {"alt": f'"{text}', "width": text}}, image_png=PIXEL),
            printed(text),
            printed(text, "stderr"),
            {**ERROR, "ename": text, "evalue": text, "traceback": [text]},
        ),
    ]
    cells[2]["attachments"] = {"a.png": {f"image/png{text}": PIXEL}}
    strings = json.loads(json.dumps(RESULTS, default=str).replace("shop", "{X}"))
    hostile = json.loads(json.dumps(strings))
    hostile["case"].update(title=text, data=text, currency=text, start=text)
    hostile["run"].update(commit=text, keycustomer=text, ended=text, platform=text)
    hostile["run"]["parameters"] = {text: {text: text}}
    hostile["run"]["chapters"] = {"0_chapter": {"status": "failed", "error": text}}
    for kind in ("measures", "ledger", "exclusions", "skipped"):
        for row in hostile[kind]:
            row.update({k: text for k, value in row.items() if isinstance(value, str)})
    page = report(cells, **hostile)
    assert text in page.text_in("title")
    assert Counter(page.values("id")).most_common(1)[0][1] == 1


def test_customer_called_script_is_shown_by_name(report):
    name = "<script>alert('Müller & 王')</script>"
    table = "<table><tr><td>&lt;script&gt;alert('Müller &amp; 王')&lt;/script&gt;</td></tr></table>"
    page = report([code("x", shown(text_html=table)), code("x", printed(name))])
    assert page.text_in("td").count("<script>alert('Müller & 王')</script>") == 1
    assert page.text_in("pre").count(name) == 1


@given(st.text(max_size=200), st.sampled_from(["<table><tr><td>", "<p title='", "<a href=", ""]))
def test_cleaning_leaves_only_harmless_markup(text, before):
    for page in (Page(clean(before + text)), Page(render(before + text, links={}))):
        assert_harmless(page)
        assert page.unbalanced == []


@given(st.text(alphabet="\\{}^_$&<>\"'abcx12 fracsqrthetleftbeginmatrix()[]", max_size=60))
def test_any_latex_gives_harmless_markup(latex):
    page = Page(to_mathml(latex))
    assert_harmless(page)
    assert page.unbalanced == []
    assert page.elements[0][0] in ("math", "code")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from $5 to $10 now", "<p>from $5 to $10 now</p>"),
        (r"costs \$5 or \$6", "<p>costs $5 or $6</p>"),
        ("`$x$` stays", "<p><code>$x$</code> stays</p>"),
        ("5 $ and 6 $", "<p>5 $ and 6 $</p>"),
        ("&#36;x&#36;", "<p>$x$</p>"),
    ],
)
def test_dollars_that_are_no_equations_stay(source, expected):
    assert render(source).strip() == expected


def test_code_block_keeps_its_dollars():
    assert "math" not in render("```\n$x$\n```\n\n    $y$\n")


@pytest.mark.parametrize(
    ("source", "block"),
    [
        ("so $x_1$.", False),
        ("so $0.2^{1 - 1/a} = 80\\,\\%$", False),
        ("$$x$$", True),
        ("$$\nx\n= y\n- z\n$$", True),
        ("\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}", True),
        ("- item $$x$$", True),
        ("> quoted $x$", False),
        ("**bold $x$**", False),
    ],
)
def test_equations_of_markdown(source, block):
    page = Page(render(source))
    assert [e["display"] for e in page.all("math")] == ["block" if block else "inline"]
    assert "$" not in "".join(text for text, _ in page.words)


def test_formula_that_cannot_be_converted_is_shown_as_source():
    assert to_mathml(r"\unheard{x} < 1") == r'<code class="latex">\unheard{x} &lt; 1</code>'
    assert to_mathml(r"\left(") == r'<code class="latex">\left(</code>'


def test_function_and_argument_are_parted():
    assert "<mi>log</mi><mspace" in to_mathml(r"\log 5")
    assert "mspace" not in to_mathml(r"\log(5)")
    assert "<msub><mi>log</mi><mn>2</mn></msub><mspace" in to_mathml(r"\log_2 x")


def test_tables_scroll_in_a_frame_and_numbers_stand_right():
    page = Page(
        clean(
            "<table border=1 class=x><caption>Sales</caption><thead><tr><th>id</th><th>n</th>"
            "<th>share</th><th>day</th></tr></thead><tbody>"
            "<tr><td>007</td><td>1,234</td><td>50.5 % [49.3, 51.7]</td><td>2024-01-02</td></tr>"
            "<tr><td>008</td><td>-5</td><td></td><td>2024-01-03</td></tr></tbody></table>"
        )
    )
    frame = {"class": "frame", "role": "region", "tabindex": "0", "aria-label": "Sales"}
    assert page.all("div") == [frame]
    heads = [(e.get("class"), e["scope"]) for e in page.all("th")]
    assert heads == [(None, "col"), ("number", "col"), ("number", "col"), (None, "col")]
    assert [e.get("class") for e in page.all("td")][:4] == [None, "number", "number", None]


def test_table_without_rows_says_so():
    page = Page(clean("<table><thead><tr><th>a</th><th>b</th></tr></thead></table>"))
    assert page.text_in("td") == "none"
    assert page.all("td") == [{"colspan": "2"}]


def test_same_input_gives_the_same_bytes(report):
    assert report(RICH).text == report(RICH).text


def test_empty_results_and_empty_notebook_still_make_a_page(tmp_path):
    path = tmp_path / "0_x.ipynb"
    path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    page = Page(write_report([path], tmp_path / "report.html", {}).read_text(encoding="utf-8"))
    assert_harmless(page)
    assert page.text_in("h1") == "Case report"


def test_amounts_are_compact():
    assert [compact(value) for value in (12, 999_999.4, 2_500_315.63, 7.2e9, -3e6)] == [
        "12",
        "999,999",
        "2.50 million",
        "7.20 billion",
        "\N{MINUS SIGN}3.00 million",
    ]


def test_private_characters_of_a_text_do_not_stand_for_equations():
    page = Page(render("\ue00000\ue001 and $x$"))
    assert len(page.all("math")) == 1


def test_only_elements_of_mathml_are_kept():
    markup = "<math><script>alert(1)</script><mi onclick='x()'>y</mi></math>"
    element = ET.fromstring(markup)  # noqa: S314
    kept = ET.tostring(mathematics._kept(element), encoding="unicode")
    assert kept == "<math><mrow>alert(1)</mrow><mi>y</mi></math>"
