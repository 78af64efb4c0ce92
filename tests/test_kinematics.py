"""The planar arm against the numbers of the document and a twin in plain Python."""

import copy
import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn

FILE = Path(__file__).parent / "data" / "seed_cases.json"
CASES = {case["id"]: case for case in json.loads(FILE.read_text("utf-8"))["cases"]}
TRAJECTORIES = sorted(name for name in CASES if name.startswith("000.traj."))
GENERAL = sorted(name for name in CASES if name.startswith("000.general."))
RATES = sorted(name for name in CASES if name.startswith("000.eta."))
GRADIENTS = sorted(name for name in CASES if name.startswith("000.grad."))


def check(got, expected, tolerance):
    """As the file says: |got - expected| <= tol max(1, |expected|), element by element."""
    expected = np.vectorize(float, otypes=[float])(np.array(expected, dtype=object))
    got = np.asarray(got)
    assert got.shape == expected.shape
    assert (np.abs(got - expected) <= tolerance * np.maximum(1, np.abs(expected))).all()


def arm_of(inputs):
    lengths = inputs.get("lengths") or [1] * len(inputs["start_deg"])
    return fn.PlanarArm(lengths), np.radians(inputs["start_deg"])


def solve(case, **options):
    inputs = case["inputs"]
    arm, start = arm_of(inputs)
    options = {"epochs": inputs["epochs"], "learning_rate": inputs["eta"], "record": True} | options
    return arm, arm.solve(start, inputs["target"], inputs["Y0"], **options)


def twin(lengths, angles, target, base=0.0, rate=0.075, epochs=20, tolerance=None, limits=None):
    """The same in plain Python: (angles, pose, error, number of epochs) of one arm."""
    angles = list(angles)
    if limits is not None:
        angles = [min(max(w, low), high) for w, (low, high) in zip(angles, limits, strict=True)]
    epoch = 0
    while True:
        x, y, pose = 0.0, base, []
        for length, w in zip(lengths, angles, strict=True):
            x += length * math.cos(w)
            y += length * math.sin(w)
            pose.append(y)
        if isinstance(target, tuple):
            u, v = x - target[0], y - target[1]
            error = math.hypot(u, v)
        else:
            u, v = 0.0, y - target
            error = v
        if epoch == epochs or (tolerance is not None and abs(error) <= tolerance):
            return angles, pose, error, epoch
        epoch += 1
        for k, length in enumerate(lengths):
            w = angles[k]
            angles[k] -= rate * length * (v * math.cos(w) - u * math.sin(w))
            if limits is not None:
                angles[k] = min(max(angles[k], limits[k][0]), limits[k][1])


# ---- the document --------------------------------------------------------------------------------


def test_the_printed_lines():
    case = CASES["000.printed"]
    arm, r = solve(case)
    start, final = (
        [float(s) for s in case["expected"][key]] for key in ("printed_start", "printed_final")
    )
    assert np.abs(arm.pose(np.radians(case["inputs"]["start_deg"])) - start).max() <= 2e-16
    assert np.abs(r.pose - final).max() <= 2e-16
    check(r.pose, case["expected"]["exact_final"], case["tol"])


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_trajectories(name):
    case = CASES[name]
    expected, tolerance, inputs = case["expected"], case["tol"], case["inputs"]
    arm, r = solve(case)
    check(r.path, expected["angles_rad"], tolerance)
    check(r.angles, expected["final_angles_rad"], tolerance)
    check(r.pose, expected["final_pose"], tolerance)
    check(r.error, expected["final_error"], tolerance)
    heights = arm.pose(r.path, inputs["Y0"])
    check(heights, expected["pose"], tolerance)
    check(heights[:, -1] - inputs["target"], expected["error"], tolerance)
    losses, _ = arm.loss_and_gradient(r.path, inputs["target"], inputs["Y0"])
    check(losses, expected["E"], tolerance)
    for least, is_there in expected["converged_20"].items():
        assert solve(case, tolerance=float(least))[1].converged is is_there
    for least, epochs in expected["epochs_to"].items():
        _, r = solve(case, tolerance=float(least), epochs=1000)
        assert (r.n_epochs, r.converged) == (epochs, True)
    _, r = solve(case, epochs=600)
    check(r.angles, expected["limit_angles_rad"], tolerance)
    assert r.converged


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    case = CASES[name]
    expected, tolerance, inputs = case["expected"], case["tol"], case["inputs"]
    arm, angles = arm_of(inputs)
    loss, gradient = arm.loss_and_gradient(angles, inputs["target"], inputs["Y0"])
    check(arm.pose(angles, inputs["Y0"]), expected["pose"], tolerance)
    check(loss, expected["E"], tolerance)
    check(gradient, expected["grad"], tolerance)


