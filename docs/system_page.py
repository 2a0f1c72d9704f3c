"""The page of one system on the site, from its declaration."""

from __future__ import annotations

import html

from mfexplore.core.catalogue import entry, system
from mfexplore.core.model import Model
from mfexplore.core.related import related
from mfexplore.figures.prose import one_line
from mfexplore.figures.style import symbol_html, unit_html
from mfexplore.guide.lessons import lessons_of
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.sheet import Sheet


def raw(page: str) -> str:
    """HTML in a page of Markdown; of nothing: nothing."""
    return f"````{{raw}} html\n{page}\n````\n" if page.strip() else ""


def written(key: str, has_picture: bool, is_live: bool, thorough: bool) -> str:
    """The page in Markdown. thorough: references are computed anew and compared."""
    kind: type[Model] = system(key)
    sheet = Sheet(Exploration.of(kind()))
    found = entry(key)
    parts = [f"# {kind.title}", "", kind.summary, ""]
    facts = [found.level, f"{found.minutes} minutes" if found.minutes else "", *found.phenomena, *found.methods]
    parts.append(raw(f'<p class="facts">{" · ".join(html.escape(fact) for fact in facts if fact)}</p>'))
    alone = f'<p><a href="../live/{key}.html">This page without a server, alone</a></p>' if is_live else ""
    parts.append(raw(shown(key, "../", has_picture, is_live) + alone))
    for i, section in enumerate(sheet.about):
        if section.title != "Related systems":
            parts += [f"## {section.title or 'Definition and theory'}", "", raw(section.body)]
        if i == 0:
            parts += ["## Controls", "", raw(_controls(kind)), "## Presets", "", raw(_presets(kind))]
    parts += ["## References and agreement", "", raw(_references(kind, thorough))]
    parts += ["## Related", "", raw(_related(key))] if related(key) or lessons_of(key) else []
    parts += ["## In Python and from a shell", "", _code(kind)]
    return "\n".join([*parts, raw('<script type="module" src="../_static/explain.js"></script>')])


def shown(key: str, up: str, has_picture: bool, is_live: bool, still: str = "") -> str:
    """A system to look at: its page without a server in a frame, or its picture, which also stands in for the frame.

    up: from the page to the top of the site; still: another picture to stand in.
    """
    title = html.escape(entry(key).title)
    picture = (
        f'<img class="picture" src="{up}_static/pictures/{key}.webp" alt="Diagram of {title}">' if has_picture else ""
    )
    if not is_live:
        return still or picture
    frame = f'<iframe class="live" src="{up}live/{key}.html" title="{title}, live" loading="lazy"></iframe>'
    return f"{frame}<noscript>{still or picture}</noscript>"


def table(head: tuple[str, ...], rows: str) -> str:
    """A table that scrolls where it is too wide. rows: as HTML."""
    words = "".join(f"<th>{word}</th>" for word in head)
    return (
        '<div class="scrolls" tabindex="0"><table class="docutils">'
        f"<thead><tr>{words}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _controls(kind: type[Model]) -> str:
    rows = ""
    for name, made in kind.controls().items():
        allowed = " · ".join(made.options) if made.is_choice else f"{made.low:g} to {made.high:g}"
        rows += (
            f"<tr><td>{html.escape(made.title)} {symbol_html(made)}</td><td><code>{name}</code></td>"
            f"<td>{html.escape(str(getattr(kind(), name)))}</td><td>{html.escape(allowed)} {unit_html(made)}</td>"
            f"<td>{one_line(made.doc)}</td></tr>"
        )
    return table(("control", "in Python", "default", "allowed", "meaning"), rows)


def _presets(kind: type[Model]) -> str:
    rows = "".join(
        f"<dt>{html.escape(preset.name)}</dt><dd>{one_line(preset.watch)} <code>"
        f"{html.escape(', '.join(f'{name}={value!r}' for name, value in preset.controls.items()))}</code></dd>"
        for preset in kind.presets
    )
    return f"<dl>{rows}</dl>"


def _references(kind: type[Model], thorough: bool) -> str:
    rows = ""
    for one in kind.references:
        here = one.computed(kind) if thorough else None
        agrees = "" if here is None else "yes" if abs(here - one.value) <= one.tolerance else "no"
        told = "" if here is None else f"{here:.6g}"
        rows += (
            f"<tr><td>{one_line(one.title)}</td><td>{one.value:.6g}</td><td>{told}</td><td>{agrees}</td>"
            f"<td>{one_line(one.source)}</td></tr>"
        )
    return table(("quantity", "there", "here", "agrees", "source"), rows)


def _related(key: str) -> str:
    rows = "".join(
        f'<li>{r.phrase} <a href="{r.other.key}.html">{html.escape(r.other.title)}</a>. '
        f"{html.escape(r.because, quote=False)}</li>"
        for r in related(key)
    )
    rows += "".join(
        f'<li>lesson {lesson.number}: <a href="../lessons/{lesson.name}.html">{html.escape(lesson.title)}</a></li>'
        for lesson in lessons_of(key)
    )
    return f"<ul>{rows}</ul>"


def _code(kind: type[Model]) -> str:
    return (
        f'```python\nimport mfexplore as mf\n\nmodel = mf.system("{kind.key}")()\nmodel.explore()\n```\n\n'
        f"```shell\nmfexplore list {kind.key}\nmfexplore snapshot {kind.key} -o {kind.key}.html\n```\n"
    )
