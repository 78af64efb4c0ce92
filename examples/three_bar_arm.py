"""Bring the end of a three-bar arm to the height of its base, by going downhill.

    python examples/three_bar_arm.py
    python examples/three_bar_arm.py pictures/arms.png

Three bars of length 1 hang together; each stands at an angle of its own against the horizontal.  A
document on learning by gradient descent asks which angles bring the end of the last bar to the
height of the base, from eleven starts.  It prints the pose before and after 20 steps of the first,
and says of the others how they went; here are the numbers of all, beside those of arithmetic with
60 digits, and the places where text and numbers part.

The picture needs matplotlib: pip install 'fastnet[plot]'.
"""

import argparse

import numpy as np

import fastnet as fn

RATE, EPOCHS = 0.075, 20
CLOSE = (0.05, 0.01, 1e-3, 1e-6)

#: degrees, height of the base (and the target), height of the end after 20 epochs by arithmetic of
#: 60 digits
STARTS = [
    ((22, -20, 14), 0.0, 0.0029191436234602),
    ((10, 15, 10), 0.0, 0.0038443057987032),
    ((-15, 0, -15), 0.0, -0.00352713067596),
    ((-15, 15, 45), 0.0, 0.012218196878669),
    ((-5, -20, -40), 0.0, -0.010709426038182),
    ((-60, 20, -40), 0.0, -0.05015208083668),
    ((-85, 15, 10), 0.0, -0.038278430207271),
    ((-80, 0, 10), 0.0, -0.046931798289395),
    ((35, -75, 75), 0.0, 0.11594020100982),
    ((-75, 70, 45), 0.0, 0.13876940665022),
    ((-75, -55, 0), 0.7, 0.57645956561731),
]

#: What the document prints for the first start
PRINTED = {
    "start": (0.374606593415912, 0.0325864500902433, 0.274508345689911),
    "final": (0.2852955778665301, -0.14244640527322044, 0.0029191436234602963),
}

MISPRINTS = """\
Misprints of the document, and where its text and its numbers part:
  * A comment says "(just Y3 for Y1=0)": it must be Y0=0, the height of the base.
  * The indentation of its program is lost, and `radians` is imported without being used where it
    is needed: the starts are given in degrees, the program takes radians.
  * "35, -75, 75 did manage to find a solution": after the 20 epochs it is {third:.3f} away, and
    takes {epochs} to come within 0.05.  That is hardly better than -75, 70, 45 ({second:.3f}),
    which is called a struggle; and -75, -55, 0 ({last:.3f}) is passed over.
  * Legs: bases of 2, 4 and 6, mammals below zero and insects above.  The three bars move the end by
    3 at most, so an animal with four legs can never end below {least:g}; it takes more than four.
  * "Sum of the squared error, SSE": it is half of one squared error.
  * The error E is never negative, rather than "always positive": it is 0 at a solution."""


def table(arm):
    """Solve all starts; prints a line each, and returns the results."""
    results = []
    print(f"{'start':>13} {'Y1':>9} {'Y2':>9} {'Y3':>9} {'target':>6} {'error':>9} "
          f"{'expected':>9}  epochs to {', '.join(f'{close:g}' for close in CLOSE)}")  # fmt: skip
    for degrees, base, end in STARTS:
        start = np.radians(degrees)
        r = arm.solve(start, None, base, RATE, EPOCHS, record=True)
        results.append(r)
        epochs = [
            arm.solve(start, None, base, RATE, 1000, tolerance=close).n_epochs for close in CLOSE
        ]
        pose = " ".join(f"{height:9.6f}" for height in r.pose)
        print(f"{', '.join(map(str, degrees)):>13} {pose} {base:6g} {r.error:9.6f} "
              f"{end - base:9.6f}  {' '.join(f'{n:4}' for n in epochs)}")  # fmt: skip
    return results


def draw(arm, results, path):
    """Save a picture of all arms; False where matplotlib is missing."""
    try:
        import matplotlib.figure
    except ImportError:
        return False
    figure = matplotlib.figure.Figure(figsize=(13, 8.6), layout="constrained")
    axes = figure.subplots(3, 4).ravel()
    for ax, (degrees, base, _), r in zip(axes, STARTS, results, strict=False):
        arm.plot(r, ax=ax)
        ax.set_title(f"{', '.join(map(str, degrees))}: error {r.error:.3f}", fontsize=10)
        # the same scale for all
        ax.set(xlim=(-0.15, 3.15), ylim=(base - 1.95, base + 0.85), xlabel="", ylabel="")
        # one legend serves all, in the place that is left
        legend = ax.get_legend()
        handles, labels = legend.legend_handles, [text.get_text() for text in legend.get_texts()]
        legend.remove()
    axes[-1].set_axis_off()
    axes[-1].legend(handles, labels, loc="center", frameon=False, fontsize=12)
    figure.supxlabel("x (length)")
    figure.supylabel("height y (length)")
    figure.savefig(path, dpi=110)
    return True


def main(path="three_bar_arm.png"):
    """Returns the results of all starts."""
    arm = fn.PlanarArm(lengths=(1, 1, 1))

    degrees, base, _ = STARTS[0]
    start = np.radians(degrees)
    print(f"from {degrees} degrees, {EPOCHS} epochs with learning rate {RATE}:")
    for name, pose in (
        ("start", arm.pose(start, base)),
        ("final", arm.solve(start, None, base, RATE, EPOCHS).pose),
    ):
        print(f"  {name}, here     {tuple(pose.tolist())}")
        print(f"  {name}, printed  {PRINTED[name]}")
    print()

    results = table(arm)
    errors = np.abs([r.error for r in results])
    print(f"\nwithin 0.05 after {EPOCHS} epochs: {(errors < 0.05).sum()} of {len(errors)}, "
          f"within 0.01: {(errors < 0.01).sum()}.\n-60, 20, -40 misses 0.05 by "
          f"{errors[5] - 0.05:.5f}; all come close in the end.\n")  # fmt: skip

    late = arm.solve(np.radians(STARTS[8][0]), epochs=1000, tolerance=0.05)
    print(MISPRINTS.format(third=errors[8], epochs=late.n_epochs, second=errors[9],
                           last=errors[10], least=4 - arm.reach))  # fmt: skip

    upright = arm.solve(np.radians([90, 90, 90]), epochs=1000)
    far = arm.solve(start, 4.0, epochs=1000)
    print(f"""
Near 90 degrees the cosine is close to zero, and so is the gradient: upright, the arm has not moved
after 1000 epochs; its gradient is {np.abs(upright.gradient).max():.1g} at most:
    {upright}
A target of 4 is out of reach: the arm ends stretched out, and says so:
    {far}""")

    if draw(arm, results, path):
        print(f"\nthe arms are drawn in {path}")
    else:
        print("\nno picture without matplotlib: pip install 'fastnet[plot]'")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default="three_bar_arm.png", help="the picture")
    main(parser.parse_args().path)
