"""`Config`: what it takes, its presets, and its files."""

import contextlib
import copy
import dataclasses
import inspect
import math
import os
import pickle
import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet.neat.config import Config

FIELDS = {field.name: field for field in dataclasses.fields(Config)}
RATES = [name for name in FIELDS if name.endswith("_rate") or name == "survival_threshold"]
POWERS = ["initial_weight_power", "weight_power", "bias_power"]
COEFFICIENTS = ["c_excess", "c_disjoint", "c_weight", "compatibility_threshold"]
CHOICES = {
    "mode": ["feed_forward", "recurrent", "time_step"],
    "bias": ["node", "per_node", None],
    "crossover": ["fitter", "either"],
    "tie": ["both", "neither", "random"],
    "weight_mutation": ["perturb", "scale"],
    "weight_distribution": ["uniform", "gaussian"],
    "innovation_scope": ["run", "generation"],
    "distance_normalization": ["size", "one"],
    "representative": ["random", "best"],
}
FLAGS = ["structural_mutation_only", "self_loops"]
COUNTS = ["n_inputs", "n_outputs", "population_size", "step_limit", "target_species", "stagnation"]
COUNTS += ["population_stagnation", "elitism", "elitism_species_size", "split_oldest_below"]
ACTIVATIONS = [name for name in fn.activations.names() if name != "softmax"]


def config(**fields):
    return Config(**({"n_inputs": 2, "n_outputs": 1} | fields))


# -- values ----------------------------------------------------------------------------------------


def test_presets_are_those_of_their_sources():
    """Stanley & Miikkulainen 2002, section 4.1; what it leaves open is as in their program."""
    paper = Config.paper(2, 1)
    expected = {
        "population_size": 150, "c_excess": 1.0, "c_disjoint": 1.0, "c_weight": 0.4,
        "compatibility_threshold": 3.0, "stagnation": 15, "population_stagnation": 20,
        "elitism": 1, "elitism_species_size": 5, "weight_mutation_rate": 0.8,
        "weight_replace_rate": 0.1, "weight_distribution": "uniform", "disable_rate": 0.75,
        "crossover_rate": 0.75, "interspecies_rate": 0.001, "add_node_rate": 0.03,
        "add_connection_rate": 0.05, "activation": "steep_sigmoid", "bias": "node",
        "initial_connection": "full", "initial_hidden": 0, "representative": "random",
        "average_crossover_rate": 0.0, "weight_power": 2.5, "weight_cap": 8.0,
        "survival_threshold": 0.2, "structural_mutation_only": True,
        "distance_normalization": "one", "split_oldest_below": 15,
    }
    assert {name: getattr(paper, name) for name in expected} == expected
    assert paper == Config(2, 1)
    steps = Config.time_step(2, 1)
    expected = {
        "mode": "time_step", "bias": None, "disable_rate": None, "crossover": "fitter",
        "tie": "neither", "weight_mutation": "scale", "self_loops": False,
        "innovation_scope": "run", "split_oldest_below": 0,
    }
    assert {name: getattr(steps, name) for name in expected} == expected
    assert steps.toggle_connection_rate > 0


@pytest.mark.parametrize("preset", [Config, Config.paper, Config.time_step])
def test_every_field_can_be_overridden(preset):
    values = {name: 0.125 for name in [*RATES, *POWERS, *COEFFICIENTS, "threshold_step"]}
    values |= {name: choices[-1] for name, choices in CHOICES.items()}
    values |= {name: 7 for name in COUNTS}
    values |= {
        "activation": "tanh", "output_activation": "relu", "activations": ("tanh", "relu"),
        "initial_connection": 0.5, "initial_hidden": (1, 3), "weight_cap": 3.0,
        "structural_mutation_only": False, "self_loops": True, "disable_rate": 0.5,
    }
    assert values.keys() == FIELDS.keys()
    made = preset(**values)
    assert made.to_dict() == values
    assert list(made.to_dict()) == list(FIELDS)


