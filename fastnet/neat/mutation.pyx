"""Mutations of the genes of one genome, each alone and in the configured mix."""

from libc.float cimport DBL_MAX
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from fastnet._kernels cimport dispatch
from fastnet._kernels.table cimport IDENTITY
from fastnet.neat._draws cimport (
    DRAWS_BUFFER, Draws, draw_below, draw_chance, draw_normals, draw_uniform
)
from fastnet.neat._genes cimport (
    BIASES, NO_MEMORY, NOTHING, STRUCTURE, WEIGHTS, Genes, find_endpoints, find_node, has_path,
    insert_connection, insert_node, path_scratch, remove_connection_at
)
from fastnet.neat._rules cimport BIAS_NODE, FEED_FORWARD, NODE_BIASES, Rules
from fastnet.neat.innovations cimport InnovationRegistry

cdef enum:
    CHUNK = 64                      # numbers that are drawn at once
    TRIES = 8                       # for two nodes without a connection, before all are looked at


cdef inline double draw_between(Draws *draws, double limit) noexcept nogil:
    # from [-limit, limit)
    return limit * (2 * draw_uniform(draws) - 1)


cdef inline Py_ssize_t possible_connections(const Rules *rules, Py_ssize_t n_hidden) noexcept nogil:
    return (rules.n_sources * rules.n_outputs
            + n_hidden * (rules.n_sources + rules.n_outputs))


cdef inline Py_ssize_t chosen_connections(const Rules *rules, Py_ssize_t possible) noexcept nogil:
    # the fraction, rounded
    return <Py_ssize_t> (rules.initial_connection * <double> possible + 0.5)


cdef Py_ssize_t initial_connections(const Rules *rules) noexcept nogil:
    return chosen_connections(rules, possible_connections(rules, rules.most_hidden))


cdef Py_ssize_t initial_nodes(const Rules *rules) noexcept nogil:
    return rules.n_fixed + rules.most_hidden


# What chooses among the possible connections one after another, all choices of n_wanted of them
# equally likely: selection sampling (Knuth, The Art of Computer Programming 2, algorithm S)
ctypedef struct Selection:
    Py_ssize_t n_left
    Py_ssize_t n_wanted


cdef int offer(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
               Selection *selection, int64_t source, int64_t target) noexcept nogil:
    cdef Py_ssize_t n_left = selection.n_left
    cdef int64_t innovation
    selection.n_left -= 1
    if not draw_chance(draws, <double> selection.n_wanted / <double> n_left):
        return False
    selection.n_wanted -= 1
    innovation = registry.connection(source, target)
    if innovation < 0:
        return NO_MEMORY
    insert_connection(
        genes, innovation, source, target, draw_between(draws, rules.initial_weight_power), True)
    return True


cdef int create_genes(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                      void *scratch) noexcept nogil:
    cdef Py_ssize_t i, j, n_hidden = rules.least_hidden
    cdef Py_ssize_t n_sources = rules.n_sources, n_fixed = rules.n_fixed
    cdef Selection selection
    cdef int64_t node
    cdef int found
    cdef bint is_touched
    if rules.most_hidden > rules.least_hidden:
        n_hidden += draw_below(draws, rules.most_hidden - rules.least_hidden + 1)
    genes.n_connections = 0
    genes.n_nodes = n_fixed
    for i in range(n_fixed):
        genes.node[i] = registry.fixed[i]
        genes.bias[i] = 0
        genes.activation[i] = IDENTITY if i < n_sources else rules.output_activation
    selection.n_left = possible_connections(rules, n_hidden)
    selection.n_wanted = chosen_connections(rules, selection.n_left)
    for i in range(n_sources):
        for j in range(n_sources, n_fixed):
            if offer(genes, rules, registry, draws, &selection,
                     genes.node[i], genes.node[j]) == NO_MEMORY:
                return NO_MEMORY
    node = registry.initial_node()
    for node in range(node, node + n_hidden):
        is_touched = False
        for i in range(n_sources):
            found = offer(genes, rules, registry, draws, &selection, genes.node[i], node)
            if found == NO_MEMORY:
                return NO_MEMORY
            is_touched |= found
        for j in range(n_sources, n_fixed):
            found = offer(genes, rules, registry, draws, &selection, node, genes.node[j])
            if found == NO_MEMORY:
                return NO_MEMORY
            is_touched |= found
        if is_touched:
            insert_node(genes, rules, node)
    return STRUCTURE


