"""Which minimum descent finds, if any: by step size, by Newton's method, by adaptive steps.

    python examples/minima.py
    python examples/minima.py pictures/minima.png

A lecture on optimization goes down f(x) = 3x^4 + 5x^3 - 20x^2 + 8x + 10, which has two minima, and
f(x1, x2) = x1^4 x2^2 + (x1 - 1)^2 (x2 - 1)^4, which has two, of which one is degenerate: around it
the gradient dies out with the third power of the distance.  Here is where descent ends, from which
start, by which rule, beside what arithmetic with 60 digits says; and the misprints of the lecture.

The picture needs matplotlib: pip install 'fastnet[plot]'.
"""

import argparse

import numpy as np

import fastnet as fn

#: x, f, f'' of the critical points
CRITICAL = [
    (-2.619605127614655, -96.81168793630879, 128.45576305806),
    (0.2217007719475366, 10.85231339153779, -31.579532479417),
    (1.147904355667118, 5.601301628104335, 41.873769421357),
]
STARTS = (-4, -3, -2, -1, 0, 0.2, 0.25, 0.5, 1, 2, 3, 4)
#: step -> where each start ends.  L, R: in the left or the right minimum; cycle: jumps to and fro
#: for ever; div: ever further out
BASINS = {
    0.001: "L L L L L L R R R R R R",
    0.005: "L L L L L L R R R R R L",
    0.01: "L L L L L L R R R R L R",
    0.02: "div cycle cycle cycle cycle cycle R R R R cycle div",
    0.05: "div div div div div div cycle cycle cycle div div div",
}
#: start -> where x - f'/f'' ends, and x - f'/|f''|
NEWTON = {
    -4: "L L", -1.6: "L L", 0.7: "L R", -1.5: "R L", 2: "R R",
    -1: "maximum L", 0: "maximum L", 0.2: "maximum L", 0.25: "maximum R", 0.5: "maximum R",
}  # fmt: skip
#: tolerance -> steps of 0.01 from (1/2, 1/2) until one is shorter, and x1 there, which should be 0
PREMATURE = {1e-4: (1267, 0.137), 1e-5: (4905, 0.05906), 1e-6: (20317, 0.02664)}
#: start -> where steps of 0.01 lead, and those of Armijo's rule
PLANE = {
    (0.5, 0.5): "(0,1) (0,1)", (1.2, 0.6): "(1,0) (1,0)", (2.0, 0.5): "(1,0) (0,1)",
    (-1.0, 2.0): "(0,1) (1,0)", (3.0, 3.0): "diverged (1,0)",
}  # fmt: skip

MISPRINTS = """\
Misprints of the lecture:
  * "x_{i+1} = x_i sf'(x_i)", for one variable and for two: the minus sign is missing; and "an
    amount sf'(x_0)" must be of x_i.
  * "An extreme point of a continuous function has f' = 0": of one that is differentiable, and
    inside of its domain; and the converse is false, as at the saddle above.
  * Where the gradient is not available, "the matrix of second derivatives has to be estimated": it
    is the gradient that has to be.
  * Newton's step 1/f'' comes without the condition f'' > 0: from 0 it climbs to the maximum."""


def f(x):
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def slope(x):
    return 12 * x**3 + 15 * x**2 - 40 * x + 8


def bend(x):
    return 36 * x**2 + 30 * x - 40


def valley(x):
    return x[0] ** 4 * x[1] ** 2 + (x[0] - 1) ** 2 * (x[1] - 1) ** 4


def gradient(x):
    a, b = x
    return np.array([
        4 * a**3 * b**2 + 2 * (a - 1) * (b - 1) ** 4,
        2 * a**4 * b + 4 * (a - 1) ** 2 * (b - 1) ** 3,
    ])


def place(r):
    """The end of a descent in a word."""
    if not r.converged:
        return {"diverged": "div", "max_iterations": "cycle"}[r.reason]
    if r.curvature == "indefinite":
        return "maximum"
    return "L" if r.x < 0 else "R"