@pytest.mark.parametrize("preset", [Config, Config.paper, Config.time_step])
def test_unknown_fields_get_the_nearest_name(preset):
    with pytest.raises(ValueError, match=r"'populaton_size'.*did you mean 'population_size'"):
        preset(n_inputs=2, n_outputs=1, populaton_size=3)
    with pytest.raises(ValueError, match=r"did you mean 'weight_cap'"):
        Config(2, 1).replace(wieght_cap=3)
    with pytest.raises(TypeError, match="n_outputs"):
        preset(n_inputs=2)


@pytest.mark.parametrize("name", RATES)
def test_rates(name):
    for good in (0, 1, 0.5, np.float32(0.25), np.int64(1), Fraction(1, 4)):
        value = getattr(config(**{name: good}), name)
        assert type(value) is float
        assert value == good
    for bad in (-1e-9, 1 + 1e-9, math.nan, math.inf, -math.inf, 10**400, Fraction(10**400)):
        with pytest.raises(ValueError, match=rf"^{name} must be from 0 to 1, got "):
            config(**{name: bad})
    for bad in (True, np.True_, "0.5", [0.5], 1j, np.ones(1)):
        with pytest.raises(TypeError, match=rf"^{name} must be a number, got "):
            config(**{name: bad})


@pytest.mark.parametrize("name", [*POWERS, *COEFFICIENTS, "threshold_step", "weight_cap"])
def test_other_numbers(name):
    assert getattr(config(**{name: 3}), name) == 3.0
    for bad in (-0.5, math.nan, math.inf, 10**400):
        with pytest.raises(ValueError, match=rf"^{name} must be (at least|from) 0"):
            config(**{name: bad})
    with pytest.raises(TypeError, match=rf"^{name} must be a number"):
        config(**{name: "3"})


@pytest.mark.parametrize("name", ["threshold_step", "weight_cap"])
def test_numbers_that_cannot_be_zero(name):
    with pytest.raises(ValueError, match=rf"^{name} must be above 0"):
        config(**{name: 0})


@pytest.mark.parametrize("name", POWERS)
def test_powers_leave_weights_finite(name):
    config(**{name: 1e100})
    with pytest.raises(ValueError, match=rf"^{name} must be from 0 to 1e\+100"):
        config(**{name: 1e101})


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    value = getattr(config(**{name: np.int32(3)}), name)
    assert type(value) is int
    assert value == 3
    least = 0 if name.startswith(("elitism", "split")) else 1
    with pytest.raises(ValueError, match=rf"^{name} must be at least {least}, got {least - 1}$"):
        config(**{name: least - 1})
    with pytest.raises(ValueError, match=rf"^{name} must be at most \d+, got "):
        config(**{name: 2**63})
    with pytest.raises(ValueError, match=rf"^{name} must be at most .* of 16610 bits$"):
        config(**{name: 10**5000})
    for bad in (True, 3.0, "3", math.nan):
        with pytest.raises(TypeError, match=rf"^{name} must be an int"):
            config(**{name: bad})


def test_sizes_whose_product_would_overflow():
    Config(10**6, 10**6)
    with pytest.raises(ValueError, match="n_inputs must be at most 1000000"):
        Config(10**6 + 1, 1)


@pytest.mark.parametrize("name", CHOICES)
def test_choices(name):
    for choice in CHOICES[name]:
        assert getattr(config(**{name: choice}), name) == choice
    text = next(choice for choice in CHOICES[name] if choice is not None)
    value = getattr(config(**{name: np.str_(text)}), name)
    assert type(value) is str
    with pytest.raises(ValueError, match=rf"^{name}: unknown value '.*did you mean '{text}'"):
        config(**{name: text[:-1] + "x"})
    for bad in (3, b"node", [text], True):
        with pytest.raises(TypeError, match=rf"^{name} must be one of '"):
            config(**{name: bad})