cdef void uniforms(Draws *draws, Py_ssize_t n, double *x) noexcept nogil:
    # x (n <= CHUNK,) from [0, 1), of 32 bits each: making the bits is most of the work, and so a
    # genome of 50 weights often needs no more than what one refill of the buffer gives
    cdef int32_t words[CHUNK]
    cdef Py_ssize_t i, m, taken = 0, n_elements = (n + 1) >> 1
    while taken < n_elements:
        if draws.used == DRAWS_BUFFER:
            dispatch.float64.random_bits(
                draws.seed, draws.stream, draws.position, DRAWS_BUFFER, draws.buffer)
            draws.used = 0
        m = min(n_elements - taken, DRAWS_BUFFER - draws.used)
        memcpy(words + 2 * taken, draws.buffer + draws.used, m * sizeof(uint64_t))
        draws.used += m
        draws.position += <uint64_t> m
        taken += m
    for i in range(n):
        x[i] = words[i] * (1.0 / 4294967296.0) + 0.5


cdef void mutate_numbers(Py_ssize_t n, double *numbers, double replace_rate, bint scales,
                         double power, double cap, bint is_gaussian,
                         Draws *draws) noexcept nogil:
    """numbers (n,) with u from U(0, 1) each:

        u < replace_rate: drawn anew      u power' or N(0, power)
        else, scales:                     w 2 u'
        else:                             w + the above

    where u' is u spread over its part of [0, 1) and power' u is from U(-power, power).
    """
    cdef double u[CHUNK]
    cdef double z[CHUNK]
    cdef double limit = min(cap, DBL_MAX)
    cdef double kept = 1 - replace_rate
    cdef double spread = 2 / kept if kept > 0 else 0
    cdef double spread_power = spread * power
    cdef double spread_new = 2 * power / replace_rate if replace_rate > 0 else 0
    cdef double start, width, w
    cdef Py_ssize_t i, m
    # Loops without a branch: replaced or not is a choice of operands
    while n > 0:
        m = min(n, CHUNK)
        uniforms(draws, m, u)
        if is_gaussian and (replace_rate > 0 or not scales):
            draw_normals(draws, m, z)
            if scales:
                for i in range(m):
                    w = power * z[i] if u[i] < replace_rate else (
                        numbers[i] * ((u[i] - replace_rate) * spread))
                    w = limit if limit < w else w
                    numbers[i] = -limit if -limit > w else w
            else:
                for i in range(m):
                    w = power * z[i] + (0.0 if u[i] < replace_rate else numbers[i])
                    w = limit if limit < w else w
                    numbers[i] = -limit if -limit > w else w
        elif scales:
            for i in range(m):
                w = u[i] * spread_new - power if u[i] < replace_rate else (
                    numbers[i] * ((u[i] - replace_rate) * spread))
                w = limit if limit < w else w
                numbers[i] = -limit if -limit > w else w
        else:
            for i in range(m):
                start = 0.0 if u[i] < replace_rate else replace_rate
                width = spread_new if u[i] < replace_rate else spread_power
                w = 0.0 if u[i] < replace_rate else numbers[i]
                w += (u[i] - start) * width - power
                w = limit if limit < w else w
                numbers[i] = -limit if -limit > w else w
        numbers += m
        n -= m


cdef int mutate_weights(Genes *genes, const Rules *rules, double replace_rate, bint scales,
                        Draws *draws) noexcept nogil:
    if genes.n_connections == 0:
        return NOTHING
    mutate_numbers(genes.n_connections, genes.weight, replace_rate, scales, rules.weight_power,
                   rules.weight_cap, rules.is_gaussian, draws)
    return WEIGHTS


cdef int mutate_biases(Genes *genes, const Rules *rules, Draws *draws) noexcept nogil:
    if rules.bias != NODE_BIASES:
        return NOTHING
    mutate_numbers(genes.n_nodes - rules.n_sources, genes.bias + rules.n_sources,
                   rules.bias_replace_rate, rules.scales_weights, rules.bias_power,
                   rules.weight_cap, rules.is_gaussian, draws)
    return BIASES


