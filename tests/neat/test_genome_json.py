"""Genomes as JSON: every bit comes back, and nothing else gets in."""

import json
import math
import random
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import neat

Genome = neat.Genome
ACTIVATIONS = [name for name in fn.activations.names() if name != "softmax"]
NUMBERS = [0, -1, 1, 2, 3, 0.5, -0.0, 1e308, 5e-324, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**19]
TEXTS = ["", "relu", "softmax", "input", "hidden", "\ud800", "ü", "x" * 5000, "[]", "1e999", "none"]
WEIRD = [None, True, False, 1.5, [], {}, [[]], {"a": 1}, *TEXTS, *NUMBERS]


def random_genome(rng):
    """Any genome: of any mode and bias, with large ids, extreme weights, cycles where allowed."""
    mode = rng.choice(["feed_forward", "recurrent", "time_step"])
    bias = rng.choice(["node", "per_node", None])
    config = neat.Config(
        rng.randint(1, 4), rng.randint(1, 3), mode=mode, bias=bias, self_loops=rng.random() < 0.5,
        activation=rng.choice(ACTIVATIONS), output_activation=rng.choice([None, "identity"]),
        activations=rng.sample(ACTIVATIONS, 2), weight_cap=None, weight_power=rng.random(),
        disable_rate=rng.choice([None, rng.random()]), initial_hidden=(0, rng.randint(0, 3)),
    )
    n_fixed = config.n_inputs + (bias == "node") + config.n_outputs
    n_sources = n_fixed - config.n_outputs
    ids = distinct(rng, n_fixed + rng.randint(0, 5))
    fixed, hidden = ids[:n_fixed], ids[n_fixed:]
    sources, outputs = fixed[:n_sources], fixed[n_sources:]
    order = [*sources, *hidden, *outputs]
    pairs = [(s, t) for s in order for t in [*hidden, *outputs]]
    if mode == "feed_forward":
        pairs = [(s, t) for s, t in pairs if order.index(s) < order.index(t) and s not in outputs]
    elif not config.self_loops:
        pairs = [(s, t) for s, t in pairs if s != t]
    pairs = rng.sample(pairs, min(rng.randint(0, 15), len(pairs)))
    innovations = distinct(rng, len(pairs))
    connections = [
        (k, s, t, any_float(rng), rng.random() < 0.7)
        for k, (s, t) in zip(innovations, pairs, strict=True)]
    touched = {node for pair in pairs for node in pair}
    nodes = []
    for node in [*outputs, *(node for node in hidden if node in touched)]:
        kind = "output" if node in outputs else "hidden"
        node_bias = any_float(rng) if bias == "per_node" else 0.0
        nodes.append((node, kind, rng.choice(ACTIVATIONS), node_bias))
    genome = Genome.from_connections(
        config, connections, inputs=fixed[: config.n_inputs], outputs=outputs,
        bias=sources[-1] if bias == "node" else None, nodes=nodes)
    genome.fitness = rng.choice([None, math.inf, any_float(rng)])
    return genome


def distinct(rng, n):
    """Different ids, small ones or anything that an int64 can hold."""
    large = rng.random() < 0.5
    found = {}
    while len(found) < n:
        found[rng.choice([rng.randrange(2**63), 2**63 - 1]) if large else rng.randrange(50)] = None
    return list(found)


def any_float(rng):
    return rng.choice([
        rng.gauss(0, 3), float(rng.randint(-3, 3)), 0.0, -0.0, 1e-320, -1.7e308, 1 / 3,
        math.ldexp(rng.random(), rng.randint(-900, 900))])


def facts(genome):
    """Everything that a genome says, with the signs of zeros."""
    return repr((
        genome.config.to_dict(), genome.fitness, genome.nodes.tolist(),
        genome.connections.tolist()))


# -- there and back --------------------------------------------------------------------------------


@given(st.integers(0, 2**32))
def test_every_bit_comes_back(seed):
    genome = random_genome(random.Random(seed))
    text = genome.to_json()
    again = Genome.from_json(text)
    assert again == genome
    assert facts(again) == facts(genome)
    assert again.to_json() == text
    assert isinstance(again, Genome)


