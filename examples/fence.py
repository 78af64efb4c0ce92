"""The largest field inside a fence, by going uphill; then a curve for what somebody measured.

    python examples/fence.py
    python examples/fence.py pictures/fence.png

Length and width of a rectangle inside a fence of 200 m are 100 m together, and its area is
A(l) = 100 l - l^2 for a length l.  A document on gradient descent finds the largest area by steps
from 57 to 54 to 52.  Then it takes the areas at l = 0 ... 99 for measured ones, and looks for a and
b in F(x) = a x^2 + b x by going down the mean absolute error from a = -2, b = 30.  Here are its
numbers, what comes of them beside arithmetic with 60 digits, and its misprints.

The picture needs matplotlib: pip install 'fastnet[plot]'.
"""

import argparse

import numpy as np

import fastnet as fn

#: l -> area and slope as the document has them, None where it does not say
PRINTED = {
    49: (2499, None), 50: (2500, 0), 51: (2499, None), 57: (None, -14), 54: (2484, -8),
    52: (2496, None),
}  # fmt: skip
#: The rates that make its steps: 57 - 14 * 3 / 14 = 54, and 54 - 8 / 4 = 52
RATES = (3 / 14, 1 / 4)
#: constant rate -> steps from 57 until the slope is below 1e-6
CONSTANT = {0.1: 74, 0.25: 24, 0.5: 1, 1.0: None, 1.1: None}

X = np.arange(100.0)
Y = 100 * X - X**2
START, GUESS = (-2, 30), (-0.5, 33)
#: Descents from START: arguments of fit_curve, and the error where they end by exact arithmetic
FITS = {
    "rate 1e-4": ({"step": 1e-4, "scale": False, "max_iterations": 200}, 897.047),
    "rate 1e-5": ({"step": 1e-5, "scale": False, "max_iterations": 1000}, 898.534),
    "rate 1e-6": ({"step": 1e-6, "scale": False, "max_iterations": 2000}, 899.828),
    "scaled, Polyak's step": ({"step": "polyak"}, 0.0),
    "scaled by rms, Polyak's step": ({"step": "polyak", "scale": "rms"}, 0.0),
    "scaled, steps 1000 * 0.95^k": ({"step": lambda k: 1000 * 0.95**k, "normalize": True}, 0.0),
    "exact line search": ({"step": "exact", "scale": False}, 0.0),
    "fit_curve as it is": ({}, 0.0),
}
#: Steps until the error is below 1, 1e-3, 1e-6, 1e-9 by exact arithmetic
POLYAK = {
    "scaled, Polyak's step": [33, 67, 103, 139],
    "scaled by rms, Polyak's step": [31, 73, 113, 155],
}

MISPRINTS = """\
Misprints of the document:
  * "A(x) = 100x * x^2": it must be 100x - x^2.
  * "mean_error = -67485": the sum -674850 over 100 points is -6748.5.
  * "Recall a=2 and b=30", and comments with a = 1 and a = 2: a is -2 and -1.
  * "Exactly 100 meters" of fence: the data are those of 200 m; 100 m give 50x - x^2, 400 and not
    900 at x = 10.  Once the meters are feet.
  * "L(a,b) = ax^2 + bx - y" for one point has lost its absolute value.
  * "With respect to a, b, and c, that's 3 variables": there are two.
  * Its rules for L'a and L'b have the right signs, but ask once for all points whether F > y; that
    is to be asked at each point.  F = y is missing (0 serves), and so are indices i.
  * The error has a corner not only where all of it is 0: one residual of 0 is enough, and at x = 0
    there always is one.
  * The "update" from (-2, 30) to (-0.5, 33) is not along the gradient: it moves a by 1.5 and b by
    3, where the gradient is {ratio:.1f} to 1.
  * The steps of 3 and 2 are no multiple of the slope by one rate: they are {first:.4f} and
    {second:.4f} of it.
  * "If there is a global maximum or minimum, it must occur at 50": on [0, 100] the smallest area,
    0, is at both ends.
  * "The closed-form derivative of a net is not feasible": backpropagation, which it announces next,
    is one."""


def area(length):
    return 100 * length - length**2


def slope(length):
    return 100 - 2 * length


def curve(x, a, b):
    return a * x**2 + b * x


def derivatives(x, a, b):
    return np.column_stack([x**2, x])


def error(p):
    """Mean absolute error."""
    return np.mean(np.abs(curve(X, *p) - Y))


def subgradient(p):
    """The mean of what each point wants: nothing where the curve is exact."""
    return np.sign(curve(X, *p) - Y) @ derivatives(X, *p) / len(X)


