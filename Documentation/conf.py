# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx' configuration. Documentation/Makefile says where the kernel's source is."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = os.environ["AXVCPU_KERNEL_SOURCE"]
sys.path[:0] = [HERE, f"{KERNEL}/Documentation/sphinx"]

project = "axvcpu"
author = "The axvcpu developers"
copyright = author
extensions = ["kerneldoc", "sphinx.ext.graphviz", "tables"]

needs_sphinx = "5.3"
exclude_patterns = ["__pycache__"]
nitpicky = False
primary_domain = "c"
highlight_language = "none"
c_id_attributes = ["__user", "__init", "__exit"]

# The extension runs this script on the files that kernel-doc directives name.
kerneldoc_bin = f"{KERNEL}/scripts/kernel-doc"
kerneldoc_srctree = os.path.dirname(HERE)

graphviz_output_format = "svg"

html_theme = "alabaster"
html_theme_options = {
    "description": "Hardware vCPUs as file descriptors",
    "fixed_sidebar": True,
    "page_width": "70rem",
    "sidebar_width": "15rem",
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_copy_source = False
html_show_copyright = False