@pytest.mark.parametrize("name", GENERAL)
def test_other_arms_and_targets(name):
    case = CASES[name]
    expected, tolerance, inputs = case["expected"], case["tol"], case["inputs"]
    arm, r = solve(case)
    heights = arm.pose(r.path, inputs["Y0"])
    for epoch, pose in expected["pose_at"].items():
        check(heights[int(epoch)], pose, tolerance)
    for epoch, angles in expected["angles_at"].items():
        check(r.path[int(epoch)], angles, tolerance)
    for epoch, error in expected["error_at"].items():
        check(heights[int(epoch), -1] - inputs["target"], error, tolerance)
    for least, epochs in expected["epochs_to"].items():
        if epochs is not None:
            assert solve(case, tolerance=float(least), epochs=100_000)[1].n_epochs == epochs


@pytest.mark.parametrize("name", RATES)
def test_learning_rates(name):
    case = CASES[name]
    arm, r = solve(case)
    check(arm.pose(r.path)[:, -1], case["expected"]["error"], case["tol"])


def test_out_of_reach_it_ends_stretched_and_says_so():
    case = CASES["000.unreachable"]
    expected, tolerance = case["expected"], case["tol"]
    arm, r = solve(case)
    assert r.reachable is False
    assert r.converged is False
    check(r.pose[-1], expected["final_end"], tolerance)
    check(r.error, expected["final_error"], tolerance)
    check(arm.loss_and_gradient(r.angles, case["inputs"]["target"])[0], expected["E"], tolerance)
    check(r.angles, expected["angles"], tolerance)
    for epoch, end in expected["end_at"].items():
        check(arm.pose(r.path[int(epoch)])[-1], end, tolerance)
    assert np.abs(r.gradient).max() < 1e-12


def test_at_a_solution_nothing_moves():
    _, r = solve(CASES["000.fixed.zero"])
    assert r.pose.tolist() == [0, 0, 0]
    assert r.angles.tolist() == [0, 0, 0]
    assert (r.path == 0).all()
    assert (r.error, r.converged, r.n_epochs) == (0.0, True, 20)


def test_upright_it_never_moves_and_says_so():
    arm = fn.PlanarArm()
    r = arm.solve(np.full(3, np.pi / 2), epochs=10_000)
    # cos(pi / 2) is 6.1e-17 in floating point, a step 0.075 x 3 of that: half a unit and less
    assert np.abs(r.angles - np.pi / 2).max() < 1e-12
    assert arm.loss_and_gradient(r.angles, 0.0)[0] == 4.5
    assert r.reachable is True
    assert r.converged is False
    assert r.error == 3
    assert np.abs(r.gradient).max() < 1e-12


def test_legs():
    """One arm for many bases, by the mean of their losses."""
    case = CASES["000.legs"]
    expected, tolerance, inputs = case["expected"], case["tol"], case["inputs"]
    arm, angles = arm_of(inputs)
    for epoch in range(inputs["epochs"] + 1):
        losses, gradients = arm.loss_and_gradient(angles, inputs["targets"], inputs["X"])
        assert (losses.shape, gradients.shape) == ((3,), (3, 6))
        if str(epoch) in expected["mean_half_sse_at"]:
            check(losses.mean(), expected["mean_half_sse_at"][str(epoch)], tolerance)
        if epoch < inputs["epochs"]:
            angles = angles - inputs["eta"] * gradients.mean(axis=0)
    ends = arm.pose(angles, inputs["X"])[:, -1]
    check(ends, expected["final_ends"], tolerance)
    assert np.sign(ends).tolist() == expected["signs"]


# ---- the twin ------------------------------------------------------------------------------------

LIMITS = [(-0.5, 0.5), (-np.inf, 0.2), (0.1, np.inf), (-9.0, 9.0)]


