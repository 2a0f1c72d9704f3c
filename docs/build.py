"""Builds the site: `python docs/build.py` writes docs/_build/html, without warnings, and checks its links.

    --quick                 no snapshots or comparisons with references (they take minutes)
    --snapshots KEY,KEY     pages without a server for these systems only (default: all)

The pages of systems, the lessons, the glossary, the map and the reference are made from the package itself; the rest is
written by hand beside this file. Needs `pip install ".[app,docs]"`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import written
from links import broken
from sphinx.cmd.build import build_main

from mfexplore.app.snapshot import snapshot
from mfexplore.core.catalogue import places

HERE = Path(__file__).parent
ROOT = HERE.parent
SOURCE, SITE = HERE / "_build" / "source", HERE / "_build" / "html"


def _record(key: str) -> str:
    """Makes the page without a server of one system."""
    snapshot(key, SITE / "live" / f"{key}.html")
    return key


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--snapshots", default="")
    options = asked.parse_args()
    shutil.rmtree(HERE / "_build", ignore_errors=True)
    live = [key for key in options.snapshots.split(",") if key] or ([] if options.quick else list(places()))
    (SITE / "live").mkdir(parents=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for key in pool.map(_record, live):
            print(f"live/{key}.html", flush=True)
    written.source(ROOT, HERE, SOURCE, live=live, thorough=not options.quick)
    failed = build_main(["-q", "-W", "--keep-going", "-b", "html", str(SOURCE), str(SITE)])
    nowhere = broken(SITE)
    print("\n".join(nowhere) or f"All links of {SITE} lead somewhere.")
    return int(bool(failed or nowhere))


if __name__ == "__main__":
    sys.exit(main())