def one_variable():
    """Prints the table of basins and Newton's ways; returns the words of both."""
    for point, (x, value, second) in zip(fn.critical_points(f, (-4, 4)), CRITICAL, strict=True):
        print(f"{point.kind} at {point.x:.12f}, f = {point.value:.12f}, f'' = {bend(point.x):.9f}"
              f"\n{'expected':>10} {x:.12f}      {value:.12f}         {second:.9f}")  # fmt: skip
        if second > 0:
            print(f"        steps must be below 2/f'' = {2 / bend(point.x):.6f}")

    print("\nwhere descent ends, by step and start; ! is not as expected")
    print("      ", *(f"{start:>6g}" for start in STARTS))
    basins = {}
    for step, known in BASINS.items():
        basins[step] = [
            place(fn.minimize(f, start, slope, step=step, tolerance=1e-10)) for start in STARTS
        ]
        print(f"{step:<6}", *(f"{word + '!' * (word != expected):>6}" for word, expected in
                              zip(basins[step], known.split(), strict=True)))  # fmt: skip
    ways = [fn.minimize(f, start, slope, step=0.01, tolerance=1e-10, record=True)
            for start in (0, 1, 3, 4)]  # fmt: skip
    for r, known in zip(ways, (26, 39, 23, 41), strict=True):
        way = " -> ".join(f"{x:.5g}" for x in r.path[:4])
        print(f"step 0.01: {way} ... {r.x:.6f} after {r.n_iterations}, expected {known}")
    cycle = fn.minimize(f, 0, slope, step=0.016, record=True).path
    print(f"step 0.016: {cycle[-2]:.11f} <-> {cycle[-1]:.11f} for ever, expected "
          "-2.39389666567 <-> -2.79535837752")  # fmt: skip
    r = fn.minimize(f, 4, slope, step="armijo", stop_on="gradient", tolerance=1e-4, record=True)
    way = " -> ".join(f"{x:.5g}" for x in r.path)
    print(f"Armijo's rule: {way} after {r.n_iterations}, expected 4")

    print("\nNewton's method   x - f'/f''   expected    x - f'/|f''|   expected")
    newton = {}
    for start, known in NEWTON.items():
        newton[start] = [
            place(fn.minimize(f, start, slope, bend, "newton", guard=guard))
            for guard in (False, True)
        ]
        plain, guarded = newton[start]
        expected = known.split()
        print(f"from {start:>5}{plain:>18}{expected[0]:>11}{guarded:>16}{expected[1]:>11}")
    return basins, newton


