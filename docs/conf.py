"""Settings of the documentation: ``sphinx-build -W --keep-going docs docs/_build``."""

import ast
import importlib
import inspect
import os
import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.inspect import safe_getattr

import fastnet

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import blocks  # noqa: E402

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "fastnet", "figure.figsize": (6.4, 4.0)})
# Modules whose every public name must be on a page of the reference
PUBLIC = (
    "fastnet",
    "fastnet.activations",
    "fastnet.capi",
    "fastnet.losses",
    "fastnet.neat",
    "fastnet.neat.tasks",
    "fastnet.optim",
    "fastnet.optim.schedules",
    "fastnet.plot",
    "fastnet.random",
)
# autodoc would read the stubs of extension modules, which have no docstrings, of what is not loaded
for _name in PUBLIC:
    _module = importlib.import_module(_name)
    for _attribute in getattr(_module, "__all__", ()):
        getattr(_module, _attribute)

project = "fastnet"
author = "The fastnet developers"
copyright = author
version = release = fastnet.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
autodoc_member_order = "groupwise"
autodoc_default_options = {"members": True}
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"
suppress_warnings = []

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"fastnet {version}"
html_theme_options = {
    "light_css_variables": {"code-font-size": "80%"},
    "dark_css_variables": {"code-font-size": "80%"},
}
html_static_path = ["_static"]
html_css_files = ["fastnet.css"]
html_copy_source = False
html_show_sphinx = False


def inline_math(writer, node):
    """Formulas as MathML, which browsers read by themselves: no script from elsewhere."""
    writer.body.append(tex2mathml(node.astext()))
    raise SkipNode


def block_math(writer, node):
    writer.body.append(f"<div class='math'>{tex2mathml(node.astext(), True)}</div>")
    raise SkipNode


def run_blocks(app, name, source):
    """Pages in Markdown are read with the results of their blocks."""
    path = Path(app.env.doc2path(name))
    if path.suffix == ".md" and "```python\n" in source[0]:
        here = Path.cwd()
        options = np.get_printoptions()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                source[0] = blocks.with_results(path, HERE / "_pictures", "/_pictures")
            finally:
                os.chdir(here)
                np.set_printoptions(**options)


def stub_of(cls):
    """The definition of a class in the stub beside its module, or None."""
    path = Path(inspect.getfile(importlib.import_module(cls.__module__)))
    stub = path.with_name(path.name.split(".")[0] + ".pyi")
    if stub.is_file():
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                return node
    return None


def attribute(value, name, *default):
    """Classes that Cython compiles have no signature; the stubs beside them have it, with types."""
    if name == "__init__" and value.__module__.startswith("fastnet"):
        if inspect.isfunction(value.__init__):
            return value.__init__
        for cls in value.__mro__:
            node = stub_of(cls) if cls.__module__.startswith("fastnet") else None
            for method in node.body if node else ():
                if isinstance(method, ast.FunctionDef) and method.name in ("__init__", "__new__"):
                    for argument in ast.walk(method.args):
                        if isinstance(argument, ast.arg):
                            argument.annotation = None
                    namespace = {}
                    exec(f"def __init__({ast.unparse(method.args)}): pass", namespace)
                    return namespace["__init__"]
        return lambda self: None
    return safe_getattr(value, name, *default)


def found(name):
    """What a full name stands for; a name that is an alias stands for the same."""
    first, *rest = name.split(".")
    value = importlib.import_module(first)
    for part in rest:
        value = getattr(value, part, None)
    return value


def missing_names(app, env):
    """Every public name is on a page: a warning, which is an error, names those that are not."""
    documented = {id(found(name)) for name in env.get_domain("py").objects}
    for module in PUBLIC:
        for name in importlib.import_module(module).__all__:
            if id(found(f"{module}.{name}")) not in documented:
                logging.getLogger(__name__).warning(
                    "%s.%s is on no page of docs/reference", module, name
                )


def setup(app):
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    app.connect("source-read", run_blocks)
    app.add_autodoc_attrgetter(type, attribute)
    app.connect("env-check-consistency", missing_names)
    return {"parallel_read_safe": True}