def test_genomes_as_they_are_born():
    for config in (
        neat.Config.paper(3, 2), neat.Config.time_step(2, 1), neat.Config(1, 1, bias="per_node"),
        neat.Config(2, 2, initial_hidden=3), neat.Config(2, 1, initial_connection="none"),
    ):
        for seed in range(3):
            genome = Genome(config, rng=seed)
            assert facts(Genome.from_json(genome.to_json())) == facts(genome)


def test_what_the_text_is():
    config = neat.Config(2, 1)
    genome = Genome.from_connections(
        config, [(3, 0, 4, 0.5, False), (1, 2, 3, -0.25, True), (7, 4, 3, 1.0, True)])
    genome.fitness = 2.5
    content = json.loads(genome.to_json())
    assert list(content) == ["format", "version", "config", "fitness", "nodes", "connections"]
    assert (content["format"], content["version"]) == ("fastnet genome", 1)
    assert content["fitness"] == 2.5
    expected = config.to_dict()
    assert content["config"] == expected | {"activations": list(expected["activations"])}
    assert [(n["id"], n["kind"], n["activation"], n["bias"]) for n in content["nodes"]] == [
        (0, "input", "identity", 0), (1, "input", "identity", 0), (2, "bias", "identity", 0),
        (3, "output", "steep_sigmoid", 0), (4, "hidden", "steep_sigmoid", 0)]
    assert [list(c.values()) for c in content["connections"]] == [
        [1, 2, 3, -0.25, True], [3, 0, 4, 0.5, False], [7, 4, 3, 1.0, True]]
    assert list(content["connections"][0]) == [
        "innovation", "source", "target", "weight", "enabled"]


def test_text_written_by_somebody_else():
    """Other spacing, another order of keys, integers for floats."""
    genome = random_genome(random.Random(5))
    content = json.loads(genome.to_json())
    turned = {key: content[key] for key in reversed(content)}
    turned["nodes"] = [dict(reversed(node.items())) for node in content["nodes"]]
    for text in (json.dumps(turned), json.dumps(turned, indent=4), f" \n{json.dumps(turned)}\t"):
        assert facts(Genome.from_json(text)) == facts(genome)
    genome = Genome.from_connections(neat.Config(1, 1), [(0, 0, 2, 3.0, True)])
    text = genome.to_json()
    assert Genome.from_json(text.replace("3.0", "3")) == genome
    again = Genome.from_json(text.replace('"weight_cap": 8.0', '"weight_cap": 8'))
    assert type(again.config.weight_cap) is float


def test_fitness_that_json_has_no_number_for():
    genome = Genome(neat.Config(1, 1), rng=0)
    for genome.fitness in (math.inf, -math.inf):
        text = genome.to_json()
        json.loads(text, parse_constant=pytest.fail)
        assert Genome.from_json(text).fitness == genome.fitness
    genome.fitness = math.nan
    with pytest.raises(ValueError, match="fitness must not be NaN"):
        genome.to_json()


def test_fitness_of_numpy():
    genome = Genome(neat.Config(1, 1), rng=0)
    genome.fitness = np.float64(0.1)
    assert Genome.from_json(genome.to_json()).fitness == 0.1


# -- what is refused -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def content():
    """The JSON of a genome with one hidden node, a bias node and a disabled connection."""
    config = neat.Config(2, 1)
    genome = Genome.from_connections(
        config, [(0, 0, 3, 1.5, False), (4, 0, 4, 1.0, True), (5, 4, 3, 1.5, True)])
    return genome.to_json()


def edited(text, edit):
    content = json.loads(text)
    edit(content)
    return json.dumps(content)


def at(*keys, value):
    def edit(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value
    return edit


def without(*keys):
    def edit(content):
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]
    return edit


