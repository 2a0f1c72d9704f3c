"""Figures are rendered once; afterwards only the columns of their sources change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from bokeh.core.serialization import Buffer, Serialized
from bokeh.document import Document

from mfexplore.core import (
    Arrows,
    Axis,
    Chart,
    Density,
    Field,
    Guide,
    Lattice,
    Network,
    Particles,
    Patterns,
    Phases,
    Series,
    Spectrum,
    Trajectories,
    system,
)
from mfexplore.figures import publication
from mfexplore.figures.curves import CurvesFigure, lines_of, theory_columns
from mfexplore.figures.diagram import DiagramFigure, prepare
from mfexplore.figures.histogram import HistogramFigure
from mfexplore.figures.landscape import LandscapeFigure
from mfexplore.figures.lettering import Lettering, pieces
from mfexplore.figures.regions import hatch_runs
from mfexplore.figures.states import picture_figure
from mfexplore.figures.states.colours import ranks
from mfexplore.figures.states.lattice import shrink
from mfexplore.figures.style import (
    DARK,
    LIGHT,
    Theme,
    colour_limits,
    diverging,
    ink_on,
    mathml,
    sequential,
    tex_label,
    unit_html,
)
from mfexplore.figures.symbols import plain, typeset
from mfexplore.figures.template import apply, load_holoviews, render
from mfexplore.figures.trace import TraceFigure, companions
from mfexplore.figures.wire import events, into

CurieWeiss = system("curie_weiss")
X = np.geomspace(1, 1000, 13)
CHART = Chart(
    (
        Series("mass", X, X**2, "points", error=0.1 * X**2), Series("mass", X, X**2), Series("radius", X, X, "step"),
        Series("share", X, X, "bars"), Series("spread", X, X, "band", upper=2 * X),
    ),
    Axis("size", "log"), Axis("mass", "log"), (Guide(2.0, (1.0, 1.0), "2"),),
)  # fmt: skip
FIELD = Field(
    np.outer(np.arange(4.0), np.ones(5)), (0, 5, 0, 4), Axis("x"), Axis("y"), 0, 3, contours=(1.2,),
    paths=((np.arange(3.0), np.arange(3.0)),), points=(Series("here", np.ones(2), np.ones(2), "points"),),
    arrows=Arrows(np.ones(2), np.ones(2), np.ones(2), np.zeros(2)),
)  # fmt: skip
PICTURES = [
    Lattice(np.ones((5, 5), np.int8), -1, 1),
    Lattice(np.random.default_rng(0).normal(size=(4, 6)), -2.0, 2.0),
    Patterns((("cue", np.ones((3, 3))), ("now", -np.ones((3, 3))))),
    Phases(np.linspace(0, 6, 50), 0.3 + 0.2j, np.linspace(-1, 1, 50)),
    Phases(np.linspace(0, 6, 50), 0.3 + 0.2j),
    Trajectories(np.arange(5.0), np.ones((3, 5))),
    Spectrum(np.linspace(-2, 2, 100)),
    Spectrum(np.exp(1j * np.linspace(0, 6, 100))),
    Particles(np.arange(4.0), np.arange(4.0), (0, 4, 0, 4), np.arange(4.0)),
    Network(np.arange(3.0), np.arange(3.0), np.array([[0, 1], [1, 2]]), np.zeros(3), 0, 1),
    Density(np.arange(5.0), (("a", np.ones(5)), ("b", np.zeros(5))), "x", "y"),
    Particles(np.arange(4.0), np.arange(4.0), (0, 4, 0, 4), heading=np.arange(4.0), radius=np.arange(1.0, 5.0)),
    Network(
        np.arange(3.0), np.arange(3.0), np.array([[0, 1], [1, 2]]), np.zeros(3), 0, 1,
        edge_colour=np.array([-1.0, 2.0]),
        directed=True, arcs=True,
    ),
    CHART, FIELD,
]  # fmt: skip


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: type(p).__name__)
def test_every_kind_of_picture_is_drawn_and_redrawn(picture: Any, theme: Any) -> None:
    drawing = picture_figure(picture, theme)
    shown = shown_by(drawing)
    drawing.show(picture)
    drawing.dress(LIGHT)
    drawing.show(picture)
    assert drawing.figure.take().template is None, "it is put up once"
    for layer in drawing.layers.values():
        assert len({len(column) for column in layer.columns.values()}) <= 1
    for renderer in shown.renderers:
        assert len({len(column) for column in renderer.data_source.data.values()}) == 1


def shown_by(drawing: Any) -> Any:
    """What a browser makes of a figure: Bokeh's models, which check every value they are given."""
    update = drawing.figure.take()
    document = Document.from_json(json.loads(update.template.document)["doc"])
    apply({model.id: model for model in document.models}, update.changes)
    return document.roots[0]