@pytest.mark.parametrize("name", sorted(CHOICES.keys() - {"bias"}))
def test_choices_without_none(name):
    with pytest.raises(TypeError, match=rf"^{name} must be one of"):
        config(**{name: None})


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name):
    for good in (True, False, np.True_, np.False_):
        assert getattr(config(**{name: good}), name) is bool(good)
    for bad in (0, 1, "yes", None):
        with pytest.raises(TypeError, match=rf"^{name} must be True or False"):
            config(**{name: bad})


@pytest.mark.parametrize("name", ["activation", "output_activation"])
def test_activations_by_name(name):
    for good in ACTIVATIONS:
        assert getattr(config(**{name: good}), name) == good
    with pytest.raises(ValueError, match=rf"^{name} must be elementwise: softmax"):
        config(**{name: "softmax"})
    with pytest.raises(ValueError, match=rf"^{name}: unknown activation 'tahn': .*'tanh'"):
        config(**{name: "tahn"})
    with pytest.raises(TypeError, match=rf"^{name} must be the name of an activation"):
        config(**{name: np.tanh})


def test_several_activations():
    assert config(activations=["tanh", "relu", "tanh"]).activations == ("tanh", "relu")
    assert config(activations="tanh").activations == ("tanh",)
    # the loops have room for that many
    assert config(activations=ACTIVATIONS).activations == tuple(ACTIVATIONS)
    assert len(ACTIVATIONS) <= 32
    with pytest.raises(ValueError, match=r"^activations\[1\]: unknown activation 'rleu'"):
        config(activations=["tanh", "rleu"])
    for bad in ({"tanh", "relu"}, {"tanh": 1}, 3, None):
        with pytest.raises(TypeError, match=r"^activations must be a tuple or list of names"):
            config(activations=bad)


def test_initial_connection():
    for good in ("full", "none", 0, 0.25, 1):
        assert config(initial_connection=good).initial_connection == good
    with pytest.raises(ValueError, match=r"^initial_connection: unknown value 'ful': did "):
        config(initial_connection="ful")
    with pytest.raises(ValueError, match=r"^initial_connection must be from 0 to 1, got 1.5"):
        config(initial_connection=1.5)
    for bad in (None, True, [0.5]):
        with pytest.raises(TypeError, match=r"^initial_connection must be 'full', 'none' or a "):
            config(initial_connection=bad)


def test_initial_hidden():
    assert config(initial_hidden=[1, 1]).initial_hidden == (1, 1)
    assert config(initial_hidden=4).initial_hidden == 4
    for bad in (-1, (2, 1), (-1, 1), (1,), (1, 2, 3), 10**7, (0, 10**7)):
        with pytest.raises(ValueError, match=r"^initial_hidden"):
            config(initial_hidden=bad)
    for bad in (None, 1.0, "3", (0.0, 1), {1, 2}):
        with pytest.raises(TypeError, match=r"^initial_hidden"):
            config(initial_hidden=bad)


@pytest.mark.parametrize("name", FIELDS)
def test_messages_are_short_and_name_the_field(name):
    for bad in ("x" * 10**6, ["x" * 1000] * 1000, {k: k for k in range(1000)}, b"y" * 10**6):
        with pytest.raises((TypeError, ValueError)) as caught:
            config(**{name: bad})
        assert str(caught.value).startswith(name)
        assert len(str(caught.value)) < 1000


# -- the object ------------------------------------------------------------------------------------


def test_it_is_immutable():
    made = config()
    with pytest.raises(AttributeError):
        made.population_size = 3
    with pytest.raises(AttributeError):
        del made.population_size
    assert made.population_size == 150


def test_replace():
    made = Config.time_step(2, 1)
    other = made.replace(population_size=7)
    assert (made.population_size, other.population_size) == (150, 7)
    assert other.to_dict() == made.to_dict() | {"population_size": 7}
    assert made.replace() == made
    assert dataclasses.replace(made, population_size=7) == other


def test_equality_and_hash():
    assert config() == config()
    assert hash(config(initial_hidden=[1, 2])) == hash(config(initial_hidden=(1, 2)))
    for name, value in {"n_inputs": 3, "bias": None, "weight_cap": None, "tie": "both"}.items():
        assert config() != config(**{name: value})
    assert len({config(), config(), config(tie="both")}) == 2
    assert config() != config().to_dict()


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, *(
        lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1))])