REFUSED = [
    (at("format", value="fastnet.network"), 'no genome: a JSON object with "format"'),
    (without("format"), "no genome"),
    (at("version", value=2), "version 2, this fastnet reads up to 1"),
    (at("version", value=0), "version must be an integer from 1"),
    (at("version", value=True), "version must be an integer"),
    (at("version", value="1"), "version must be an integer"),
    (without("version"), "version must be an integer"),
    (without("fitness"), "has no fitness"),
    (at("more", value=1), "unknown key 'more'"),
    (at("conections", value=[]), "unknown key 'conections': did you mean 'connections'"),
    (at("fitness", value="1"), "fitness must be a number, got '1'"),
    (at("fitness", value="nan"), "fitness must be a number, got 'nan'"),
    (at("fitness", value=["inf"]), "fitness must be a number, got"),
    (at("fitness", value=True), "fitness must be a number, got True"),
    (at("nodes", value={}), "nodes must be an array"),
    (at("connections", value=None), "connections must be an array"),
    (at("config", value=[]), "config must be an object"),
    (without("config", "tie"), "config has no tie"),
    (at("config", "tei", value=1), "config has an unknown key 'tei': did you mean 'tie'"),
    (at("config", "tie", value="bth"), "config: tie: unknown value 'bth'"),
    (at("config", "weight_power", value=-1), "config: weight_power must be"),
    (at("config", "elitism", value=1.0), "config: elitism must be an int"),
    (at("config", "self_loops", value=0), "config: self_loops must be True or False"),
    (at("config", "n_inputs", value=1), "2 nodes of kind input, expected 1"),
    (at("config", "n_inputs", value=10**6), "2 nodes of kind input, expected 1000000"),
    (at("config", "n_outputs", value=3), "1 nodes of kind output, expected 3"),
    (at("config", "bias", value=None), "1 nodes of kind bias, expected 0"),
    (at("nodes", 0, value=3), r"nodes\[0\] must be an object, got 3"),
    (without("nodes", 1, "bias"), r"nodes\[1\] has no bias"),
    (at("nodes", 0, "x", value=3), r"nodes\[0\] has an unknown key 'x'"),
    (at("nodes", 4, "id", value=2**63), r"nodes\[4\]: id must be an integer from 0 to 2\*\*63 - 1"),
    (at("nodes", 4, "id", value=-1), r"nodes\[4\]: id must be"),
    (at("nodes", 4, "id", value=4.0), r"nodes\[4\]: id must be"),
    (at("nodes", 4, "id", value=True), r"nodes\[4\]: id must be"),
    (at("nodes", 4, "id", value=3), "two nodes of one id"),
    (at("nodes", 4, "id", value=9), "the genome"),
    (at("nodes", 4, "kind", value="hiden"), r"nodes\[4\]: kind must be one of input, bias, out"),
    (at("nodes", 4, "kind", value=None), r"nodes\[4\]: kind must be one of"),
    (at("nodes", 4, "kind", value=["hidden"]), r"nodes\[4\]: kind must be one of"),
    (at("nodes", 4, "activation", value="softmax"), r"nodes\[4\]: activation must be the name"),
    (at("nodes", 4, "activation", value="tahn"), r"nodes\[4\]: activation must be the name"),
    (at("nodes", 4, "activation", value={}), r"nodes\[4\]: activation must be the name"),
    (at("nodes", 0, "activation", value="tanh"), r"nodes\[0\]: activation of an input node"),
    (at("nodes", 2, "bias", value=1.0), r"nodes\[2\]: bias must be 0"),
    (at("nodes", 4, "bias", value=1.0), r"nodes\[4\]: bias must be 0"),
    (at("nodes", 4, "bias", value=False), r"nodes\[4\]: bias must be a number"),
    (lambda c: c["nodes"].reverse(), "nodes must be in the order input, bias, output, hidden"),
    (lambda c: c["nodes"].pop(), "the genome"),
    (at("connections", 0, value=[0, 0, 3, 1.5, False]), r"connections\[0\] must be an object"),
    (without("connections", 0, "weight"), r"connections\[0\] has no weight"),
    (at("connections", 1, "wieght", value=1), r"connections\[1\] has an unknown key 'wieght': did"),
    (at("connections", 1, "weight", value="1"), r"connections\[1\]: weight must be a number"),
    (at("connections", 1, "weight", value=None), r"connections\[1\]: weight must be a number"),
    (at("connections", 1, "weight", value=True), r"connections\[1\]: weight must be a number"),
    (at("connections", 1, "enabled", value=1), r"connections\[1\]: enabled must be true or false"),
    (at("connections", 1, "innovation", value=2**63), r"connections\[1\]: innovation must be an"),
    (at("connections", 1, "innovation", value=5), "the genome: .*5"),
    (at("connections", 1, "source", value=1.0), r"connections\[1\]: source must be an integer"),
    (at("connections", 1, "target", value=0), "the genome: .*0"),
    (at("connections", 1, "target", value=3), "the genome: "),
    (at("connections", 1, "source", value=4), "the genome: "),
    (at("connections", value=[]), "the genome"),
]


