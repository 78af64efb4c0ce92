"""The public face as a type checker sees it: ``mypy --strict``; never run."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

import fastnet as fn

X = np.zeros((4, 2))
y = np.zeros(4)

net = fn.Network([2, 8, 1], hidden="tanh", output="sigmoid", dtype="float64", seed=0)
fn.Network(2, layers=[fn.Dense(8, "relu"), fn.Dense(1, bias=False)], seed=None)
fn.Network.from_arrays([(np.ones((2, 3)), None, "relu"), ([[1], [2], [3]], [0.0], "identity")])

assert_type(net, fn.Network)
assert_type(net(X), npt.NDArray[Any])
assert_type(net.n_parameters, int)
net.parameters[:] = 0
net.layers[0].weights[0, 0] = 1.0
fn.Network(2, layers=[fn.Dense(8), fn.LayerNorm("relu"), fn.Dropout(0.1), fn.Dense(1)])
net.predict([[0, 1]], n_threads=2)
net.predict_population(np.zeros((3, net.n_parameters)), X)

ga = fn.GeneticAlgorithm(net, population_size=10, selection="rank", crossover=None, seed=0)
ga.tell(np.zeros(len(ga.ask())))
evolved = ga.run(lambda network: float(network(X).sum()), generations=2, target=1.0)
ga.run(fn.neat.tasks.XOR(), 1, n_threads=2)
assert_type(evolved.best, fn.Network | None)
lander = fn.neat.tasks.Gymnasium("LunarLander-v3", episodes=2, output_range=(-1, 1), gravity=-9.0)
assert_type(lander.evaluate(net), float)
with lander as task:
    ga.run(task, 1)
assert_type(evolved.history.best, npt.NDArray[np.float64])

value, gradient = net.loss_and_gradient(X, y, loss="squared_error", reduction="sum")
assert_type(value, float)
assert_type(gradient, npt.NDArray[Any])
assert_type(fn.check_gradient(net, X, y), float)
trace = net.trace(X[0], y[:1])
assert_type(trace.jacobians, list[npt.NDArray[Any]])


def at_the_end(net: fn.Network, epoch: int, logs: dict[str, float]) -> bool:
    return epoch > 3 and logs["loss"] < 0.1


def largest_error(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any]) -> float:
    return float(np.max(np.abs(y_true - y_pred)))


history = net.fit(
    X,
    y,
    optimizer=fn.Adam(lambda step: 0.1 / (1 + step)),
    epochs=2,
    batch_size=None,
    class_weight={0: 1.0, 1: 2.0},
    validation_data=(X, y),
    metrics=["r2", largest_error],
    early_stopping=fn.EarlyStopping(patience=3),
    callbacks=[at_the_end],
)
assert_type(history, fn.History)
assert_type(history.loss, list[float])
assert_type(history.metrics["r2"], list[float])
assert_type(fn.plot.history(history, log=True), Axes)
fn.plot.network(net, max_nodes=8, inputs=["a", "b"], ax=fn.plot.activation("relu", xlim=(-1, 1)))
fn.plot.descent(lambda x: x @ x, [net], labels=["a"], xlim=(0, 1), levels=[1, 2]).set_title("b")
fn.plot.species(fn.neat.Population(fn.neat.Config(2, 1)).history)
rate = fn.schedules.Warmup(10, fn.schedules.Cosine(0.01, n_steps=100))
net.fit(X, y, optimizer=fn.AdamW(rate, clip_norm=1.0), epochs=1, n_threads=2, l2=1e-3)
net.fit(X, y, optimizer=fn.LevenbergMarquardt(), epochs=1)
net.partial_fit(X, y, optimizer="sgd")
assert_type(net.evaluate(X, y, metrics="r2"), dict[str, float])

net.save("network.safetensors")
try:
    assert_type(fn.load("network.safetensors"), fn.Network)
except fn.FileFormatError as error:
    print(error)

swish = fn.Activation(lambda z: z / (1 + np.exp(-z)), lambda z, a: a + (1 - a) / (1 + np.exp(-z)))
fn.Network([2, 3, 1], hidden=swish)
fn.Loss(lambda p, t: np.sum((p - t) ** 2, axis=1), lambda p, t: 2 * (p - t))
fn.activations.value("tanh", [0.0, 1.0])
assert_type(fn.losses.names(), tuple[str, ...])
net.fit(X, y, loss=fn.losses.huber(delta=2.0), epochs=1)
net.evaluate(X, y, loss=fn.losses.quantile(0.9))
fn.optim.SGD(0.1, momentum=0.9, nesterov=True).step(net.parameters, gradient)
found = fn.minimize(lambda x: x * x, 1.0, step=fn.schedules.GrowShrink(), record=True)
assert_type(found.value, float)
assert_type(found.reason, str | None)
fn.maximize(lambda x: -x @ x, [1, 2], method=fn.Adam(0.1), callback=lambda r: r.n_iterations > 9)
assert_type(fn.multi_start(lambda x: x * x, [1, 2], method="newton")[0].converged, bool)
arm = fn.PlanarArm((1, 1, 1))
solution = arm.solve([0.1, 0.2, 0.3], (1.0, 0.5), limits=(-1, [1, 2, 3]), record=True)
assert_type(solution.angles, npt.NDArray[np.float64])
assert_type(arm.pose([[0.1, 0.2, 0.3]], base=[1.0]), npt.NDArray[np.float64])
assert_type(fn.RandomStream(1, 2).uniform(size=3), npt.NDArray[np.floating])
assert_type(fn.isa(), str)
assert_type(fn.__version__, str)