def two_variables():
    """Prints where descent ends; returns the words of it."""
    print("\nx1^4 x2^2 + (x1 - 1)^2 (x2 - 1)^4")
    for point in ((0, 1), (1, 0), (2 / 3, 1 / 3)):
        values = np.linalg.eigvalsh(fn.hessian(valley, point)).round(6) + 0.0
        print(f"  ({point[0]:.4g}, {point[1]:.4g}): f = {valley(point):.6f}, eigenvalues of the "
              f"Hessian {values[0]:g} and {values[1]:g}")  # fmt: skip
    print("    expected at the saddle 32/729 = 0.043896, -16/27 = -0.592593, 208/81 = 2.567901")

    print("\na step shorter than   first after      x1  expected         curvature")
    for tolerance, (steps, x1) in PREMATURE.items():
        r = fn.minimize(valley, (0.5, 0.5), gradient, tolerance=tolerance, max_iterations=100_000)
        print(f"{tolerance:19g}  {r.n_iterations:12}  {r.x[0]:.4f}  {steps:5} {x1:<8}  "
              f"{r.curvature}")  # fmt: skip

    print("\nstart         steps of 0.01   expected    Armijo   expected")
    ends = {}
    for start, known in PLANE.items():
        ends[start] = []
        for step in (0.01, "armijo"):
            r = fn.minimize(valley, start, gradient, step=step, max_iterations=5000)
            ends[start].append(
                r.reason if r.reason == "diverged" else "(0,1)" if r.x[0] < 0.5 else "(1,0)"
            )
        fixed, armijo = ends[start]
        expected = known.split()
        print(f"{start!s:12}{fixed:>15}{expected[0]:>11}{armijo:>10}{expected[1]:>11}")
    print()

    for name, options, known in (
        ("60 trials of steps that grow by 1.1 or halve",
         {"step": "grow_shrink", "max_iterations": 60}, "4.742e-05"),
        ("5000 steps of 0.01", {"max_iterations": 5000}, "1.852e-05"),
    ):  # fmt: skip
        r = fn.minimize(valley, (0, 0), gradient, **options)
        print(f"from (0, 0), {name}: f = {r.value:.4g}, expected {known}")
    for guard, expected in ((False, "the saddle"), (True, "a minimum")):
        r = fn.minimize(valley, (0.6, 0.4), gradient, method="newton", guard=guard)
        print(f"Newton's method from (0.6, 0.4), guard={guard}: ({r.x[0]:.5f}, {r.x[1]:.5f}), "
              f"{r.curvature}, expected {expected}")  # fmt: skip
    return ends


def draw(path):
    """Save a picture of some of the ways; False where matplotlib is missing."""
    try:
        import matplotlib.figure
    except ImportError:
        return False
    figure = matplotlib.figure.Figure(figsize=(12.5, 10), layout="constrained")
    (basins, newton), (plane, flat) = figure.subplots(2, 2)

    def way(start, *arguments, **options):
        return fn.minimize(f, start, slope, *arguments, record=True, **options)

    starts = (0, 1, 3)
    fn.plot.descent(f, [way(start, step=0.01) for start in starts], ax=basins,
                    labels=[f"from {start}" for start in starts], xlim=(-3.5, 3.3))  # fmt: skip
    basins.set_title("Steps of 0.01: from 3, over the hill")

    ways = [way(0, bend, "newton", guard=guard) for guard in (False, True)]
    labels = ["plain: to the maximum", "guarded, with |f''|"]
    fn.plot.descent(f, ways, labels=labels, ax=newton, xlim=(-5, 2.5), ylim=(-120, 620))
    newton.set_title("Newton's method from 0")

    def way(start, **options):
        return fn.minimize(valley, start, gradient, record=True, max_iterations=5000, **options)

    ways = [way((2, 0.5)), way((2, 0.5), step="armijo")]
    fn.plot.descent(valley, ways, labels=["steps of 0.01", "Armijo's rule"], ax=plane)
    plane.set_title("To different minima from (2, 0.5)")

    ways = [way((0.5, 0.5), tolerance=tolerance) for tolerance in (1e-5, 1e-4)]
    labels = [f"until a step is below {tolerance}" for tolerance in ("1e-5", "1e-4")]
    fn.plot.descent(valley, ways, labels=labels, ax=flat, xlim=(-0.35, 0.65), ylim=(0.35, 1.35))
    flat.plot(0, 1, "x", color="black", markersize=10, markeredgewidth=2)
    flat.annotate("the minimum", (0, 1), (8, 6), textcoords="offset points")
    flat.set_title("Stopped too early, where the valley is flat")
    figure.savefig(path, dpi=100)
    return True


def main(path="minima.png"):
    """Returns where descents ended: on the line, by Newton's method, in the plane."""
    basins, newton = one_variable()
    ends = two_variables()
    print("\n" + MISPRINTS)
    if draw(path):
        print(f"\nsome of the ways are drawn in {path}")
    else:
        print("\nno picture without matplotlib: pip install 'fastnet[plot]'")
    return basins, newton, ends


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default="minima.png", help="the picture")
    main(parser.parse_args().path)