@pytest.mark.parametrize("k", range(len(REFUSED)))
def test_wrong_content(content, k):
    edit, expected = REFUSED[k]
    with pytest.raises(fn.FileFormatError, match=expected):
        Genome.from_json(edited(content, edit))


def test_a_cycle_is_refused_where_the_config_does(content):
    cycle = {"innovation": 6, "source": 4, "target": 4, "weight": 1.0, "enabled": False}
    text = edited(content, lambda c: c["connections"].append(cycle))
    with pytest.raises(fn.FileFormatError, match="the genome: "):
        Genome.from_json(text)


def test_wrong_text(content):
    for text, expected in {
        "": "no JSON",
        "{": "no JSON",
        "[]": "no genome",
        "null": "no genome",
        '"fastnet genome"': "no genome",
        content.replace("1.5", "NaN"): "NaN",
        content.replace("1.5", "-Infinity"): "-Infinity",
        content.replace("1.5", "1e999"): "1e999",
        content.replace("1.5", "9" * 5000): "5000 digits",
        content.replace("1.5", "[" * 100_000): "nested too deeply",
        content.replace('"id": 0', '"id": 0, "id": 0'): "name twice",
        content.replace("{", '{"version": 1, ', 1): "name twice",
        content + "x": "no JSON",
        content + content: "no JSON",
        "\ufeff" + content: "no JSON",
        content.replace('"hidden"', '"\\ud800"'): "kind must be one of",
    }.items():
        with pytest.raises(fn.FileFormatError, match=expected):
            Genome.from_json(text)


@pytest.mark.parametrize("value", [None, b"{}", bytearray(b"{}"), 3, {}, [], True])
def test_no_text(value):
    with pytest.raises(fn.FileFormatError, match="a genome is a JSON text"):
        Genome.from_json(value)


def test_bytes_of_a_good_text_are_no_text(content):
    with pytest.raises(fn.FileFormatError, match=r"\(str\), got bytes"):
        Genome.from_json(content.encode())


def test_every_truncation(content):
    end = len(content.rstrip())
    for n in range(0, end, 3):
        with pytest.raises(fn.FileFormatError):
            Genome.from_json(content[:n])
    Genome.from_json(content[:end])


# -- thousands of mutated texts --------------------------------------------------------------------


def change_value(rng, text):
    """A value anywhere becomes another."""
    content = json.loads(text)
    place = content
    for _ in range(rng.randint(0, 3)):
        children = [v for v in (place.values() if isinstance(place, dict) else place) if v
                    and isinstance(v, (dict, list))]
        if not children:
            break
        place = rng.choice(children)
    key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
    change = rng.random()
    if change < 0.6:
        place[key] = rng.choice(WEIRD)
    elif change < 0.8:
        del place[key]
    elif isinstance(place, dict):
        place[rng.choice(["more", "id", "weight", "config", "\ud800"])] = rng.choice(WEIRD)
    else:
        place.insert(key, place[rng.randrange(len(place))])
    return json.dumps(content)


def exchange_genes(rng, text):
    """Well-formed genes that may not fit: ends, numbers and kinds of others."""
    content = json.loads(text)
    rows = rng.choice([content["nodes"], content["connections"] or content["nodes"]])
    for _ in range(rng.choice([1, 2, 5])):
        a, b = rng.choice(rows), rng.choice(rows)
        key = rng.choice(list(a))
        a[key] = b[key]
    return json.dumps(content)


def exchange_config(rng, text):
    content = json.loads(text)
    other = json.loads(random_genome(rng).to_json())["config"]
    for key in rng.sample(list(other), rng.choice([1, 5, len(other)])):
        content["config"][key] = other[key]
    return json.dumps(content)


def set_characters(rng, text):
    characters = list(text)
    for _ in range(rng.choice([1, 2, 8])):
        characters[rng.randrange(len(characters))] = rng.choice('0123456789-.eE"{}[],: \0\xff\\ntf')
    return "".join(characters)


def cut(rng, text):
    return text[: rng.randrange(len(text))]


def remove(rng, text):
    k = rng.randrange(len(text))
    return text[:k] + text[k + rng.choice([1, 2, 8, 50]) :]


