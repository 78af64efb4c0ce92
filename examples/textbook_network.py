"""A network of nine numbers, worked out by hand in a lecture, and computed here.

    python examples/textbook_network.py
    python examples/textbook_network.py pictures/network.png

Two inputs, two hidden units with sigmoids, one linear output, and two observations: a lecture on
optimization computes activations, residuals, how much the output changes with each of the nine
weights and biases, and a step of steepest descent on R, the sum of the squared residuals.  Here is
each of its numbers beside that of the network, what comes of the step beside arithmetic with 60
digits, and the misprints of the lecture.

The picture needs matplotlib: pip install 'fastnet[plot]'.
"""

import argparse

import numpy as np

import fastnet as fn

X = np.array([[3.0, -2.0], [-1.0, 1.0]])
Y = np.array([1.2, 0.7])
NAMES = ["w11", "w12", "b1", "w21", "w22", "b2", "w11(2)", "w12(2)", "b1(2)"]
#: The lecture takes one unit after the other, `net.parameters` all weights of a layer, then its
#: biases: these are the places of NAMES in it
ORDER = [0, 2, 4, 1, 3, 5, 6, 7, 8]
#: The lecture does not print the second hidden unit, but what it makes of both observations, .622
#: and .689: that leaves a line of choices (w21, w22, b2), all with the same outputs and gradients
SECOND_UNIT = (0.3, 0.5, 0.6)
OTHER_UNITS = ((0.0, 0.1, 0.7), (-0.3, -0.3, 0.8), (0.6, 0.9, 0.5), (-1.5, -1.9, 1.2))

#: What the lecture prints, in its digits
PRINTED = [
    ("z1(1) obs1", "-0.1"), ("a1(1) obs1", "0.475"), ("a2(1) obs1", "0.622"),
    ("a1(2) obs1", "0.809"), ("e1", "0.311"), ("sens w11(1)", "0.449"), ("sens w12(1)", "-0.299"),
    ("sens b1(1)", "0.150"), ("sens w21(1)", "0.141"), ("sens w22(1)", "-0.094"),
    ("sens b2(1)", "0.045"), ("contribution entry w11(2) obs1", "0.455"),
    ("contribution entry w12(2) obs1", "0.622"), ("a1(1) obs2", "0.574"), ("a2(1) obs2", "0.689"),
    ("a1(2) obs2", "0.88"), ("e2", "-0.18"), ("nudge w11(2) obs2", "0.455"),
    ("nudge w12(2) obs2", "0.622"),
]  # fmt: skip
#: steps of 0.1 times the gradient -> sum of squares by exact arithmetic
TRAINED = {0: 0.1858516737721109, 1: 0.144373010537075, 10: 0.047127811012337164,
           100: 2.2780202257314163e-06}  # fmt: skip

MISPRINTS = """\
Misprints of the lecture:
  * The residual .311 must be .3905, 1.2 - .8095.  With y = 1.12 in place of 1.2 it would be
    {alike:.4f}.  All that is multiplied by it is off, too.
  * The sensitivity to b2(1), .045, must be .047; the seventh entry of the contribution, .455, must
    be .475.
  * Observation 2 pulls at w11(2) and w12(2) by .574 and .690; .455 and .622 are copied from
    observation 1, and the sentence ends in the air.
  * .809 and .689 are cut off; rounded they are .810 and .690.
  * "b1(2) is more important than w11(2) is more important than w12(2)": by its own numbers w12(2)
    (.622) comes before w11(2) (.475).
  * The contributions to the step lack the factor 2 that the derivative of a square has, and that
    later pages have: the same direction, half as far.
  * "The loss will change by -eta 2(y-a)a = -eta dR/dw": dR/dw is -2(y-a)a, so that the right side
    must be +eta dR/dw.
  * "A step of length eta" is eta times the gradient, {length:.4f} long for 0.1.
  * "z_1^(2)" of the second hidden unit is z_2^(1), "da_2^(2)/da_2^(1)" is da_1^(2)/da_2^(1), and
    "w_41" is w_11.
  * e^-v (1 + e^-v)^-2 is the derivative of the sigmoid, but e^-v overflows below -709, which
    s (1 - s) does not."""


def network(second=SECOND_UNIT):
    """The network of the lecture, with a choice for its second hidden unit."""
    w21, w22, b2 = second
    return fn.Network.from_arrays([
        ([[0.2, w21], [0.4, w22]], [0.1, b2], "sigmoid"),
        ([[0.6], [0.2]], [0.4], "identity"),
    ])


def sum_of_squares(net):
    return net.evaluate(X, Y)["loss"] * len(X)


