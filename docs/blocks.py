"""The Python blocks of a page of Markdown: run them, and put beside them what they print and draw.

Building the site (conf.py) and the tests run them alike: all blocks of a page in one namespace,
from top to bottom.  A block that imports a package which is not installed is shown and not run, as
is one that needs what such a block would have made.
"""

import ast
import contextlib
import importlib.util
import io
import re
from pathlib import Path

FENCED = re.compile(r"^```python\n(.*?)^```\n", re.M | re.S)
# Of other libraries, or extras of fastnet; a block that needs one has all that comes of it
OPTIONAL = ("gymnasium", "neat", "numba", "onnx", "scipy", "sklearn", "torch")
EXTRAS = {"fastnet.sklearn": "sklearn"}


def is_installed(package):
    return importlib.util.find_spec(package) is not None


def missing_packages(tree):
    """Optional packages that a block imports and that are not installed."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    tops = {EXTRAS.get(name, name.split(".")[0]) for name in names}
    return {name for name in tops.intersection(OPTIONAL) if not is_installed(name)}


def names_in(tree, context):
    """Names that a block sets (ast.Store) or uses (ast.Load)."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {node.id for node in nodes if isinstance(node.ctx, context)}


class Page:
    """A page whose blocks run in one namespace; tracebacks name the lines of the file."""

    def __init__(self, path):
        self.path = Path(path)
        self.text = self.path.read_text(encoding="utf-8")
        self.namespace = {"__name__": self.path.stem}

    def run(self):
        """Run all blocks; yields ``(match, printed, value)`` of each that ran.

        ``value`` is that of a last line which is an expression, else None.
        """
        unknown = set()
        for match in FENCED.finditer(self.text):
            line = self.text[: match.start(1)].count("\n")
            tree = ast.parse("\n" * line + match[1], str(self.path))
            made, used = names_in(tree, ast.Store), names_in(tree, ast.Load)
            if missing_packages(tree) or used & (unknown - made - self.namespace.keys()):
                unknown |= made
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                value = self._execute(tree)
            yield match, printed.getvalue(), value

    def _execute(self, tree):
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = tree.body.pop()
        exec(compile(tree, str(self.path), "exec"), self.namespace)
        if last is not None:
            expression = ast.Expression(last.value)
            return eval(compile(expression, str(self.path), "eval"), self.namespace)
        return None


def with_results(path, folder, address):
    """The text of a page, with output and pictures below each block that has some.

    Pictures are the open figures of matplotlib, and a last value that draws itself
    (``_repr_svg_``); they are written to ``folder``, which pages call ``address``.
    """
    import matplotlib.pyplot as plt

    page, pieces, end = Page(path), [], 0
    folder.mkdir(exist_ok=True)
    n_pictures = 0
    for match, printed, value in page.run():
        pieces.append(page.text[end : match.end()])
        end = match.end()
        if printed:
            pieces.append(f"\n```{{code-block}} text\n:class: output\n\n{printed}```\n")
        drawings = [(plt.figure(number), number) for number in plt.get_fignums()]
        if hasattr(value, "_repr_svg_"):
            drawings.append((value, None))
        for drawing, number in drawings:
            n_pictures += 1
            name = f"{page.path.parent.name}-{page.path.stem}-{n_pictures}.svg"
            if number is None:
                (folder / name).write_text(drawing._repr_svg_(), encoding="utf-8")
                words = repr(drawing)
            else:
                titles = [axes.get_title() for axes in drawing.axes]
                words = "; ".join(title for title in titles if title) or "picture"
                drawing.savefig(folder / name, bbox_inches="tight", metadata={"Date": None})
                plt.close(drawing)
            pieces.append(f"\n```{{image}} {address}/{name}\n:alt: {words}\n:class: picture\n```\n")
    return "".join([*pieces, page.text[end:]])