def test_copies(duplicate):
    made = Config.time_step(3, 2, activations=["tanh"], initial_hidden=(1, 2))
    assert duplicate(made) == made
    assert type(duplicate(made)) is Config


def test_repr_shows_what_differs_and_can_be_evaluated():
    assert repr(Config(2, 1)) == "Config(n_inputs=2, n_outputs=1)"
    made = Config.time_step(2, 1, weight_power=1 / 3, activations=["tanh"])
    assert eval(repr(made)) == made


def test_every_field_is_documented():
    for field in FIELDS.values():
        assert len(field.metadata["doc"]) > 10
        assert f"\n{field.name} : " in Config.__doc__
        first = " ".join(field.metadata["doc"].split()[:4])
        assert first in " ".join(Config.__doc__.split())


def test_stub_has_every_field():
    stub = Path(inspect.getfile(Config)).with_suffix(".pyi").read_text(encoding="utf-8")
    for name in FIELDS:
        assert stub.count(f"\n    {name}: ") == 1
        assert f"\n        {name}: " in stub


# -- files -----------------------------------------------------------------------------------------

any_config = st.builds(
    lambda n_inputs, n_outputs, **fields: Config(n_inputs, n_outputs, **fields),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    **{name: st.floats(0, 1) for name in RATES if name != "disable_rate"},
    **{name: st.floats(0, 1e100) for name in POWERS},
    **{name: st.floats(0, allow_infinity=False) for name in COEFFICIENTS},
    **{name: st.sampled_from(choices) for name, choices in CHOICES.items()},
    **{name: st.booleans() for name in FLAGS},
    disable_rate=st.none() | st.floats(0, 1),
    weight_cap=st.none() | st.floats(5e-324, allow_infinity=False),
    threshold_step=st.floats(5e-324, allow_infinity=False),
    population_size=st.integers(1, 2**31 - 1),
    target_species=st.none() | st.integers(1, 100),
    stagnation=st.none() | st.integers(1, 100),
    elitism=st.integers(0, 5),
    activation=st.sampled_from(ACTIVATIONS),
    output_activation=st.none() | st.sampled_from(ACTIVATIONS),
    activations=st.lists(st.sampled_from(ACTIVATIONS), max_size=4),
    initial_connection=st.sampled_from(["full", "none"]) | st.floats(0, 1),
    initial_hidden=st.integers(0, 9) | st.tuples(st.integers(0, 3), st.integers(3, 9)),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "settings.toml"


@given(made=any_config)
def test_files_bring_back_every_bit(tmp_path_factory, made):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    made.save(path)
    again = Config.load(path)
    assert again == made
    assert repr(again.to_dict()) == repr(made.to_dict())    # also the signs of zeros, and types


def test_what_a_file_looks_like(path):
    Config.time_step(3, 1, activations=["tanh", "relu"], initial_hidden=(0, 2)).save(path)
    text = path.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    assert list(content) == list(FIELDS)
    assert content["bias"] == content["weight_cap"] == "none"
    assert content["activations"] == ["tanh", "relu"]
    assert content["initial_hidden"] == [0, 2]
    assert content["structural_mutation_only"] is False
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    joined = " ".join(text.replace("#", " ").split())
    for field in FIELDS.values():
        assert " ".join(field.metadata["doc"].split()) in joined
    assert 'bias = "none"                             # default: "node"' in lines
    assert "population_size = 150                     # default: 150" in lines


def test_the_defaults_beside_the_values_are_the_defaults(path):
    Config.time_step(2, 1).save(path)
    pairs = [line.split("  # default: ") for line in path.read_text().splitlines()]
    defaults = [f"{pair[0].split(' = ')[0]} = {pair[1]}" for pair in pairs if len(pair) == 2]
    assert len(defaults) == len(FIELDS) - 2
    path.write_text("n_inputs = 2\nn_outputs = 1\n" + "\n".join(defaults))
    assert Config.load(path) == Config(2, 1)


def test_a_short_file_gets_the_defaults(path):
    path.write_text("n_inputs = 2\nn_outputs = 1\nweight_power = 1  # an integer will do\n")
    assert Config.load(path) == Config(2, 1, weight_power=1.0)
    path.write_bytes(b"\xef\xbb\xbfn_inputs = 2\r\nn_outputs = 1\r\n")
    assert Config.load(str(path)) == Config(2, 1)
    assert Config.load(os.fsencode(path)) == Config(2, 1)


def test_a_file_is_replaced_at_once(path, monkeypatch):
    Config(2, 1).save(path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        Config(3, 1).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


BAD = {
    "populaton_size = 5": "unknown key 'populaton_size': did you mean 'population_size'",
    "add_node_rate = 1.5": "add_node_rate must be from 0 to 1, got 1.5",
    "add_node_rate = nan": "add_node_rate must be from 0 to 1, got nan",
    "weight_power = inf": "weight_power must be from 0 to",
    'add_node_rate = "0.5"': "add_node_rate must be a number",
    "add_node_rate = true": "add_node_rate must be a number",
    'add_node_rate = "none"': "add_node_rate must be a number",
    "population_size = 1.5": "population_size must be an int",
    "population_size = 0": "population_size must be at least 1",
    f"population_size = {10**26 - 1}": "population_size must be at most 2147483647, got a n",
    f"population_size = {'9' * 5000}": "no TOML",
    f"population_size = 0x{'f' * 5000}": "population_size must be at most 2147483647, got a n",
    'mode = "recurent"': "mode: unknown value 'recurent': did you mean 'recurrent'",
    'mode = "none"': "mode: unknown value 'none'",
    "self_loops = 1": "self_loops must be True or False",
    "stagnation = []": "stagnation cannot be an array",
    "activations = [1]": "activations[0] must be the name of an activation",
    "activations = [[]]": "activations[0] must be the name of an activation",
    "initial_hidden = [3, 1]": "initial_hidden[1] must be at least 3",
    "initial_hidden = [1]": "initial_hidden must be a number or a pair",
    "stagnation = 1979-05-27": "stagnation must be an int",
    "[mode]\na = 1": "mode cannot be a table",
    "mode.a = 1": "mode cannot be a table",
    "[reproduction]": "unknown key 'reproduction'",
    "mode = 'recurrent'\nmode = 'recurrent'": "no TOML",
    "mode": "no TOML",
    "mode = ": "no TOML",
    "\0": "no TOML",
    f"activations = {'[' * 20_000}": "the file is nested too deeply",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_files_name_themselves_and_the_key(path, text):
    path.write_text(f"n_inputs = 2\nn_outputs = 1\n{text}\n")
    with pytest.raises(fn.FileFormatError) as caught:
        Config.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {BAD[text]}")
    assert len(message) < 1500


def test_files_of_other_kinds(path, tmp_path):
    for content, expected in {
        b"": "n_inputs is missing",
        b"n_inputs = 3": "n_outputs is missing",
        b"\xff\xfe": "no UTF-8",
        b"#" * 200_000: "more than 100000 bytes",
        os.urandom(100): "no ",
    }.items():
        path.write_bytes(content)
        with pytest.raises(fn.FileFormatError, match=expected):
            Config.load(path)
    with pytest.raises(fn.FileFormatError, match="no regular file"):
        Config.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        Config.load(tmp_path / "missing.toml")


@given(text=st.text(), key=st.sampled_from(list(FIELDS)), value=st.text())
def test_any_text(tmp_path_factory, text, key, value):
    path = tmp_path_factory.getbasetemp() / "text.toml"
    for content in (text, f"n_inputs = 2\nn_outputs = 1\n{key} = {value}"):
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        with contextlib.suppress(fn.FileFormatError):
            assert isinstance(Config.load(path), Config)