@pytest.mark.parametrize("are_points", [False, True])
@pytest.mark.parametrize("limits", [None, LIMITS])
@pytest.mark.parametrize("tolerance", [None, 0.05])
def test_against_the_twin(are_points, limits, tolerance):
    rng = np.random.default_rng(1)
    lengths, starts = rng.uniform(0.3, 1.2, 4), rng.normal(size=(30, 4))
    bases = rng.normal(size=30)
    targets = rng.normal(size=(30, 2) if are_points else 30)
    arm = fn.PlanarArm(lengths)
    r = arm.solve(starts, targets, bases, 0.1, 40, tolerance, limits=limits)
    for k in range(30):
        target = tuple(targets[k].tolist()) if are_points else targets[k]
        angles, pose, error, epochs = twin(
            lengths, starts[k], target, bases[k], 0.1, 40, tolerance, limits)  # fmt: skip
        # 40 epochs of 4 links, each with some roundings of numbers below 4
        np.testing.assert_allclose(r.angles[k], angles, rtol=0, atol=1e-13)
        np.testing.assert_allclose(r.pose[k], pose, rtol=0, atol=1e-13)
        np.testing.assert_allclose(r.error[k], error, rtol=0, atol=1e-13)
        assert r.n_epochs[k] == epochs
        assert r.converged[k] == (abs(error) <= (1e-8 if tolerance is None else tolerance))
    if tolerance is not None:
        assert 0 < r.converged.sum() < 30 or limits is None
    if limits is not None:
        assert (r.angles >= [low for low, _ in limits]).all()
        assert (r.angles <= [high for _, high in limits]).all()
        # some links stand at a limit
        assert (r.angles[:, 0] == 0.5).any()


@pytest.mark.parametrize("target", [0.4, (0.4, -0.3)])
def test_gradient_against_finite_differences(target):
    rng = np.random.default_rng(2)
    arm, angles, h = fn.PlanarArm(rng.uniform(0.3, 1.2, 5)), rng.normal(size=5), 1e-5
    _, gradient = arm.loss_and_gradient(angles, target, base=0.2)
    for k, step in enumerate(h * np.eye(5)):
        up, _ = arm.loss_and_gradient(angles + step, target, base=0.2)
        down, _ = arm.loss_and_gradient(angles - step, target, base=0.2)
        # third derivatives below 30 leave h^2 / 6 of that; losses below 42 are rounded to 1e-14
        assert abs((up - down) / (2 * h) - gradient[k]) < 4e-9


def test_a_step_is_the_rate_times_the_gradient():
    arm, angles = fn.PlanarArm((1, 2, 0.5)), np.array([0.3, -2.0, 8.0])
    for target in (0.7, (0.7, -1.0)):
        _, gradient = arm.loss_and_gradient(angles, target)
        r = arm.solve(angles, target, learning_rate=0.125, epochs=1)
        np.testing.assert_allclose(r.angles, angles - 0.125 * gradient, rtol=0, atol=4e-15)
        _, after = arm.loss_and_gradient(r.angles, target)
        np.testing.assert_array_equal(r.gradient, after)


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e9, 1e15, 1e300])
def test_large_angles(scale):
    """Python's sines and cosines are right for any angle."""
    rng = np.random.default_rng(3)
    angles = scale * rng.uniform(-1, 1, (50, 1))
    arm = fn.PlanarArm([1.0])
    sines = [math.sin(w) for w in angles[:, 0]]
    cosines = [math.cos(w) for w in angles[:, 0]]
    np.testing.assert_allclose(arm.pose(angles)[:, 0], sines, rtol=3e-16, atol=0)
    points = np.transpose([cosines, sines])
    np.testing.assert_allclose(arm.positions(angles)[:, 1], points, rtol=5e-16, atol=0)