def test_states_and_lines_with_names_have_a_key() -> None:
    values = np.array([[0, 1], [1, -1]], np.int8)
    lattice = Lattice(values, 0, 1, states=("empty", "active"), outside="removed")
    network = Network(np.arange(3.0), np.arange(3.0), np.array([[0, 1]]), np.zeros(3), 0, 1, states=("well", "ill"))
    loop = Trajectories(np.arange(5.0), np.ones((2, 5)), names=("theory", "run"))
    for picture, names in ((lattice, "empty active removed"), (network, "well ill"), (loop, "theory run")):
        key = picture_figure(picture, LIGHT).named(picture)
        assert [name for name, _ in key] == names.split()
        assert len({colour for _, colour in key}) == len(key)
    whole = Lattice(np.abs(values), 0, 1, states=("empty", "active"), outside="removed")
    assert [name for name, _ in picture_figure(whole, LIGHT).named(whole)] == ["empty", "active"]


@pytest.mark.parametrize("picture", [PICTURES[3], PICTURES[8], PICTURES[9]])
def test_marks_take_the_colours_of_another_theme(picture: Any) -> None:
    def colours(drawing: Any) -> list[str]:
        layer = "nodes" if "nodes" in drawing.layers else "dots"
        glyph = next(r.glyph for r in shown_by(drawing).renderers if r.name == layer)
        return list(glyph.fill_color.transform.palette)

    named = replace(picture, states=("a", "b")) if hasattr(picture, "states") else picture
    drawing = picture_figure(named, LIGHT)
    drawing.dress(DARK)
    drawing.show(named)
    assert colours(drawing) == colours(picture_figure(named, DARK)) != colours(picture_figure(named, LIGHT))


def test_two_figures_of_one_declaration_share_nothing() -> None:
    one, two = DiagramFigure(CurieWeiss, LIGHT), DiagramFigure(CurieWeiss, LIGHT)
    one.set_axes("field", "temperature", (-1, 1), (0, 1.5), "magnetization")
    two.set_axes("temperature", "coupling", (0, 2), (0.1, 2), "magnetization")
    one.show_marker(0.25, 1.0)
    assert list(one.layers["marker"].columns["x"]) == [0.25]
    assert "x" not in two.layers["marker"].columns
    assert one.figure.part("xaxis")["axis_label"] != two.figure.part("xaxis")["axis_label"]


def test_diagram_shows_values_regions_and_boundaries() -> None:
    model = CurieWeiss()
    drawing = DiagramFigure(CurieWeiss, LIGHT)
    drawing.set_axes("field", "temperature", (-1, 1), (0, 1.5), "magnetization")
    dataset = model.diagram("field", "temperature", resolution=33)
    drawing.show(dataset)
    drawing.show_boundaries(model.boundaries("field", "temperature"))
    (image,) = drawing.layers["colour"].columns["image"]
    assert image.dtype == np.float32
    assert image.shape == (33, 33)
    expected = model.equilibrium(field=dataset["field"].values, temperature=dataset["temperature"].values)
    np.testing.assert_allclose(image, expected["magnetization"].values.T, atol=1e-6)
    assert set(drawing.layers["regions"].columns["Label"]) == {
        "paramagnet", "magnetized up", "magnetized down", "bistable",
    } or "bistable" in drawing.layers["regions"].columns["Label"]  # fmt: skip
    assert len(drawing.layers["dashed"].columns["xs"]) == 2
    assert "T" in drawing.layers["symbols"].columns["Label"]


