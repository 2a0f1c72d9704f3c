"""The docstring of a model becomes a page."""

from __future__ import annotations

import sys

from mfexplore.core import system
from mfexplore.figures.prose import one_line, to_html


def test_displays_are_numbered_and_inline_is_mathml() -> None:
    page = to_html("Text $x_1$ and\n\n$$y = x^2 \\tag{3}$$\n\n**Valid:** always.")
    assert 'id="equation-3"' in page
    assert page.count("<math") == 2
    assert "<strong>Valid:</strong>" in page
    assert "\ue000" not in page


def test_statements_of_a_display_can_go_below_each_other() -> None:
    page = to_html(r"$$a=\left(b\qquad c\right),\qquad d=\text{x \qquad y},\qquad e \tag{1}$$")
    assert page.count("<math") == 3
    assert page.count("equation-number") == 1


def test_no_line_ends_between_a_formula_and_its_brackets() -> None:
    page = to_html("seen ($d=3$), $x$ and $y$.")
    assert [part.count("</span>") for part in page.split('<span class="whole">')] == [0, 1, 1]
    assert '<span class="whole">(<math' in page


def test_html_in_the_text_is_not_let_through() -> None:
    assert "<script>" not in to_html("<script>alert(1)</script>")


def test_a_sentence_has_no_paragraph_around_it() -> None:
    assert one_line("with $m$ in it").startswith("with <math")


def test_page_of_a_system_has_all_its_equations() -> None:
    text = sys.modules[system("curie_weiss").__module__].__doc__ or ""
    assert to_html(text).count("equation-number") == text.count("\\tag")
