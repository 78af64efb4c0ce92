"""The settings of `Config` as the loops without the interpreter read them."""

from libc.stdint cimport uint8_t

cdef enum Mode:
    FEED_FORWARD
    RECURRENT
    TIME_STEP

cdef enum BiasKind:
    NO_BIAS
    BIAS_NODE               # a node that is always 1
    NODE_BIASES             # a number in each node but the inputs

cdef enum Tie:
    TIE_BOTH
    TIE_NEITHER
    TIE_RANDOM

# Rates and numbers have the names and meanings of the fields of Config.
ctypedef struct Rules:
    Py_ssize_t n_inputs
    Py_ssize_t n_outputs
    Py_ssize_t n_sources            # inputs and bias node
    Py_ssize_t n_fixed              # inputs, bias node, outputs: the first nodes of a genome
    Py_ssize_t population_size
    Mode mode
    Py_ssize_t step_limit
    uint8_t activation              # ActivationId
    uint8_t output_activation
    Py_ssize_t n_activations        # what an activation may mutate to
    uint8_t activations[32]
    double activation_mutation_rate
    BiasKind bias
    double initial_connection       # fraction; 1: full, 0: none
    Py_ssize_t least_hidden
    Py_ssize_t most_hidden
    double initial_weight_power
    double crossover_rate
    bint either                     # crossover="either"
    Tie tie
    double average_crossover_rate
    bint prefers_active             # disable_rate=None
    double disable_rate
    double interspecies_rate
    bint scales_weights             # weight_mutation="scale"
    double weight_mutation_rate
    double weight_replace_rate
    double weight_power
    bint is_gaussian
    double weight_cap               # infinity: none
    double bias_mutation_rate
    double bias_replace_rate
    double bias_power
    double add_node_rate
    Py_ssize_t split_oldest_below
    double add_connection_rate
    double toggle_connection_rate
    double enable_connection_rate
    double remove_connection_rate
    double remove_node_rate
    bint structural_mutation_only
    bint self_loops
    bint per_generation             # innovation_scope="generation"
    double c_excess
    double c_disjoint
    double c_weight
    bint normalizes                 # distance_normalization="size"
    double compatibility_threshold
    Py_ssize_t target_species       # 0: none
    double threshold_step
    bint best_represents            # representative="best"
    Py_ssize_t elitism
    Py_ssize_t elitism_species_size
    double survival_threshold
    Py_ssize_t stagnation           # 0: none
    Py_ssize_t population_stagnation


cdef class RuleSet:
    cdef Rules rules

# The settings of a Config; TypeError for anything else.  They live as long as the Config.
cdef const Rules *rules_of(object config) except NULL
# Mode of a name; None is that of the rules
cdef int mode_id(object name, const Rules *rules) except -1
