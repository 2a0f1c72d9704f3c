"""Sphinx's settings; `build.py` writes the pages and calls it."""

project = "mfexplore"
author = "The mfexplore developers"
copyright = author
extensions = ["myst_parser"]
exclude_patterns: list[str] = []
html_theme = "furo"
html_title = "mfexplore"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0f766e", "color-brand-content": "#0f766e"},
    "dark_css_variables": {"color-brand-primary": "#2dd4bf", "color-brand-content": "#2dd4bf"},
}
myst_heading_anchors = 3
pygments_style, pygments_dark_style = "friendly", "monokai"
