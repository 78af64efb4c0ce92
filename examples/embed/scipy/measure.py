"""Networks as functions that SciPy calls for each number, window or pixel, without Python."""

import time

import numpy as np
from scipy import LowLevelCallable, integrate, ndimage

import fastnet as fn

SIZE = 256          # pixels of a picture, each way
NOISE = 0.15


def scene(rng):
    """Discs and bars with sharp edges, each of one gray from 0 to 1."""
    y, x = np.mgrid[:SIZE, :SIZE]
    picture = np.full((SIZE, SIZE), 0.5)
    for _ in range(30):
        cx, cy = rng.uniform(0, SIZE, 2)
        a, b = rng.uniform(8, 40, 2)
        disc = (x - cx) ** 2 + (y - cy) ** 2 < a * b
        bar = (abs(x - cx) < a) & (abs(y - cy) < b)
        picture[disc if rng.uniform() < 0.5 else bar] = rng.uniform()
    return picture


def both(in_c, in_python):
    """What a function of SciPy gives, and how much longer it takes with a function of Python."""
    began = time.perf_counter()
    result = in_c()
    middle = time.perf_counter()
    in_python()
    return result, (time.perf_counter() - middle) / (middle - began)


def error(picture, clean):
    """Root mean square."""
    return np.sqrt(np.mean((picture - clean) ** 2))


def denoise():
    """ndimage.generic_filter, with a network that has seen windows of another picture."""
    rng = np.random.default_rng(0)
    clean = scene(rng)
    noisy = clean + NOISE * rng.normal(size=clean.shape)
    windows = np.lib.stride_tricks.sliding_window_view(noisy, (7, 7)).reshape(-1, 49)
    net = fn.Network([49, 32, 1], hidden="tanh", dtype="float64", seed=0)
    net.fit(windows, clean[3:-3, 3:-3].reshape(-1, 1), optimizer=fn.Adam(0.003), epochs=40,
            batch_size=128, seed=0)  # fmt: skip

    clean = scene(rng)
    noisy = clean + NOISE * rng.normal(size=clean.shape)
    function = LowLevelCallable(net.lowlevel("int (double *, intptr_t, double *, void *)"))
    denoised, ratio = both(
        lambda: ndimage.generic_filter(noisy, function, 7),
        lambda: ndimage.generic_filter(noisy, lambda window: net(window)[0], 7))  # fmt: skip
    # with the clean picture as the judge
    blurred = min((ndimage.gaussian_filter(noisy, width) for width in np.linspace(0.3, 2, 18)),
                  key=lambda picture: error(picture, clean))
    print(f"denoising: error {error(noisy, clean):.3f}, best Gaussian filter "
          f"{error(blurred, clean):.3f}, network {error(denoised, clean):.3f}; x{ratio:.0f}")
    return net, noisy, denoised


def through_lens(points):
    """Where the points of a scene are in its photograph."""
    points = points - SIZE / 2
    return points * (1 - 0.2 * (points**2).sum(axis=-1, keepdims=True) / SIZE**2) + SIZE / 2


def straighten():
    """ndimage.geometric_transform, with a network that has learned a lens from a chessboard."""
    rng = np.random.default_rng(1)
    corners = np.stack(np.mgrid[0:SIZE:15j, 0:SIZE:15j], axis=-1).reshape(-1, 2)
    found = through_lens(corners) + 0.1 * rng.normal(size=corners.shape)
    half = SIZE / 2
    net = fn.Network([2, 12, 2], hidden="tanh", dtype="float64", seed=0)
    net.fit(corners / half - 1, found / half - 1, optimizer=fn.LBFGS(), epochs=200)
    # layers of its own scale the pixels
    lens = fn.Network.from_arrays([
        (np.eye(2) / half, -np.ones(2), "identity"),
        *((layer.weights, layer.biases, layer.activation) for layer in net.layers),
        (np.eye(2) * half, np.full(2, half), "identity"),
    ])  # fmt: skip

    pixels = np.stack(np.mgrid[:SIZE, :SIZE], axis=-1)
    original = ndimage.gaussian_filter(scene(rng), 1)
    # what a camera would see: the inverse of the lens, by iteration
    seen = pixels.astype(float)
    for _ in range(50):
        seen += pixels - through_lens(seen)
    photograph = ndimage.map_coordinates(original, np.moveaxis(seen, -1, 0), mode="nearest")

    function = LowLevelCallable(lens.lowlevel("int (intptr_t *, double *, int, int, void *)"))
    straight, ratio = both(
        lambda: ndimage.geometric_transform(photograph, function, mode="nearest"),
        lambda: ndimage.geometric_transform(
            photograph, lambda point: tuple(lens(point)), mode="nearest"))  # fmt: skip
    print(f"straightening: error {error(photograph, original):.3f}, network "
          f"{error(straight, original):.3f}; x{ratio:.0f}")
    return lens, photograph, straight


def height(x, y):
    return np.exp(-3 * ((x - 0.4) ** 2 + (y - 0.5) ** 2)) + 0.3 * np.sin(5 * x) * y


def integrate_hill():
    """integrate.nquad: the volume of a hill, with a network through measured heights."""
    rng = np.random.default_rng(2)
    places = rng.uniform(size=(400, 2))
    heights = height(*places.T)[:, None] + 0.02 * rng.normal(size=(400, 1))
    net = fn.Network([2, 10, 1], hidden="tanh", dtype="float64", seed=0)
    net.fit(places, heights, optimizer=fn.LBFGS(), epochs=150)
    area, options = [(0, 1), (0, 1)], {"epsabs": 1e-8}
    function = LowLevelCallable(net.lowlevel("double (int, double *, void *)"))
    (volume, _), ratio = both(
        lambda: integrate.nquad(function, area, opts=options),
        lambda: integrate.nquad(lambda *x: net(x)[0], area, opts=options))  # fmt: skip
    exact = integrate.nquad(height, area)[0]
    print(f"volume: exactly {exact:.4f}, network {volume:.4f}; x{ratio:.0f}")
    return net, volume, exact


def main():
    print("x: how many times as fast as with a function of Python")
    denoise()
    straighten()
    integrate_hill()


if __name__ == "__main__":
    main()