def test_cells_that_are_not_known_are_hatched() -> None:
    dataset = CurieWeiss().diagram("field", "temperature", resolution=17)
    converged = dataset["converged"].copy()
    converged[3:6, 4:9] = False
    prepared = prepare(dataset.assign(converged=converged), CurieWeiss, "magnetization")
    assert prepared.unknown.shape == (4, 1)
    assert prepared.invalid.shape == (4, 0)
    doubted = dataset.assign(converged=converged, validity=(~converged).astype(np.int8))
    assert prepare(doubted, CurieWeiss, "magnetization").invalid.shape == (4, 0), "one hatching is enough"


def test_hatching_covers_exactly_the_mask() -> None:
    mask = np.random.default_rng(1).random((12, 15)) < 0.4
    left, right, bottom, top = hatch_runs(mask, (0.0, 0.0, 15.0, 12.0))
    covered = np.zeros_like(mask)
    for a, b, c, d in zip(left, right, bottom, top, strict=True):
        assert not covered[round(c) : round(d), round(a) : round(b)].any()
        covered[round(c) : round(d), round(a) : round(b)] = True
    np.testing.assert_array_equal(covered, mask)


def test_names_lie_inside_their_region_and_on_no_line() -> None:
    phases = np.zeros((40, 40), int)
    phases[:, 25:] = 1
    across = np.linspace(0.0, 40.0, 9)
    letters = Lettering((0.0, 40.0), (0.0, 40.0), [(across, np.full(9, 20.0))])
    names = letters.name_regions(phases, (0.0, 0.0, 40.0, 40.0), ("left", "right", "nowhere"))
    assert [name for *_, name in names] == ["left", "right"]
    for x, y, name in names:
        assert phases[int(y), int(x)] == ("left", "right").index(name)
        assert abs(y - 20.0) > 1.0


def test_a_long_name_is_broken_where_its_region_is_narrow() -> None:
    phases = np.zeros((40, 40), int)
    phases[:, 8:] = 1
    names = Lettering((0, 1), (0, 1)).name_regions(phases, (0, 0, 1, 1), ("retrieval stable", "retrieval metastable"))
    assert [name for *_, name in names] == ["retrieval\nstable", "retrieval metastable"]


def test_letters_that_fill_a_narrow_frame_stay_inside() -> None:
    along = np.linspace(0.0, 1.0, 50)
    narrow = Lettering((0, 1), (0, 1), [(along, along)], em=(0.08, 0.06))
    (x, y, name), *_ = narrow.name_regions(np.zeros((40, 40), int), (0, 0, 1, 1), ("metastable",))
    half = (0.5 * len(name) * 0.08 / 2, 1.3 * 0.06 / 2)
    assert half[0] < x < 1 - half[0]
    assert half[1] < y < 1 - half[1]


def test_symbols_stand_beside_their_curves_and_apart() -> None:
    along = np.linspace(0.0, 1.0, 50)
    curves = [along, along**2, along**2 + 0.02, along + 2]
    *places, out_of_sight = Lettering((0, 1), (0, 1), [(along, y) for y in curves]).place_symbols([1.0] * 4)
    assert out_of_sight is None
    for k, at in enumerate(places):
        assert at is not None
        assert 0 < at[0] < 1
        assert 0 < at[1] < 1
        assert min(np.hypot(along - at[0], y - at[1]).min() for y in curves) > 0.015
        assert all(np.hypot(at[0] - other[0], at[1] - other[1]) > 0.03 for other in places[:k] if other)


def test_curves_split_stable_equilibrium_and_unstable() -> None:
    dataset = CurieWeiss().theory(temperature=np.linspace(0.1, 1.5, 29))
    columns = theory_columns(dataset, CurieWeiss, "temperature", "magnetization")
    branches = [line.branch for line in lines_of(CurieWeiss)]
    assert branches == ["up", "down", "unstable"]
    assert np.isfinite(columns["unstable2"]).any()
    assert not np.isfinite(columns["stable2"]).any()
    drawing = CurvesFigure(CurieWeiss, LIGHT)
    drawing.set_axes("temperature", "magnetization", (0, 1.5))
    drawing.show_theory(columns)
    shown = drawing.layers["theory"].columns
    assert set(shown["dash"]) == {"solid", "2 3"}
    drawing.show_points(np.array([0.5]), np.array([0.9]), np.array([0.1]))
    assert float(drawing.layers["bars"].columns["y0"][0]) == pytest.approx(0.8)