def climb():
    """Prints the way up; returns the document's ascent and those with constant rates."""
    print("length   area  printed   slope  printed")
    for length, printed in PRINTED.items():
        words = ["-" if number is None else number for number in printed]
        print(f"{length:6} {area(length):6} {words[0]:>8} {slope(length):7} {words[1]:>8}")
    for point in fn.critical_points(area, (0, 100)):
        print(f"critical point: {point.kind} {point.value:.9g} at {point.x:.9g}")

    ascent = fn.maximize(area, 57, slope, step=lambda k: RATES[k], max_iterations=2, record=True)
    way = " -> ".join(f"{length:g}" for length in ascent.path)
    print(f"\nthe document goes {way}: area {ascent.value:g}, slope {ascent.gradient:g}")
    ascents = [ascent]
    for rate, known in CONSTANT.items():
        r = fn.maximize(
            area, 57, slope, step=rate, stop_on="gradient", tolerance=1e-6, max_iterations=5000,
            record=True,
        )  # fmt: skip
        way = " -> ".join(f"{length:.6g}" for length in r.path[:4])
        expected = known or "never to arrive"
        print(f"rate {rate:<4}  {way}: {r.reason!r} after {r.n_iterations}, expected {expected}")
        ascents.append(r)
    return ascents


def fit():
    """Prints the ways down; returns the results of all fits."""
    residuals = curve(X, *START) - Y
    pull = ", ".join(f"{g:g}" for g in subgradient(START))
    print(f"""
a = -2, b = 30: the residuals sum to {residuals.sum():g}, printed -674850,
their mean is {residuals.mean():g}, printed -67485; the mean absolute error is {error(START):g}
and its subgradient ({pull}): make both larger
a = -0.5, b = 33: error {error(GUESS):g}, "significantly better"
""")
    results = {}
    print(f"{'descent from there':29}{'a':>13} {'b':>14} {'error':>11} {'expected':>8}  steps")
    for name, (options, known) in FITS.items():
        # by itself it takes differences
        gradient = derivatives if options else None
        r = results[name] = fn.fit_curve(
            curve, X, Y, START, gradient=gradient, record=True, **options
        )
        a, b = r.parameters
        print(f"{name:29}{a:13.9f} {b:14.9f} {r.loss:11.6g} {known:8g}  "
              f"{r.n_iterations} {r.reason}")  # fmt: skip
    print(f"the last took {r.n_evaluations} evaluations of the curve, and no derivatives")
    print("\nsteps until the error is below 1, 1e-3, 1e-6, 1e-9:")
    for name, known in POLYAK.items():
        errors = np.array([error(p) for p in results[name].path])
        steps = [int(np.argmax(errors < limit)) for limit in (1, 1e-3, 1e-6, 1e-9)]
        print(f"  {name}: {steps}, expected {known}")

    # "Make a and b both bigger", by steps that binary numbers have exactly
    steps = np.array([1 / 64, 70 / 64])
    r = fn.minimize(error, START, lambda p: steps * np.sign(subgradient(p)), step=1, stop_on=None)
    print(f"\nmaking both larger by 1/64 and 70/64: {r.x.tolist()} after {r.n_iterations} steps, "
          f"expected 64; error {r.value:g}: {r.reason!r}\n")  # fmt: skip
    return results


def draw(ascents, results, path):
    """Save a picture of it all; False where matplotlib is missing."""
    try:
        import matplotlib.figure
    except ImportError:
        return False
    figure = matplotlib.figure.Figure(figsize=(15, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    labels = ["the document: 57, 54, 52", "rate 0.1", "rate 1: to and fro"]
    shown = [ascents[0], ascents[1], ascents[4]]
    fn.plot.descent(area, shown, labels=labels, xlim=(41, 59), ylim=(2430, 2545), ax=left)
    left.get_legend().get_texts()[0].set_text("area")
    left.set(xlabel="length (m)", ylabel="area (m²)", title="Uphill, to the largest field")

    shown = ("rate 1e-6", "scaled, Polyak's step", "exact line search")
    shown = {name: results[name] for name in shown}
    fn.plot.descent(error, list(shown.values()), labels=list(shown), ax=middle,
                    xlim=(-2.6, 1.2), ylim=(0, 200))  # fmt: skip
    figure.axes[-1].set_ylabel("mean absolute error (m²)")
    middle.set(xlabel="a", ylabel="b", title="Down the mean absolute error")

    right.plot(X, Y, ".", color="0.6", label="measured")
    for p, style in ((START, ":"), (GUESS, "--"), (results["fit_curve as it is"].parameters, "-")):
        right.plot(X, curve(X, *p), style, color="black", label=f"a = {p[0]:g}, b = {p[1]:g}")
    right.set(ylim=(-4500, 3000), xlabel="x (m)", ylabel="F(x) (m²)", title="The curve")
    right.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=110)
    return True


def main(path="fence.png"):
    """Returns the ascents and the fits."""
    ascents, results = climb(), fit()
    first, second = subgradient(START)
    print(MISPRINTS.format(ratio=first / second, first=RATES[0], second=RATES[1]))
    if draw(ascents, results, path):
        print(f"\nascents and fits are drawn in {path}")
    else:
        print("\nno picture without matplotlib: pip install 'fastnet[plot]'")
    return ascents, results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default="fence.png", help="the picture")
    main(parser.parse_args().path)