cdef int mutate_activations(Genes *genes, const Rules *rules, Draws *draws) noexcept nogil:
    cdef Py_ssize_t i
    cdef uint8_t activation
    cdef int change = NOTHING
    for i in range(rules.n_sources, genes.n_nodes):
        if draw_chance(draws, rules.activation_mutation_rate):
            activation = rules.activations[draw_below(draws, rules.n_activations)]
            if activation != genes.activation[i]:
                genes.activation[i] = activation
                change = STRUCTURE
    return change


# Which of n connections is split, the oldest first: any, or an old one, as the program of Stanley &
# Miikkulainen does in small genomes.  Any would often be one that the last split has made, and many
# genomes would have nodes of their own where they now have the same ones.
cdef inline Py_ssize_t draw_split(Draws *draws, Py_ssize_t n, bint prefers_old) noexcept nogil:
    cdef Py_ssize_t k = 0
    if not prefers_old:
        return draw_below(draws, n)
    while k < n - 1 and draw_chance(draws, 0.3):
        k += 1
    return k


cdef int add_node(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                  Py_ssize_t connection) noexcept nogil:
    cdef Py_ssize_t i, n = 0
    cdef int64_t node, source, target, innovation, bias = -1
    cdef double weight
    if connection < 0:
        if rules.bias == BIAS_NODE:
            bias = genes.node[rules.n_inputs]
        for i in range(genes.n_connections):
            n += genes.enabled[i] & (genes.source[i] != bias)
        if n == 0:
            return NOTHING
        n = draw_split(draws, n, genes.n_connections < rules.split_oldest_below)
        for i in range(genes.n_connections):
            if genes.enabled[i] and genes.source[i] != bias:
                if n == 0:
                    break
                n -= 1
        connection = i
    elif not genes.enabled[connection]:
        return NOTHING
    if registry.reserve(2, 1):
        return NO_MEMORY
    source = genes.source[connection]
    target = genes.target[connection]
    weight = genes.weight[connection]
    genes.enabled[connection] = False
    node = registry.split(genes.innovation[connection], genes)
    insert_node(genes, rules, node)
    innovation = registry.connection(source, node)
    insert_connection(genes, innovation, source, node, 1, True)
    innovation = registry.connection(node, target)
    insert_connection(genes, innovation, node, target, weight, True)
    return STRUCTURE


# Nodes that a connection may leave or enter, as half-open ranges of positions.  Without cycles
# the outputs, in the middle, are no sources: number k from there on is node k + n_outputs.
cdef inline Py_ssize_t n_possible_sources(const Genes *genes, const Rules *rules) noexcept nogil:
    return genes.n_nodes - (rules.n_outputs if rules.mode == FEED_FORWARD else 0)


cdef inline Py_ssize_t possible_source(const Rules *rules, Py_ssize_t k) noexcept nogil:
    return k + rules.n_outputs if rules.mode == FEED_FORWARD and k >= rules.n_sources else k


cdef bint is_allowed(const Genes *genes, const Rules *rules, Py_ssize_t source, Py_ssize_t target,
                     void *scratch) noexcept nogil:
    cdef int64_t a = genes.node[source], b = genes.node[target]
    if source == target and (rules.mode == FEED_FORWARD or not rules.self_loops):
        return False
    if find_endpoints(genes, a, b) >= 0:
        return False
    return rules.mode != FEED_FORWARD or not has_path(genes, rules, b, a, scratch)