def test_the_range_of_a_curve_is_that_of_the_stable_states() -> None:
    """The free energy of the unstable state rises to zero, far above the others."""
    dataset = CurieWeiss().theory(temperature=np.linspace(0.01, 1.5, 61))
    columns = theory_columns(dataset, CurieWeiss, "temperature", "free_energy")
    drawing = CurvesFigure(CurieWeiss, LIGHT)
    drawing.set_axes("temperature", "free_energy", (0, 1.5))
    drawing.show_theory(columns)
    low, high = drawing.figure.part("y_range")["start"], drawing.figure.part("y_range")["end"]
    assert low < np.nanmin(columns["stable0"]) < np.nanmax(columns["stable0"]) < high
    assert high < np.nanmax(columns["unstable2"]) - 0.3
    gone = np.full_like(columns["x"], np.nan)
    drawing.show_theory({name: v if name in ("x", "unstable2") else gone for name, v in columns.items()})
    assert drawing.figure.part("y_range")["end"] > np.nanmax(columns["unstable2"])


def test_landscape_marks_every_branch_on_the_curve() -> None:
    model = CurieWeiss(temperature=0.6)
    theory = model.theory()
    drawing = LandscapeFigure(CurieWeiss, LIGHT)
    drawing.show(model.landscape(), theory["magnetization"].values, theory["stable"].values)
    assert len(drawing.layers["branches"].columns["x"]) == 3
    drawing.show_live(0.4)
    fewer = replace(model.landscape(), branches=("up", "unstable"), coordinate=model.landscape().coordinate / 10)
    drawing.show(fewer, theory["magnetization"].values, theory["stable"].values)
    assert list(drawing.layers["branches"].columns["x"]) == [0]  # "up" lies beyond the end of the curve


def test_trace_and_histogram_follow_a_run() -> None:
    model = CurieWeiss(size=200)
    run = model.simulate(seed=3)
    run.advance(200)
    times, series = run.series()
    trace = TraceFigure(CurieWeiss, LIGHT)
    trace.set_axes("magnetization", run.time_unit, run.step)
    trace.show(times, series["magnetization"], [])
    assert trace.span >= times[-1]
    assert len(trace.layers["trace"].columns["t"]) == len(times)
    trace.show(times, series["magnetization"] - 3, [])
    assert (
        trace.figure.part("y_range")["start"] < (series["magnetization"] - 3).min()
    )  # beyond what is declared, but seen
    assert trace.figure.part("y_range")["end"] > 1
    histogram = HistogramFigure(CurieWeiss, LIGHT)
    histogram.show_law(model.law())
    histogram.show(run.samples())
    bars = histogram.layers["bars"].columns
    assert np.sum((bars["right"] - bars["left"]) * bars["top"]) == pytest.approx(1, abs=1e-3)


def test_a_unit_that_the_description_names_is_not_repeated() -> None:
    controls = system("p_spin").controls()
    assert unit_html(controls["size"]) == ""  # "spins simulated"
    assert "<math" in unit_html(controls["temperature"])
    assert unit_html(controls["kind"]) == ""


def test_companions_are_the_numbered_relatives() -> None:
    assert companions(("overlap", "overlap_2", "overlap_x", "energy"), "overlap") == ("overlap_2",)


def test_large_pictures_shrink_and_outliers_do_not_take_the_colours() -> None:
    assert max(shrink(np.ones((2000, 1500), np.int8)).shape) <= 512
    assert ranks(np.array([0.0, 1e9, 1.0])).tolist() == [0.0, 1.0, 0.5]
    assert len(set(ranks(np.array([0, 1, 0, 1])))) == 2, "equal values have equal colours"


@pytest.mark.parametrize(
    ("latex", "text"),
    [("T_c", "T_c"), (r"\alpha", "α"), (r"h_{s\uparrow}", "h_s↑"), (r"\tau_h", "τ_h"), (r"K_\mathrm{c}", "K_c")],
)
def test_symbols_are_set_in_unicode(latex: str, text: str) -> None:
    assert plain(latex) == text
    runs, width = typeset(latex)
    assert width > 0
    assert [run.x for run in runs] == sorted(run.x for run in runs)