def trained(n_steps, rate=0.1, normalize=False):
    """The network after steps against the gradient of the sum of squares."""
    net = network()
    optimizer = fn.SGD(rate, normalize=normalize)
    for _ in range(n_steps):
        _, gradient = net.loss_and_gradient(X, Y, reduction="sum")
        optimizer.step(net.parameters, gradient)
    return net


def verdict(printed, value):
    """Of a printed number: "ok", "truncated" or "WRONG"."""
    n_digits = len(printed.split(".")[1])
    if f"{value:.{n_digits}f}" == f"{float(printed):.{n_digits}f}":
        return "ok"
    cut = np.trunc(value * 10**n_digits) / 10**n_digits
    return "truncated" if abs(cut - float(printed)) < 1e-9 else "WRONG"


def compare(net):
    """Prints the numbers of the lecture beside those of the network, which it returns."""
    first, second = (net.trace(x) for x in X)
    residuals = Y - net(X)[:, 0]
    sensitivities = net.jacobian(X)[:, 0, ORDER]
    values = [
        first.net_values[0][0], *first.outputs[1], first.outputs[2][0], residuals[0],
        *sensitivities[0, :8], *second.outputs[1], second.outputs[2][0], residuals[1],
        *sensitivities[1, 6:8],
    ]  # fmt: skip
    print(f"{'':31} printed  computed")
    for (name, printed), value in zip(PRINTED, values, strict=True):
        word = verdict(printed, value)
        print(f"{name:31} {printed:>7} {value:13.10f}  {'' if word == 'ok' else word}".rstrip())
    return dict(zip((name for name, _ in PRINTED), values, strict=True))


def step(net):
    """Prints sensitivities, contributions, the gradient and where a step along it leads."""
    residuals = Y - net(X)[:, 0]
    sensitivities = net.jacobian(X)[:, 0, ORDER]
    value, gradient = net.loss_and_gradient(X, Y, reduction="sum")
    contributions = 2 * residuals[:, None] * sensitivities
    print("\n         d output / d parameter        2 e d output / d parameter     gradient of R")
    for k, name in enumerate(NAMES):
        print(f"{name:7} {sensitivities[0, k]:13.9f} {sensitivities[1, k]:13.9f}  "
              f"{contributions[0, k]:13.9f} {contributions[1, k]:13.9f}  "
              f"{gradient[ORDER[k]]:13.9f}")  # fmt: skip
    print(f"R = {value:.15f}, expected 0.185851673772111\nlength of the gradient "
          f"{np.linalg.norm(gradient):.15f}, expected 0.726363129908182")  # fmt: skip

    for name, options, known in (
        ("0.1 times the gradient", {}, 0.144373010537075),
        ("0.01 times it", {"rate": 0.01}, 0.180686437402157),
        ("of length 0.1", {"normalize": True}, 0.134746807794979),
    ):
        print(f"after a step {name}: R = {sum_of_squares(trained(1, **options)):.15f}, "
              f"expected {known:.15f}")  # fmt: skip
    for n_steps, known in TRAINED.items():
        print(f"after {n_steps:3} steps of 0.1 times it: R = {sum_of_squares(trained(n_steps)):.9g}"
              f", expected {known:.9g}")  # fmt: skip
    others = [sum_of_squares(network(unit)) - value for unit in OTHER_UNITS]
    print(f"other choices of the second hidden unit change R by {np.abs(others).max():.1g} at most")
    return gradient


def draw(net, path):
    """Save a picture of the network and its training; False where matplotlib is missing."""
    try:
        import matplotlib.figure
    except ImportError:
        return False
    figure = matplotlib.figure.Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    fn.plot.network(net, numbers=True, inputs=["x1", "x2"], outputs=["y"], ax=left)
    left.set_title("Its weights and biases")
    # fit goes down the mean of the two squares: twice the rate is the same step
    history = network().fit(X, Y, optimizer=fn.SGD(0.2), batch_size=None, epochs=150)
    fn.plot.history(history, ax=right)
    right.set(title="Training: steps of 0.1 times the gradient of R", ylabel="R / 2")
    figure.savefig(path, dpi=110)
    return True


def main(path="textbook_network.png"):
    """Returns the numbers of the lecture by their names, and the gradient."""
    net = network()
    values = compare(net)
    gradient = step(net)
    print("\n" + MISPRINTS.format(alike=1.12 - net(X[0])[0], length=0.1 * np.linalg.norm(gradient)))
    if draw(net, path):
        print(f"\nthe network and its training are drawn in {path}")
    else:
        print("\nno picture without matplotlib: pip install 'fastnet[plot]'")
    return values, gradient


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default="textbook_network.png", help="the picture")
    main(parser.parse_args().path)
