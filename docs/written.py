"""The source of the site: what is written by hand, and what the package tells of itself."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import reference
import system_page
from system_page import live as frame
from system_page import raw

from mfexplore.app import pages, rooms, thumbnails
from mfexplore.core.catalogue import places
from mfexplore.figures.prose import to_html
from mfexplore.guide.glossary import link, linked
from mfexplore.guide.lessons import Lesson, lessons

FIRST = "curie_weiss"  # on the landing page
LIVE = """
This page needs no server: move the marker, choose a preset, press play. The app does it for every system, at any
point, at any size; `pip install "mfexplore[app]"`, then `mfexplore serve`.
"""
STATIC = Path(pages.__file__).parent / "static"
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
    pictures = _pictures(static / "pictures", thorough)
    _write_rooms(target, pictures)
    for key in places():
        page = system_page.written(key, key in pictures, key in live, thorough)
        explained = re.sub(r"(?s)````\{raw\} html\n(.*?)\n````", lambda m: raw(_explained(m[1], "../")), page)
        (target / "systems" / f"{key}.md").write_text(explained, encoding="utf-8")
    _write_lessons(target / "lessons")
    _write_howto(root, target)
    reference.write(target / "api")
    landing = target / "index.md"
    first = raw(frame(f"live/{FIRST}.html", "Curie-Weiss ferromagnet")) + LIVE if FIRST in live else ""
    landing.write_text(landing.read_text(encoding="utf-8").replace("@LIVE@", first), encoding="utf-8")


def _explained(page: str, up: str) -> str:
    return linked(page, link(f"{up}glossary.html"))


def _pictures(folder: Path, thorough: bool) -> set[str]:
    """Pictures of systems, as the gallery has them: those that were made before, or all."""
    there = set()
    for key in places():
        image = thumbnails.stored(key) or (thumbnails.picture(key) if thorough else None)
        if image:
            (folder / f"{key}.png").write_bytes(image)
            there.add(key)
    return there


def _write_rooms(target: Path, pictures: set[str]) -> None:
    gallery = main_of(pages.gallery())

    def picture(match: re.Match[str]) -> str:
        key = match[1]
        if key not in pictures:
            return ""
        return f'<img class="there" src="../_static/pictures/{key}.png" alt="" width="416" height="260" loading="lazy">'

    gallery = re.sub(r'<img data-src="thumbnail/(\w+)\.png"[^>]*>', picture, gallery)
    listed = "\n".join(places())
    toctree = f"```{{toctree}}\n:hidden:\n{listed}\n```\n"
    shown = {
        "systems/index": ("Systems", settled(gallery, "../") + scripts("../", "gallery", "explain"), toctree),
        "systems/map": ("Map", settled(main_of(rooms.room("map")), "../") + scripts("../", "map", "explain"), ""),
        "glossary": ("Glossary", settled(main_of(rooms.room("glossary")), "") + scripts("", "explain"), ""),
        "paths": ("Learning paths", settled(main_of(rooms.room("paths")), "") + scripts("", "explain"), ""),
    }
    for name, (title, page, more) in shown.items():
        (target / f"{name}.md").write_text(f"# {title}\n\n{raw(page)}\n{more}", encoding="utf-8")


def _write_lessons(folder: Path) -> None:
    names = "\n".join(lesson.name for lesson in lessons())
    (folder / "index.md").write_text(
        "# Lessons\n\nTo read; to work through them, open the notebooks in JupyterLab (`./run lab`).\n\n"
        f"```{{toctree}}\n{names}\n```\n", encoding="utf-8",
    )  # fmt: skip
    for lesson in lessons():
        (folder / f"{lesson.name}.md").write_text(_lesson(lesson), encoding="utf-8")


def _lesson(lesson: Lesson) -> str:
    seen: set[str] = set()
    parts = []
    for kind, text in lesson.cells:
        if kind == "code":
            parts.append(f"```python\n{text}\n```\n")
            continue
        for piece in re.split(r"(?m)^(#+ .*)$", text):
            if piece.startswith("#"):
                parts.append(f"{piece}\n")
            elif piece.strip():
                parts.append(raw(linked(to_html(piece), link("../glossary.html"), seen)))
    return "\n".join([*parts, raw(scripts("../", "explain"))])


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