def test_mathematics_becomes_mathml_and_bad_input_stays_readable() -> None:
    assert "<msub>" in mathml("T_c")
    assert "border-top" in mathml(r"\overline{\tanh\frac{a}{T}}")
    assert mathml(r"T\ln2\cosh x") == mathml(r"T\,\ln\,2\,\cosh\,x"), "functions stand apart as TeX sets them"
    assert mathml(r"\langle\ln(x)\rangle").count("mspace") == 0
    assert mathml("\\frac{").startswith(("<math", "<code>"))


def test_labels_name_title_symbol_and_unit() -> None:
    assert tex_label(CurieWeiss.control("temperature")) == "temperature  $$T$$  $$[J/k_B]$$"


def test_colour_maps_are_usable() -> None:
    assert len(sequential()) == len(diverging()) == 256
    assert colour_limits(np.array([-1.0, 3.0]), None, None, True)[0] < 0
    assert colour_limits(np.array([np.nan]), None, None, False) == (0.0, 1.0)
    assert ink_on("#000000") != ink_on("#ffffff")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_no_value_of_a_signed_observable_looks_like_an_edge(theme: Theme) -> None:
    """From zero outwards the lightness goes one way only."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in diverging(theme)], float)
    lightness = rgb @ (0.299, 0.587, 0.114)
    for arm in (lightness[127::-1], lightness[128:]):
        steps = np.diff(arm) * (1 if theme is DARK else -1)
        assert (steps > -0.5).all()  # as far as whole numbers can tell


def test_curves_are_cut_at_gaps() -> None:
    xs = np.array([0, 1, np.nan, 2, 3, 4.0])
    assert pieces(xs, xs) == [slice(0, 2), slice(3, 6)]


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_publication_figures_carry_their_record(form: str) -> None:
    model = CurieWeiss()
    figure = publication.diagram(
        model.diagram(resolution=17), CurieWeiss, "magnetization", boundaries=model.boundaries(), marker=(0.0, 0.7)
    )
    content = publication.save(figure, form, {"link": "curie_weiss?temperature=0.7"})
    assert len(content) > 2000
    if form == "svg":
        assert b"curie_weiss?temperature=0.7" in content
    again = publication.curve(model.theory(temperature=np.linspace(0.1, 1, 9)), CurieWeiss, "temperature", "magnetization", [(0.5, 0.9, 0.1)])  # fmt: skip  # noqa: E501
    assert publication.save(again, form)


def test_rendering_leaves_the_document_of_another_session_alone() -> None:
    from bokeh.io.doc import patch_curdoc
    from bokeh.plotting import figure as bokeh_figure

    other = Document()
    other.add_root(bokeh_figure())
    changes: list[object] = []
    other.on_change(changes.append)
    theme = other.theme
    with patch_curdoc(other):
        render(CurvesFigure, LIGHT)
    assert other.theme is theme
    assert changes == []


def test_where_a_run_is_now_is_never_out_of_sight() -> None:
    trace = TraceFigure(system("may_leonard"), LIGHT)
    trace.set_axes("species_1", "generations")
    times = np.arange(300.0)
    for growth in (0.25 + 0.2 * (times / 300) ** 40, 0.25 - 0.2 * (times / 300) ** 40):
        trace.show(times[:2], growth[:2], [])
        trace.show(times, growth, [])
        assert trace.figure.part("y_range")["start"] < growth[-1] < trace.figure.part("y_range")["end"]


def test_rival_theories_have_their_own_dashes_in_a_trace() -> None:
    trace = TraceFigure(system("compressed_sensing"), LIGHT)
    trace.set_axes("log_relative_error", "iterations")
    trace.show_theory(((-5.0, 0), (-0.4, 2)))
    assert trace.layers["theory"].columns["c"] == [LIGHT.lines[0], LIGHT.lines[2]]
    assert {"theory-0", "theory-2"} <= set(trace.drawn)
    trace.show_theory(((-5.0, None),))
    assert trace.layers["theory"].columns["c"] == [LIGHT.marker]
    assert "theory" in trace.drawn


def test_what_theory_predicts_is_never_out_of_sight() -> None:
    """Of a trace the outer percent may be, but not the one other state that theory knows far away."""
    trace = TraceFigure(system("compressed_sensing"), LIGHT)
    trace.set_axes("log_relative_error", "iterations")
    trace.show_theory(((-5.0, None), (-0.4, None)))
    times = np.arange(200.0)
    trace.show(times, np.full(200, -0.4), [])
    assert trace.figure.part("y_range")["start"] < -5.0


def test_a_narrow_histogram_has_few_short_labels() -> None:
    model = system("compressed_sensing")(noise=1e-8, measurement_rate=0.6)
    histogram = HistogramFigure(type(model), LIGHT)
    histogram.show_law(model.law())
    labels = histogram.figure.part("xaxis")["major_label_overrides"]
    assert 3 <= len(labels) <= 6
    assert max(map(len, labels.values())) <= 8


# -- figures and their browsers ---------------------------------------------------------------------------------------


def test_only_what_is_new_is_taken() -> None:
    drawing = DiagramFigure(CurieWeiss, LIGHT)
    drawing.set_axes("field", "temperature", (-1, 1), (0, 1.5), "magnetization")
    drawing.show_marker(0.1, 0.5)
    assert drawing.figure.take().template is not None
    drawing.show_marker(0.2, 0.6)
    drawing.show_marker(0.3, 0.7)
    drawing.set_window((-1, 1), (0, 1.5))
    update = drawing.figure.take()
    ((_, attribute, columns),) = update.changes
    assert (update.template, attribute) == (None, "data")
    np.testing.assert_allclose([columns["x"], columns["y"]], [[0.3], [0.7]], rtol=1e-6)
    assert not drawing.figure.take().changes


def test_a_page_that_comes_later_sees_the_same() -> None:
    drawing = DiagramFigure(CurieWeiss, DARK)
    drawing.set_axes("field", "temperature", (-1, 1), (0, 1.5), "magnetization")
    drawing.show(CurieWeiss().diagram("field", "temperature", resolution=9))
    drawing.dress(LIGHT)
    first = shown_by(drawing)
    drawing.figure.renew()
    again = shown_by(drawing)
    assert first.xaxis[0].axis_label == again.xaxis[0].axis_label
    for one, other in zip(first.renderers, again.renderers, strict=True):
        assert one.data_source.data.keys() == other.data_source.data.keys()
        assert one.glyph.properties_with_values().keys() == other.glyph.properties_with_values().keys()


def test_what_is_drawn_on_top_is_not_drawn_by_webgl() -> None:
    """Bokeh's canvas of WebGL is one for all figures, and does not fit where only the sheet on top is drawn again."""
    for kind in (DiagramFigure, CurvesFigure):
        assert '"output_backend": "canvas"' in kind.template(LIGHT).document


