"""The settings of `Config` as the loops without the interpreter read them."""

from libc.math cimport INFINITY
from libc.string cimport memset

from fastnet._arrays cimport nearest
from fastnet.activations cimport activation_id

from fastnet.neat.config import MODES, Config


cdef class RuleSet:
    """One for each Config, which keeps it."""

    def __cinit__(self, config):
        cdef Rules *r = &self.rules
        cdef Py_ssize_t i
        memset(r, 0, sizeof(Rules))
        r.n_inputs = config.n_inputs
        r.n_outputs = config.n_outputs
        r.bias = {"node": BIAS_NODE, "per_node": NODE_BIASES, None: NO_BIAS}[config.bias]
        r.n_sources = r.n_inputs + (r.bias == BIAS_NODE)
        r.n_fixed = r.n_sources + r.n_outputs
        r.population_size = config.population_size
        r.mode = MODES.index(config.mode)
        r.step_limit = config.step_limit
        r.activation = activation_id(config.activation)
        r.output_activation = activation_id(config.output_activation or config.activation)
        activations = config.activations or (config.activation,)
        r.n_activations = len(activations)
        for i in range(r.n_activations):
            r.activations[i] = activation_id(activations[i])
        r.activation_mutation_rate = config.activation_mutation_rate
        fractions = {"full": 1.0, "none": 0.0}
        r.initial_connection = fractions.get(config.initial_connection, config.initial_connection)
        hidden = config.initial_hidden
        r.least_hidden, r.most_hidden = hidden if isinstance(hidden, tuple) else (hidden, hidden)
        r.initial_weight_power = config.initial_weight_power
        r.crossover_rate = config.crossover_rate
        r.either = config.crossover == "either"
        r.tie = {"both": TIE_BOTH, "neither": TIE_NEITHER, "random": TIE_RANDOM}[config.tie]
        r.average_crossover_rate = config.average_crossover_rate
        r.prefers_active = config.disable_rate is None
        r.disable_rate = config.disable_rate or 0.0
        r.interspecies_rate = config.interspecies_rate
        r.scales_weights = config.weight_mutation == "scale"
        r.weight_mutation_rate = config.weight_mutation_rate
        r.weight_replace_rate = config.weight_replace_rate
        r.weight_power = config.weight_power
        r.is_gaussian = config.weight_distribution == "gaussian"
        r.weight_cap = INFINITY if config.weight_cap is None else config.weight_cap
        r.bias_mutation_rate = config.bias_mutation_rate
        r.bias_replace_rate = config.bias_replace_rate
        r.bias_power = config.bias_power
        r.add_node_rate = config.add_node_rate
        r.split_oldest_below = config.split_oldest_below
        r.add_connection_rate = config.add_connection_rate
        r.toggle_connection_rate = config.toggle_connection_rate
        r.enable_connection_rate = config.enable_connection_rate
        r.remove_connection_rate = config.remove_connection_rate
        r.remove_node_rate = config.remove_node_rate
        r.structural_mutation_only = config.structural_mutation_only
        r.self_loops = config.self_loops
        r.per_generation = config.innovation_scope == "generation"
        r.c_excess = config.c_excess
        r.c_disjoint = config.c_disjoint
        r.c_weight = config.c_weight
        r.normalizes = config.distance_normalization == "size"
        r.compatibility_threshold = config.compatibility_threshold
        r.target_species = config.target_species or 0
        r.threshold_step = config.threshold_step
        r.best_represents = config.representative == "best"
        r.elitism = config.elitism
        r.elitism_species_size = config.elitism_species_size
        r.survival_threshold = config.survival_threshold
        r.stagnation = config.stagnation or 0
        r.population_stagnation = config.population_stagnation or 0


cdef const Rules *rules_of(object config) except NULL:
    if not isinstance(config, Config):
        raise TypeError(f"config must be a fastnet.neat.Config, got {type(config).__name__}")
    rule_set = config.__dict__.get("_rule_set")
    if rule_set is None:
        rule_set = config.__dict__["_rule_set"] = RuleSet(config)
    return &(<RuleSet> rule_set).rules


cdef int mode_id(object name, const Rules *rules) except -1:
    if name is None:
        return rules.mode
    if name not in MODES:
        raise ValueError(nearest(name, MODES, "mode"))
    return MODES.index(name)