cdef bint choose_among_all(const Genes *genes, const Rules *rules, Draws *draws,
                           Py_ssize_t *source, Py_ssize_t *target, void *scratch) noexcept nogil:
    # All allowed pairs are equally likely: those of one source after another, each taking the
    # place of the choice so far with the probability that it is among as many.
    cdef Py_ssize_t m = genes.n_connections, n = genes.n_nodes
    cdef Py_ssize_t only_source = source[0], only_target = target[0]
    cdef Py_ssize_t i, j, k, n_allowed, n_seen = 0, height
    cdef int32_t *first_out = <int32_t *> scratch       # (n,): a connection that leaves, or -1
    cdef int32_t *first_in = first_out + n              # (n,): one that enters
    cdef int32_t *stack = first_in + n                  # (n,)
    cdef int32_t *next_out = stack + n                  # (m,): the next one of the same source
    cdef int32_t *next_in = next_out + m                # (m,): and of the same target
    cdef int32_t *start = next_in + m                   # (m,): positions of the nodes
    cdef int32_t *end = start + m
    cdef uint8_t *refused = <uint8_t *> (end + m)       # (n,)
    cdef int32_t edge
    memset(first_out, 0xFF, 2 * n * sizeof(int32_t))
    for i in range(m):
        start[i] = <int32_t> find_node(genes, rules, genes.source[i])
        end[i] = <int32_t> find_node(genes, rules, genes.target[i])
        next_out[i] = first_out[start[i]]
        first_out[start[i]] = <int32_t> i
        next_in[i] = first_in[end[i]]
        first_in[end[i]] = <int32_t> i
    for k in range(n_possible_sources(genes, rules)):
        i = possible_source(rules, k)
        if only_source >= 0 and i != only_source:
            continue
        memset(refused, 0, n)
        refused[i] = rules.mode == FEED_FORWARD or not rules.self_loops
        if rules.mode == FEED_FORWARD:
            # Nothing from which a path leads here
            stack[0] = <int32_t> i
            height = 1
            while height:
                height -= 1
                edge = first_in[stack[height]]
                while edge >= 0:
                    if not refused[start[edge]]:
                        refused[start[edge]] = True
                        stack[height] = start[edge]
                        height += 1
                    edge = next_in[edge]
        edge = first_out[i]
        while edge >= 0:
            refused[end[edge]] = True
            edge = next_out[edge]
        if only_target >= 0:
            n_allowed = not refused[only_target]
        else:
            n_allowed = 0
            for j in range(rules.n_sources, n):
                n_allowed += not refused[j]
        if n_allowed == 0:
            continue
        n_seen += n_allowed
        if draw_chance(draws, <double> n_allowed / <double> n_seen):
            source[0] = i
            target[0] = only_target
            if only_target < 0:
                n_allowed = draw_below(draws, n_allowed)
                for j in range(rules.n_sources, n):
                    if not refused[j]:
                        target[0] = j
                        if n_allowed == 0:
                            break
                        n_allowed -= 1
    return n_seen > 0


cdef bint choose_pair(const Genes *genes, const Rules *rules, Draws *draws, Py_ssize_t *source,
                      Py_ssize_t *target, void *scratch) noexcept nogil:
    # Most pairs are allowed in a large genome, hardly any in a small one
    cdef Py_ssize_t n_sources = n_possible_sources(genes, rules)
    cdef Py_ssize_t n_targets = genes.n_nodes - rules.n_sources
    cdef Py_ssize_t a = source[0], b = target[0]
    cdef int _
    for _ in range(TRIES):
        if source[0] < 0:
            a = possible_source(rules, draw_below(draws, n_sources))
        if target[0] < 0:
            b = rules.n_sources + draw_below(draws, n_targets)
        if is_allowed(genes, rules, a, b, scratch):
            source[0] = a
            target[0] = b
            return True
    return choose_among_all(genes, rules, draws, source, target, scratch)


cdef int add_connection(Genes *genes, const Rules *rules, InnovationRegistry registry,
                        Draws *draws, Py_ssize_t source, Py_ssize_t target, const double *weight,
                        void *scratch) noexcept nogil:
    cdef int64_t start, end, innovation
    cdef double number
    if registry.reserve(1, 0):
        return NO_MEMORY
    if (source < 0 or target < 0) and not choose_pair(
            genes, rules, draws, &source, &target, scratch):
        return NOTHING
    start = genes.node[source]
    end = genes.node[target]
    if weight == NULL:
        number = draw_between(draws, rules.initial_weight_power)
    else:
        number = weight[0]
    innovation = registry.connection(start, end)
    insert_connection(genes, innovation, start, end, number, True)
    return STRUCTURE


cdef int toggle_connection(Genes *genes, const Rules *rules, Draws *draws,
                           Py_ssize_t connection) noexcept nogil:
    if genes.n_connections == 0:
        return NOTHING
    if connection < 0:
        connection = draw_below(draws, genes.n_connections)
    genes.enabled[connection] = not genes.enabled[connection]
    return STRUCTURE


cdef int enable_connection(Genes *genes) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(genes.n_connections):
        if not genes.enabled[i]:
            genes.enabled[i] = True
            return STRUCTURE
    return NOTHING


cdef void remove_node_at(Genes *genes, Py_ssize_t position) noexcept nogil:
    cdef Py_ssize_t i
    genes.n_nodes -= 1
    for i in range(position, genes.n_nodes):
        genes.node[i] = genes.node[i + 1]
        genes.bias[i] = genes.bias[i + 1]
        genes.activation[i] = genes.activation[i + 1]