def test_a_broken_template_on_disk_is_made_anew(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mfexplore.figures import template

    monkeypatch.setattr(template, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(template, "kept_folders", lambda: [])
    made = template._kept.__wrapped__(CurvesFigure, "light")
    (file,) = tmp_path.glob("figure-*.json")
    assert template._kept.__wrapped__(CurvesFigure, "light") == made
    file.write_text(file.read_text()[:100])
    anew = template._kept.__wrapped__(CurvesFigure, "light")
    assert anew.parts.keys() == made.parts.keys()
    assert json.loads(file.read_text())["parts"] == anew.parts


def test_the_wire_says_what_bokeh_understands() -> None:
    drawing = CurvesFigure(CurieWeiss, LIGHT)
    drawing.set_axes("temperature", "magnetization", (0, 1.5))
    drawing.show_points(np.array([0.5]), np.array([np.nan]), np.array([0.1]))
    update = drawing.figure.take()
    assert update.template is not None
    buffers: list[bytes] = []
    told = events(update, into(buffers))
    document = Document.from_json(json.loads(update.template.document)["doc"])
    given = [Buffer(str(k), content) for k, content in enumerate(buffers)]
    document.apply_json_patch(Serialized({"events": told}, given))  # type: ignore[arg-type]
    points = next(r for r in document.roots[0].renderers if r.name == "points")
    assert points.data_source.data["x"].dtype == np.float32
    assert np.isnan(points.data_source.data["y"][0])
    assert document.roots[0].x_range.end == 1.5


def test_the_backend_of_holoviews_stays_the_one_its_user_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for chosen in ("matplotlib", "bokeh"):
        monkeypatch.setattr(hv.Store, "current_backend", chosen)
        load_holoviews()
        names, json_ = render(CurvesFigure, LIGHT)
        assert hv.Store.current_backend == chosen
        assert names
        assert json_["doc"]
