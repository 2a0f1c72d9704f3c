"""The source of the site: what is written by hand, and what the package tells of itself."""

from __future__ import annotations

import html
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import reference
import system_page
from system_page import raw, shown

from mfexplore.app import pages, rooms, thumbnails
from mfexplore.core.catalogue import entry, places
from mfexplore.figures.prose import one_line, to_html
from mfexplore.guide.glossary import link, linked
from mfexplore.guide.lessons import Lesson, figure, lessons

FIRST = "curie_weiss"  # on the landing page
LIVE = (
    '<p class="plays">This page needs no server: move the marker, choose a preset, press play. The app does it for '
    "every system, at any point, at any size: in a copy of the repository, <code>./run app</code>.</p>"
)
STILL = (
    '<img class="drawn" src="_static/workbench.webp" width="1440" height="960" alt="The workbench of the Hopfield '
    'network: its controls, the phase diagram, theory beside simulation, and the run itself">'
    '<p class="facts">The workbench of one of them, as the app shows it.</p>'
)
STATIC = Path(pages.__file__).parent / "static"
OPENED = re.compile(r"^([\w, ]+) = .*mf\.system\b(.*)$", re.MULTILINE)  # names of systems in a lesson
PLAYED = re.compile(r"^(\w+)\(.*\)\.explore\(", re.MULTILINE)
LINK = re.compile(r'href="(?:\./)?([a-z0-9_/]*)\.?(?:\?[^"#]*)?(#[^"]*)?"')


def settled(page: str, up: str) -> str:
    """HTML of the app with its links as they are on the site. up: from the page to the top, "../" for every folder."""

    def settle(match: re.Match[str]) -> str:
        name, place = match[1], match[2] or ""
        if name in places():
            return f'href="{up}systems/{name}.html"'
        if name == "map":
            return f'href="{up}systems/map.html"'
        if name in rooms.NAMES or name.startswith("lessons/"):
            return f'href="{up}{name}.html{place}"'
        return f'href="{up}systems/index.html{place}"' if not name and place.startswith("#wing") else match[0]

    return LINK.sub(settle, page)


def main_of(page: str) -> str:
    """What stands between <main> and </main> of a page of the app, under the name of its style."""
    found = re.search(r'<main[^>]*class="([^"]*)"[^>]*>(.*)</main>', page, re.DOTALL)
    assert found
    return f'<div class="mfexplore {found[1]}">{found[2]}</div>'


def scripts(up: str, *names: str) -> str:
    return "".join(f'<script type="module" src="{up}_static/{name}.js"></script>' for name in names)


def source(root: Path, here: Path, target: Path, live: Sequence[str], thorough: bool) -> None:
    """Writes everything that Sphinx reads into `target`. live: the systems that have a page without a server."""
    static = target / "_static"
    for name in ("systems", "lessons", "api", "howto", "_static/pictures"):
        (target / name).mkdir(parents=True)
    for file in [here / "conf.py", here / "index.md", *(here / "howto").glob("*.md")]:
        shutil.copy(file, target / file.relative_to(here))
    for name in ("gallery.js", "search.js", "map.js", "explain.js", "terms.js", "icon.svg"):
        shutil.copy(STATIC / name, static / name)
    style = "".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in ("gallery", "rooms"))
    own = (here / "site.css").read_text(encoding="utf-8")
    (static / "site.css").write_text(f"{own}\n.mfexplore {{\n{style}\n}}\n", encoding="utf-8")
    shutil.copy(root / ".github" / "workbench.webp", static / "workbench.webp")
    pictures = _pictures(static / "pictures")
    _write_rooms(target, pictures)
    for key in places():
        page = system_page.written(key, key in pictures, key in live, thorough)
        explained = re.sub(r"(?s)````\{raw\} html\n(.*?)\n````", lambda m: raw(_explained(m[1], "../")), page)
        (target / "systems" / f"{key}.md").write_text(explained, encoding="utf-8")
    addresses = _addresses(root)
    _write_lessons(target / "lessons", pictures, live, addresses)
    _write_howto(root, target)
    reference.write(target / "api")
    landing = target / "index.md"
    first = raw(shown(FIRST, "", FIRST in pictures, FIRST in live, STILL) + (LIVE if FIRST in live else ""))
    text = landing.read_text(encoding="utf-8").replace("@LIVE@", first).replace("@SYSTEMS@", str(len(places())))
    landing.write_text(text.replace("@ADDRESSES@", _where(addresses)), encoding="utf-8")