def repeat(rng, text):
    a = rng.randrange(len(text))
    b = a + rng.choice([1, 3, 20, 200])
    return text[:b] + text[a:b] * rng.choice([1, 2, 20]) + text[b:]


def nest(rng, text):
    depth = rng.choice([10, 500, 1100, 20_000])
    k = rng.randrange(len(text))
    opened, closed = rng.choice([("[", ""), ("[", "]"), ('{"a":', ""), ('{"a":', "}")])
    return f"{text[:k]}{opened * depth}1{closed * depth}{text[k:]}"


def many_digits(rng, text):
    places = [k for k, character in enumerate(text) if character.isdigit()]
    k = rng.choice(places)
    digits = rng.choice("019") * rng.choice([18, 19, 20, 21, 400, 5000, 100_000])
    return text[:k] + digits + rng.choice(["", ".5", "e5", "e-400"]) + text[k + 1 :]


def many_rows(rng, text):
    content = json.loads(text)
    key = rng.choice(["nodes", "connections"])
    content[key] += content[key] * rng.choice([1, 10, 100])
    return json.dumps(content)


MUTATIONS = [
    change_value, exchange_genes, exchange_config, set_characters, cut, remove, repeat, nest,
    many_digits, many_rows,
]


def mutate(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        try:
            text = rng.choice(MUTATIONS)(rng, text)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            break  # the one before left nothing that this one could work on
    return text


def judge(text):
    """Whether a genome comes of the text; then it is the one that the text describes."""
    started = time.process_time()
    try:
        genome, message = Genome.from_json(text), ""
    except fn.FileFormatError as error:
        genome, message = None, str(error)
    # in proportion to the text
    assert time.process_time() - started < 1 + 3e-7 * len(text)
    assert len(message.encode()) < 2000     # and it can be printed
    if genome is None:
        assert message
        return False
    content = json.loads(text)
    described = json.loads(genome.to_json())
    for row, key in [*((row, "weight") for row in content["connections"]),
                     *((row, "bias") for row in content["nodes"])]:
        row[key] = float(row[key])
    connections = sorted(content["connections"], key=lambda row: row["innovation"])
    assert connections == described["connections"]
    assert content["nodes"] == described["nodes"]
    if content["fitness"] is None:
        assert genome.fitness is None
    else:
        assert float(content["fitness"]) == genome.fitness
    for key, value in content["config"].items():
        if key == "activations":
            value = list(dict.fromkeys([value] if isinstance(value, str) else value))
        if isinstance(described["config"][key], float):
            value = float(value)    # large integers may stand there
        assert described["config"][key] == value
    assert genome.copy() == genome
    return True


@pytest.fixture(scope="module")
def originals():
    return [random_genome(random.Random(seed)).to_json() for seed in range(40)]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation(originals, mutation):
    """A few of each kind; each kind gets to be refused."""
    rng = random.Random(mutation.__name__)
    refused = 0
    for _ in range(30):
        refused += not judge(mutation(rng, rng.choice(originals)))
    assert refused > 0


def run_mutations(originals, n, seed):
    rng = random.Random(seed)
    loaded = sum(judge(mutate(rng, rng.choice(originals))) for _ in range(n))
    assert loaded > 0.02 * n
    assert n - loaded > 0.5 * n


def test_mutated_texts(originals):
    run_mutations(originals, 400, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_very_many_mutated_texts(originals, seed):
    run_mutations(originals, 2500, seed)


@pytest.mark.parametrize("row", ["[]", "{}", '""', "0", '{"":0}'])
def test_memory_of_texts_full_of_nothing(content, row):
    """The peak is in proportion to the text."""
    Genome.from_json(content)   # imports and caches are not the text's
    text = content.replace('"connections": [', f'"connections": [{f"{row}," * 50_000}')
    tracemalloc.start()
    try:
        with pytest.raises(fn.FileFormatError, match=r"connections\[0\]"):
            Genome.from_json(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # JSON of empty lists takes 3 bytes in the text and 72 as objects; keys take 6 and 200
    assert peak < 2**18 + 60 * len(text)


@given(st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8).map(json.dumps))
def test_any_text(text):
    with pytest.raises(fn.FileFormatError):
        Genome.from_json(text)