# ---- one and many --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_arms", [1, 7, 1000])
@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize(
    "options", [{}, {"tolerance": 0.01, "limits": (-1.0, 1.5), "record": True}]
)
def test_a_batch_equals_single_solves(n_arms, n_threads, options, monkeypatch):
    monkeypatch.setattr("fastnet._parallel.CHUNK_OPERATIONS", 2e6)
    rng = np.random.default_rng(n_arms)
    arm = fn.PlanarArm((1, 0.5, 2))
    starts, targets = rng.normal(size=(n_arms, 3)), rng.normal(size=(n_arms, 2))
    r = arm.solve(starts, targets, 0.25, epochs=30, n_threads=n_threads, **options)
    for k in range(0, n_arms, 1 + n_arms // 50):
        one = arm.solve(starts[k], tuple(targets[k]), 0.25, epochs=30, **options)
        np.testing.assert_array_equal(one.angles, r.angles[k])
        np.testing.assert_array_equal(one.pose, r.pose[k])
        assert (one.error, one.n_epochs, one.converged, one.reachable) == (
            r.error[k], r.n_epochs[k], r.converged[k], r.reachable[k])  # fmt: skip
        if options:
            np.testing.assert_array_equal(one.path, r.path[:, k])


def test_long_solves_are_cut_into_pieces_without_a_trace():
    """In pieces of arms, and of epochs where few arms take many."""
    rng = np.random.default_rng(4)
    arm = fn.PlanarArm(rng.uniform(0.1, 0.2, 300))
    starts = rng.normal(size=(20, 300))
    r = arm.solve(starts, 3.0, epochs=2500, learning_rate=1e-3, record=True)
    halves = arm.solve(starts, 3.0, epochs=1250, learning_rate=1e-3)
    np.testing.assert_array_equal(r.path[0], starts)
    np.testing.assert_array_equal(r.path[1250], halves.angles)
    again = arm.solve(halves.angles, 3.0, epochs=1250, learning_rate=1e-3)
    np.testing.assert_array_equal(r.angles, again.angles)
    np.testing.assert_array_equal(r.path[-1], r.angles)
    np.testing.assert_array_equal(r.pose, again.pose)
    assert (r.n_epochs == 2500).all()


def test_any_number_of_epochs_ends_where_all_arms_rest():
    arm = fn.PlanarArm((1, 1, 1))
    starts = [[0.1, 0.2, 0.3]] * 20
    few = arm.solve(starts, epochs=1000, tolerance=1e-6)
    many = arm.solve(starts, epochs=2**53, tolerance=1e-6)
    assert many.converged.all()
    np.testing.assert_array_equal(many.n_epochs, few.n_epochs)
    np.testing.assert_array_equal(many.angles, few.angles)


def test_one_of_a_kind_serves_all():
    arm, start = fn.PlanarArm((1, 1)), np.array([0.1, 0.2])
    targets, bases = np.array([0.3, 0.4, 0.5]), np.array([0.0, 1.0, 2.0])
    alone = [arm.solve(start, t, b).angles for t, b in zip(targets, bases, strict=True)]
    for starts in (start, start[np.newaxis], np.tile(start, (3, 1))):
        np.testing.assert_array_equal(arm.solve(starts, targets, bases).angles, alone)
    many = arm.solve(start, [0.3] * 3, 0.25)
    np.testing.assert_array_equal(arm.solve(start, 0.3, [0.25] * 3).angles, many.angles)
    np.testing.assert_array_equal(arm.solve(np.tile(start, (3, 1)), 0.3, 0.25).angles, many.angles)
    point = arm.solve(np.tile(start, (3, 1)), (1.0, 0.5))
    np.testing.assert_array_equal(point.angles, arm.solve(start, [[1.0, 0.5]] * 3).angles)
    types = many.n_epochs.dtype, many.converged.dtype, many.reachable.dtype
    assert types == (np.int64, bool, bool)
    assert many.error.shape == many.reachable.shape == (3,)
    r = arm.solve(start, 0.3)
    assert [type(v) for v in (r.error, r.n_epochs, r.converged, r.reachable)] == [
        float, int, bool, bool]  # fmt: skip


def test_no_target_is_the_base():
    arm, starts = fn.PlanarArm(), np.random.default_rng(6).normal(size=(4, 3))
    bases = np.arange(4.0)
    np.testing.assert_array_equal(
        arm.solve(starts, None, bases).angles, arm.solve(starts, bases, bases).angles)  # fmt: skip
    # a base merely lifts the arm
    np.testing.assert_allclose(
        arm.solve(starts, None, bases).pose - bases[:, np.newaxis], arm.solve(starts).pose,
        rtol=0, atol=1e-14)  # fmt: skip


def test_a_pair_is_two_heights_and_a_tuple_a_point():
    arm, start = fn.PlanarArm((1, 1)), np.array([0.1, 0.2])
    assert arm.solve(start, [0.5, 1.0]).error.shape == (2,)
    assert isinstance(arm.solve(start, (0.5, 1.0)).error, float)
    assert arm.solve(start, np.array([[0.5, 1.0]])).error.shape == (1,)


def test_no_arms():
    r = fn.PlanarArm().solve(np.empty((0, 3)), record=True)
    assert (r.angles.shape, r.pose.shape, r.error.shape) == ((0, 3), (0, 3), (0,))
    assert r.path.shape == (21, 0, 3)
    assert repr(r).startswith("ArmSolution(0 arms")


def test_no_epochs():
    start = np.array([0.5, -0.5, 1.0])
    r = fn.PlanarArm().solve(start, epochs=0, record=True)
    assert r.angles.tolist() == r.path[0].tolist() == start.tolist()
    assert (r.n_epochs, r.path.shape) == (0, (1, 3))


def test_an_arm_at_rest_stays_in_the_path():
    r = fn.PlanarArm().solve([0.3, 0.2, 0.1], epochs=100, tolerance=0.1, record=True)
    assert 0 < r.n_epochs < 100
    assert r.path.shape == (101, 3)
    assert (r.path[r.n_epochs :] == r.angles).all()
    assert (r.path[r.n_epochs - 1] != r.angles).all()


def test_arguments_stay_as_they_are():
    angles = np.random.default_rng(7).normal(size=(5, 3))
    before = angles.copy()
    angles.setflags(write=False)
    arm = fn.PlanarArm()
    arm.pose(angles)
    arm.positions(angles)
    arm.loss_and_gradient(angles, 1.0)
    r = arm.solve(angles, 1.0)
    np.testing.assert_array_equal(angles, before)
    np.testing.assert_array_equal(r.start, before)
    assert (r.angles != before).any()


@pytest.mark.parametrize("options", [{}, {"limits": (-9.0, 9.0)}, {"record": True}])
def test_solutions_share_no_memory_with_arguments(options):
    arm = fn.PlanarArm()
    for shape in (3, (5, 3)):
        angles = np.full(shape, 0.25)
        r = arm.solve(angles, **options)
        angles[:] = 9
        assert (r.start == 0.25).all()
        assert (r.angles != 9).all()


def test_positions():
    arm = fn.PlanarArm((1, 2, 3))
    points = arm.positions([0, np.pi / 2, np.pi], base=0.5)
    np.testing.assert_allclose(points, [[0, 0.5], [1, 0.5], [1, 2.5], [-2, 2.5]], atol=1e-15)
    angles = np.random.default_rng(8).normal(size=(4, 3))
    many = arm.positions(angles, [0, 1, 2, 3])
    assert many.shape == (4, 4, 2)
    np.testing.assert_array_equal(many[:, 1:, 1], arm.pose(angles, [0, 1, 2, 3]))
    np.testing.assert_array_equal(many[:, 0], [[0, 0], [0, 1], [0, 2], [0, 3]])
    np.testing.assert_array_equal(many[2], arm.positions(angles[2], 2))


# ---- objects -------------------------------------------------------------------------------------


def test_arms_are_values():
    arm = fn.PlanarArm((1, 2.5))
    assert repr(arm) == "PlanarArm(lengths=(1, 2.5))"
    assert (arm.n_links, arm.reach) == (2, 3.5)
    for other in (copy.copy(arm), copy.deepcopy(arm), pickle.loads(pickle.dumps(arm))):
        assert other == arm
        assert hash(other) == hash(arm)
        assert not other.lengths.flags.writeable
    assert arm != fn.PlanarArm((1, 2))
    assert arm != 1
    lengths = np.array([1.0, 2.0])
    arm = fn.PlanarArm(lengths)
    lengths[0] = 5
    assert arm.lengths.tolist() == [1, 2]


def test_solutions_pickle_and_copy():
    start = np.array([0.1, 0.2, 0.3])
    r = fn.PlanarArm().solve(start, (1, 2), record=True)
    for other in (copy.copy(r), copy.deepcopy(r), pickle.loads(pickle.dumps(r))):
        assert repr(other) == repr(r)
        np.testing.assert_array_equal(other.path, r.path)
    assert len(repr(r)) < 100
    many = fn.PlanarArm().solve([start, 0 * start])
    worst = f"{many.error[0]:.6g}"
    assert repr(many) == (
        f"ArmSolution(2 arms, 1 converged, 2 reachable, largest error={worst})")  # fmt: skip


def test_plot():
    """Start and solution, as `fastnet.plot.arm` draws them."""
    pytest.importorskip("matplotlib")
    arm = fn.PlanarArm()
    r = arm.solve([0.1, 0.2, 0.3], (1, 2))
    ax = arm.plot(r)
    points = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
    np.testing.assert_allclose(points["start"], arm.positions(r.start), rtol=0, atol=1e-15)
    np.testing.assert_allclose(points["solution"], arm.positions(r.angles), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(points["target"], [[1, 2]])
    assert arm.plot(r, ax=ax) is ax