cdef void remove_if_loose(Genes *genes, const Rules *rules, int64_t node) noexcept nogil:
    cdef Py_ssize_t i = find_node(genes, rules, node), j
    if i < rules.n_fixed:
        return
    for j in range(genes.n_connections):
        if genes.source[j] == node or genes.target[j] == node:
            return
    remove_node_at(genes, i)


cdef int remove_connection(Genes *genes, const Rules *rules, Draws *draws,
                           Py_ssize_t connection) noexcept nogil:
    cdef int64_t source, target
    if genes.n_connections == 0:
        return NOTHING
    if connection < 0:
        connection = draw_below(draws, genes.n_connections)
    source = genes.source[connection]
    target = genes.target[connection]
    remove_connection_at(genes, connection)
    remove_if_loose(genes, rules, source)
    remove_if_loose(genes, rules, target)
    return STRUCTURE


cdef int remove_node(Genes *genes, const Rules *rules, Draws *draws, Py_ssize_t node,
                     void *scratch) noexcept nogil:
    cdef uint8_t *is_touched = <uint8_t *> scratch      # (n_nodes,)
    cdef Py_ssize_t i, kept = 0
    cdef int64_t removed
    if genes.n_nodes == rules.n_fixed:
        return NOTHING
    if node < 0:
        node = rules.n_fixed + draw_below(draws, genes.n_nodes - rules.n_fixed)
    removed = genes.node[node]
    memset(is_touched, 0, genes.n_nodes)
    for i in range(genes.n_connections):
        if genes.source[i] != removed and genes.target[i] != removed:
            genes.innovation[kept] = genes.innovation[i]
            genes.source[kept] = genes.source[i]
            genes.target[kept] = genes.target[i]
            genes.weight[kept] = genes.weight[i]
            genes.enabled[kept] = genes.enabled[i]
            kept += 1
            is_touched[find_node(genes, rules, genes.source[i])] = True
            is_touched[find_node(genes, rules, genes.target[i])] = True
    genes.n_connections = kept
    kept = rules.n_fixed
    for i in range(rules.n_fixed, genes.n_nodes):
        if is_touched[i]:
            genes.node[kept] = genes.node[i]
            genes.bias[kept] = genes.bias[i]
            genes.activation[kept] = genes.activation[i]
            kept += 1
    genes.n_nodes = kept
    return STRUCTURE


cdef Py_ssize_t mutation_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    # The mix adds to the genes before it looks for paths
    n_connections += EXTRA_CONNECTIONS
    n_nodes += EXTRA_NODES
    return max(path_scratch(n_connections, n_nodes),
               (3 * n_nodes + 4 * n_connections) * <Py_ssize_t> sizeof(int32_t) + n_nodes)


cdef int mutate_genes(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                      void *scratch) noexcept nogil:
    cdef int change = NOTHING
    cdef bint is_structural = False     # drawn for such a mutation, whether it was possible or not
    # So that nothing can fail once the genes are changed
    if registry.reserve(EXTRA_CONNECTIONS, EXTRA_NODES):
        return NO_MEMORY
    if draw_chance(draws, rules.add_node_rate):
        is_structural = True
        change |= add_node(genes, rules, registry, draws, -1)
    if draw_chance(draws, rules.add_connection_rate):
        is_structural = True
        change |= add_connection(genes, rules, registry, draws, -1, -1, NULL, scratch)
    if draw_chance(draws, rules.remove_connection_rate):
        is_structural = True
        change |= remove_connection(genes, rules, draws, -1)
    if draw_chance(draws, rules.remove_node_rate):
        is_structural = True
        change |= remove_node(genes, rules, draws, -1, scratch)
    if not (rules.structural_mutation_only and is_structural):
        if draw_chance(draws, rules.weight_mutation_rate):
            change |= mutate_weights(
                genes, rules, rules.weight_replace_rate, rules.scales_weights, draws)
        if draw_chance(draws, rules.bias_mutation_rate):
            change |= mutate_biases(genes, rules, draws)
    if draw_chance(draws, rules.toggle_connection_rate):
        change |= toggle_connection(genes, rules, draws, -1)
    if draw_chance(draws, rules.enable_connection_rate):
        change |= enable_connection(genes)
    change |= mutate_activations(genes, rules, draws)
    return change