def _addresses(root: Path) -> dict[str, str]:
    """Where the published things are, by name; nothing as long as it is not said whose the repository is."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    urls: dict[str, str] = project["urls"]
    return {} if "OWNER" in urls["Source"] else urls


def _where(addresses: Mapping[str, str]) -> str:
    if not addresses:
        return ""
    app, lessons, source = (addresses[name] for name in ("Binder", "Lessons", "Source"))
    return f"Nothing to install: [the app]({app}) and [the lessons]({lessons}) on Binder. [The source]({source}).\n"


def _explained(page: str, up: str) -> str:
    return linked(page, link(f"{up}glossary.html"))


def _pictures(folder: Path) -> set[str]:
    """Pictures of systems, as the package has them for its gallery."""
    there = {key for key in places() if (thumbnails.SHIPPED / f"{key}.webp").exists()}
    for key in there:
        shutil.copy(thumbnails.SHIPPED / f"{key}.webp", folder)
    return there


def _write_rooms(target: Path, pictures: set[str]) -> None:
    gallery = main_of(pages.gallery())

    def picture(match: re.Match[str]) -> str:
        key = match[1]
        if key not in pictures:
            return ""
        place = f"../_static/pictures/{key}.webp"
        return f'<img class="there" src="{place}" alt="" width="416" height="260" loading="lazy">'

    gallery = re.sub(r'<img data-src="thumbnail/(\w+)\.png"[^>]*>', picture, gallery)
    listed = "\n".join(places())
    toctree = f"```{{toctree}}\n:hidden:\n{listed}\n```\n"
    made = {
        "systems/index": ("Systems", settled(gallery, "../") + scripts("../", "gallery", "explain"), toctree),
        "systems/map": ("Map", settled(main_of(rooms.room("map")), "../") + scripts("../", "map", "explain"), ""),
        "glossary": ("Glossary", settled(main_of(rooms.room("glossary")), "") + scripts("", "explain"), ""),
        "paths": ("Learning paths", settled(main_of(rooms.room("paths")), "") + scripts("", "explain"), ""),
    }
    for name, (title, page, more) in made.items():
        wide = "---\nhide-toc: true\n---\n" if name.startswith("systems/") else ""  # they take the width of the window
        (target / f"{name}.md").write_text(f"{wide}# {title}\n\n{raw(page)}\n{more}", encoding="utf-8")


def _write_lessons(folder: Path, pictures: set[str], live: Sequence[str], addresses: Mapping[str, str]) -> None:
    names = "\n".join(lesson.name for lesson in lessons())
    on_binder = f", or with nothing to install [on Binder]({addresses['Lessons']})" if addresses else ""
    told = (
        "Here they are to be read. They are worked through in JupyterLab: in a copy of the repository by\n"
        f"`./run lab`{on_binder}. For teachers there is [](../howto/class.md)."
    )
    listed = raw("".join(map(_announced, lessons())))
    toctree = f"```{{toctree}}\n:hidden:\n{names}\n```"
    (folder / "index.md").write_text(f"# Lessons\n\n{told}\n\n{listed}\n{toctree}\n", encoding="utf-8")
    for lesson in lessons():
        (folder / f"{lesson.name}.md").write_text(_lesson(lesson, pictures, live), encoding="utf-8")


def _announced(lesson: Lesson) -> str:
    """A lesson in the list: its question, how long it takes, what it needs."""
    told = re.search(r"(?s)\*\*Question\.\*\*(.*?)\n\n.*\*\*Time\*\*(.*)", lesson.cells[0][1])
    assert told, f"{lesson.name} begins with its question, its time, and what it needs"
    link = f'<a href="{lesson.name}.html">{lesson.number} · {one_line(lesson.title)}</a>'
    return f'<h2 class="announced">{link}</h2><p>{one_line(told[1])}</p><p class="facts">{one_line(told[2])}</p>'


def _lesson(lesson: Lesson, pictures: set[str], live: Sequence[str]) -> str:
    seen: set[str] = set()
    parts, opened = [], {}
    for kind, text in lesson.cells:
        if kind == "figure":
            parts.append(raw(figure(text)))
        elif kind == "code":
            parts.append(f"```python\n{text}\n```\n")
            for names, keys in OPENED.findall(text):
                opened |= dict(zip(names.split(", "), re.findall(r'"(\w+)"', keys), strict=True))
            if played := PLAYED.search(text):
                parts.append(raw(_played(opened[played[1]], pictures, live)))
        else:
            for piece in re.split(r"(?m)^(#+ .*)$", text):
                if piece.startswith("#"):
                    parts.append(f"{piece}\n")
                elif piece.strip():
                    parts.append(raw(linked(to_html(piece), link("../glossary.html"), seen)))
    return "\n".join([*parts, raw(scripts("../", "explain"))])


def _played(key: str, pictures: set[str], live: Sequence[str]) -> str:
    """What stands where a notebook has its workbench."""
    title = html.escape(entry(key).title)
    words = f'In the notebook this cell is the workbench. Here: <a href="../systems/{key}.html">{title}</a>.'
    return f'<p class="facts">{words}</p>{shown(key, "../", key in pictures, key in live)}'


def _write_howto(root: Path, target: Path) -> None:
    """The pages that stand in the repository already, and the citation."""
    how = target / "howto"
    contributing = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (how / "add_a_system.md").write_text(re.sub(r"^# .*", "# Add a system", contributing, count=1), encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    sweep = re.search(r"## Past one machine\n(.*?)(?=\n## )", readme, re.DOTALL)
    assert sweep, "the README tells how one sweeps on a cluster"
    (how / "sweep.md").write_text(f"# Sweep on a cluster\n{sweep[1]}", encoding="utf-8")
    course = (root / "course" / "README.md").read_text(encoding="utf-8")
    course = re.sub(r"\[([^\]]*)\]\((?!http)[^)]*\)", r"\1", re.sub(r"^# .*", "# Run a class", course, count=1))
    (how / "class.md").write_text(course, encoding="utf-8")
    cite = how / "cite.md"
    citation = html.unescape((root / "CITATION.cff").read_text(encoding="utf-8"))
    cite.write_text(cite.read_text(encoding="utf-8").replace("@CITATION@", f"```yaml\n{citation}```"), encoding="utf-8")
