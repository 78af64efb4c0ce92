"""What a kernel module offers: one table of functions for each instruction set and precision.

Data pointers are ``void *`` because the floors above choose the table at run time: they are
``float *`` in a table whose ``itemsize`` is 4 and ``double *`` where it is 8.  Matrices are
row-major.  No function allocates, raises or keeps state, but for the tables of graph_prepare().

*Slack*: buffers marked (slack) are read, and where written also written, up to ``SLACK_BYTES``
past their end.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

cdef enum:
    SLACK_BYTES = 256       # four of the widest vectors
    ALIGNMENT = 64

# Append only: files and C callers know these by number.
cdef enum ActivationId:
    IDENTITY = 0
    RELU
    LEAKY_RELU
    ELU
    SIGMOID
    STEEP_SIGMOID
    TANH
    SOFTPLUS
    GELU
    SIN
    GAUSSIAN
    SOFTMAX                 # over the row
    SELU
    SILU
    MISH
    SOFTSIGN
    ELLIOT
    HARD_TANH
    HARD_SIGMOID
    ABS
    SQUARE
    CUBE
    EXP
    STEP
    INVERSE
    LOG
    CUSTOM_ACTIVATION = 255     # through the hooks of CustomActivation

cdef enum LossId:
    SQUARED_ERROR = 0
    HALF_SQUARED_ERROR
    CROSS_ENTROPY           # fused with softmax
    BINARY_CROSS_ENTROPY    # fused with sigmoid
    KL_DIVERGENCE           # fused with softmax
    ABSOLUTE_ERROR
    HUBER                   # parameter: delta
    LOG_COSH
    POISSON
    HINGE
    QUANTILE                # parameter: the quantile
    CUSTOM_LOSS = 255           # through the hook of Loss

cdef enum LayerKind:
    DENSE = 0
    LAYER_NORM
    DROPOUT

# Status of everything that may call a hook
cdef enum:
    OK = 0
    STOPPED = 1             # a hook failed; the exception, if any, waits in the thread's state

# Hooks are called without the interpreter lock and with the caller's floating-point mode; nonzero
# means: stop.
ctypedef int (*value_hook)(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                           void *a) noexcept nogil
# d: dC/da (n_rows, n) on entry, dC/dz on return
ctypedef int (*backward_hook)(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                              const void *a, void *d) noexcept nogil
# row_loss (n_rows,) and d = d loss / d prediction (n_rows, n) or NULL, neither weighted
ctypedef int (*loss_hook)(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                          const void *targets, void *row_loss, void *d) noexcept nogil
ctypedef int (*poll_hook)(void *context) noexcept nogil

ctypedef struct CustomActivation:
    void *context
    value_hook value
    backward_hook backward

ctypedef struct Layer:
    int kind
    Py_ssize_t n_inputs
    Py_ssize_t n_outputs
    Py_ssize_t units_before         # outputs of all layers below
    # Offset in the flat parameters of weights (n_inputs, n_outputs); LAYER_NORM: gains (n_outputs,)
    Py_ssize_t weights
    Py_ssize_t biases               # offset of (n_outputs,), or -1
    double parameter                # epsilon of LAYER_NORM, rate of DROPOUT
    int activation
    CustomActivation custom

ctypedef struct Plan:
    Py_ssize_t n_layers
    Py_ssize_t n_inputs
    Py_ssize_t n_outputs
    Py_ssize_t n_parameters
    Py_ssize_t widest               # largest number of units of a layer, inputs included
    Layer *layers

ctypedef struct Loss:
    int kind
    double parameter                # of HUBER and QUANTILE
    void *context
    loss_hook hook

# What dropout layers draw from while a network is trained.  Unit j of row i of a layer is element
# (first_row + i) n + j of random stream (seed, stream + layer).
ctypedef struct Dropout:
    bint is_active
    uint64_t seed
    uint64_t stream
    Py_ssize_t first_row

# The rows a loss is taken over.  Either targets (n_rows, n_outputs) or labels (n_rows,) is set
# (labels: CROSS_ENTROPY and KL_DIVERGENCE).
ctypedef struct Rows:
    Py_ssize_t n_rows
    const void *x                   # (n_rows, n_inputs)
    const void *targets
    const int32_t *labels
    const void *weights             # (n_rows,) or NULL for 1 each
    Dropout dropout

# What a long computation may do beside computing.
ctypedef struct Monitor:
    poll_hook poll                  # or NULL; called about every POLL_OPERATIONS operations
    void *context
    double operations               # done since the last poll
    unsigned int user_mode          # floating-point mode for hooks (dispatch.floating_point_mode)

# A network of any topology, compiled: floor 3 makes it, graphs.pxi steps it.  Values live in slots:
# the inputs, then 1 where there is a bias node, then the computed nodes in their order, which in
# FEED_FORWARD_GRAPH is topological.  All arrays follow the struct in one block.
cdef enum GraphMode:
    FEED_FORWARD_GRAPH = 0
    RECURRENT_GRAPH                 # one synchronous step; the state is kept
    TIME_STEP_GRAPH                 # synchronous steps from the inputs until quiet

ctypedef struct Graph:
    Py_ssize_t n_bytes              # of the block
    int mode
    int activation                  # of all computed nodes, or -1 where they differ
    Py_ssize_t step_limit           # TIME_STEP_GRAPH
    Py_ssize_t n_inputs
    Py_ssize_t n_sources            # slots before the computed nodes
    Py_ssize_t n_outputs
    Py_ssize_t n_nodes              # computed ones
    Py_ssize_t n_edges
    Py_ssize_t n_weights            # the first parameters
    Py_ssize_t n_parameters         # weights, and biases of nodes
    const int32_t *first            # (n_nodes + 1,): edges first[k] .. first[k + 1] - 1 enter k
    const int32_t *source           # (n_edges,): slot
    const int32_t *weight           # (n_edges,): number of the parameter
    const int32_t *bias             # (n_nodes,): number of the parameter; NULL without such biases
    const int32_t *output           # (n_outputs,): slot, or -1 for an output that is never computed
    const uint8_t *activations      # (n_nodes,)

# Carts with poles, see poles.pxi
cdef enum PoleTask:
    CART_POLE = 0           # one pole; state x, x', t, t', all of which the network gets
    DOUBLE_POLE             # two; x, x', t1, t1', t2, t2', all of which it gets, and 0.5
    HIDDEN_DOUBLE_POLE      # the same without the velocities

# Takes the next number; many threads may do so at once
ctypedef Py_ssize_t (*take_hook)(Py_ssize_t *counter) noexcept nogil

# Episodes of networks with a cart.  Threads share them by the counter: each takes the next one.
ctypedef struct Episodes:
    int task                        # of PoleTask
    bint is_damped                  # see values
    Py_ssize_t n_steps              # at most, of each
    Py_ssize_t n_episodes
    # Of episode i is number i network_stride, and the start is at starts + i start_stride
    const Graph **graphs
    const void **parameters         # with slack
    Py_ssize_t network_stride       # 1, or 0 where all have the same network
    const double *starts
    Py_ssize_t start_stride
    # (n_episodes,): steps before the one that failed, which CART_POLE counts too; or the damping
    # fitness
    double *values
    # (n_steps + 1, n) for the states after each step of a single episode, or NULL
    double *path
    take_hook take
    Py_ssize_t *next                # what take counts: 0 at first

# Planar arms with the same links, see arm.pxi.  Nothing in it is read or written with slack.
ctypedef struct Arms:
    Py_ssize_t n_arms
    Py_ssize_t n_links
    Py_ssize_t n_epochs             # at most
    const double *lengths           # (n_links,)
    double *angles                  # (n_arms, n_links): changed, but for no epoch
    # Of arm i: the height of its base at bases + i base_stride, its target at
    # targets + i target_stride, one number or, where they are points, two
    const double *bases
    const double *targets
    Py_ssize_t base_stride
    Py_ssize_t target_stride
    bint are_points
    double learning_rate
    double tolerance                # an arm rests where its error is no larger; -1: none does
    # (n_links,) the least and the largest angle of each link, which no start is beyond, or NULL
    const double *lower
    const double *upper
    double *pose                    # (n_arms, n_links): heights in the end
    double *errors                  # (n_arms,): height less target, or the distance of points
    double *epochs                  # (n_arms,): gets how many were needed, added to what is there
    # The angles after epoch k of arm i go to path + k path_stride + i n_links; or NULL
    double *path
    Py_ssize_t path_stride

ctypedef struct Kernels:
    const char *isa
    const char *dtype
    Py_ssize_t itemsize
    Py_ssize_t vector_length

    # y (n_rows, n_outputs) = f(x w + b); x (n_rows, n_inputs), w (n_inputs, n_outputs; slack),
    # b (n_outputs; slack) or NULL; f: an elementwise activation or softmax.  y may have row stride
    # n_outputs only.  scratch: matmul_scratch() bytes.
    void (*matmul)(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs, const void *x,
                   const void *w, const void *b, int activation, void *y,
                   void *scratch) noexcept nogil
    # d_w (n_inputs, n_outputs) [+]= x^T d;
    # x (n_rows, n_inputs; slack), d (n_rows, n_outputs; slack)
    void (*gradient_weights)(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs,
                             const void *x, const void *d, bint accumulate, void *d_w,
                             void *scratch) noexcept nogil
    # d_x (n_rows, n_inputs; slack) = d (n_rows, n_outputs) w^T
    void (*gradient_inputs)(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs,
                            const void *d, const void *w, void *d_x, void *scratch) noexcept nogil
    # one row: y (n_outputs; slack) = f(x w + b), w and b with slack
    void (*matvec)(Py_ssize_t n_inputs, Py_ssize_t n_outputs, const void *x, const void *w,
                   const void *b, int activation, void *y) noexcept nogil
    Py_ssize_t (*matmul_scratch)(Py_ssize_t n_rows, Py_ssize_t n_inputs,
                                 Py_ssize_t n_outputs) noexcept nogil

    # Elementwise, any length, no slack; a may be z, d may be anything but z or a.  Not for SOFTMAX.
    void (*activate)(int activation, Py_ssize_t n, const void *z, void *a) noexcept nogil
    void (*multiply_derivative)(int activation, Py_ssize_t n, const void *z, const void *a,
                                void *d) noexcept nogil
    void (*softmax)(Py_ssize_t n_rows, Py_ssize_t n, const void *z, void *a) noexcept nogil
    # d (n_rows, n) = J^T d with J the Jacobian of softmax at output a
    void (*softmax_backward)(Py_ssize_t n_rows, Py_ssize_t n, const void *a, void *d) noexcept nogil
    void (*exp)(Py_ssize_t n, const void *x, void *y) noexcept nogil
    void (*log)(Py_ssize_t n, const void *x, void *y) noexcept nogil

    # Returns sum_i w_i L_i; row_loss (n_rows,) or NULL gets L_i; d (n_rows, n) or NULL gets
    # w_i scale dL_i/d prediction.  predictions: outputs of the network; the losses that are fused
    # with softmax or sigmoid need its inputs z as well, and their d is by z.
    double (*loss)(int kind, double parameter, Py_ssize_t n, const Rows *rows, const void *z,
                   const void *predictions, double scale, void *row_loss, void *d) noexcept nogil

    # Layers that are no product, see regularization.pxi; any length, no slack.
    void (*layer_norm)(Py_ssize_t n_rows, Py_ssize_t n, const void *x, const void *gains,
                       const void *biases, double epsilon, void *z) noexcept nogil
    void (*layer_norm_backward)(Py_ssize_t n_rows, Py_ssize_t n, const void *x, const void *gains,
                                double epsilon, const void *d, bint accumulate, void *d_gains,
                                void *d_x) noexcept nogil
    void (*dropout_mask)(double rate, uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                         void *mask) noexcept nogil

    # Returns l1 sum |w| + l2 / 2 sum w^2 and adds its gradient, with sign(0) = 0, to d (n,) or NULL
    double (*penalty)(Py_ssize_t n, const void *w, double l1, double l2, void *d) noexcept nogil

    # Updates: one fused pass, any length, no slack
    void (*sgd)(Py_ssize_t n, void *parameters, const void *gradient, double learning_rate,
                double weight_decay) noexcept nogil
    void (*momentum)(Py_ssize_t n, void *parameters, const void *gradient, void *velocity,
                     double learning_rate, double momentum, bint nesterov,
                     double weight_decay) noexcept nogil
    # step: 1, 2, ...; weight_decay: that of AdamW, beside the gradient
    void (*adam)(Py_ssize_t n, void *parameters, const void *gradient, void *m, void *v,
                 int64_t step, double learning_rate, double beta1, double beta2,
                 double epsilon, double weight_decay) noexcept nogil
    # mean: NULL where not centered; velocity: NULL where there is no momentum
    void (*rmsprop)(Py_ssize_t n, void *parameters, const void *gradient, void *square, void *mean,
                    void *velocity, double learning_rate, double rho, double momentum,
                    double epsilon, double weight_decay) noexcept nogil
    void (*adagrad)(Py_ssize_t n, void *parameters, const void *gradient, void *squares,
                    double learning_rate, double epsilon, double weight_decay) noexcept nogil
    # signs: of the step before, 0 at first; lengths: of the coming step along each parameter
    void (*rprop)(Py_ssize_t n, void *parameters, const void *gradient, void *signs, void *lengths,
                  double grow, double shrink, double least, double most) noexcept nogil
    # x = min(max(x, -limit), limit); NaN stays
    void (*clamp)(Py_ssize_t n, double limit, void *x) noexcept nogil

    # Rows and reductions
    void (*gather)(Py_ssize_t n_rows, Py_ssize_t n, const void *source, const int32_t *order,
                   void *destination) noexcept nogil
    void (*column_sums)(Py_ssize_t n_rows, Py_ssize_t n, const void *x, bint accumulate,
                        void *sums) noexcept nogil
    double (*sum)(Py_ssize_t n, const void *x) noexcept nogil
    double (*dot)(Py_ssize_t n, const void *x, const void *y) noexcept nogil
    # -1 where all are finite
    Py_ssize_t (*first_nonfinite)(Py_ssize_t n, const void *x) noexcept nogil
    void (*scale)(Py_ssize_t n, double factor, void *x) noexcept nogil
    # y = x y;  y += factor x
    void (*multiply)(Py_ssize_t n, const void *x, void *y) noexcept nogil
    void (*add)(Py_ssize_t n, double factor, const void *x, void *y) noexcept nogil

    # Random streams: element i of stream (seed, stream) is a function of (seed, stream, i) only
    void (*random_bits)(uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                        uint64_t *bits) noexcept nogil
    # x in [0, 1)
    void (*uniform)(uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                    void *x) noexcept nogil
    void (*normal)(uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                   void *x) noexcept nogil
    void (*permutation)(uint64_t seed, uint64_t stream, Py_ssize_t n, int32_t *order) noexcept nogil

    # Dense networks.  parameters, gradient and scratch: slack and 64-byte alignment.
    Py_ssize_t (*rows_at_once)(const Plan *plan) noexcept nogil
    # What is called ..._scratch returns bytes.
    Py_ssize_t (*forward_scratch)(const Plan *plan, Py_ssize_t n_rows) noexcept nogil
    int (*forward)(const Plan *plan, const void *parameters, Py_ssize_t n_rows, const void *x,
                   void *y, void *scratch, Monitor *monitor) noexcept nogil
    Py_ssize_t (*gradient_scratch)(const Plan *plan, Py_ssize_t n_rows) noexcept nogil
    # *value = scale sum_i w_i L_i;  gradient (n_parameters) or NULL: of that
    int (*loss_gradient)(const Plan *plan, const void *parameters, const Loss *loss,
                         const Rows *rows, double scale, double *value, void *gradient,
                         void *scratch, Monitor *monitor) noexcept nogil
    # One row: d_parameters (n_outputs, n_parameters), d_inputs (n_outputs, n_inputs), or NULL
    Py_ssize_t (*jacobian_scratch)(const Plan *plan) noexcept nogil
    int (*jacobian)(const Plan *plan, const void *parameters, const void *x, void *d_parameters,
                    void *d_inputs, void *scratch, Monitor *monitor) noexcept nogil

    # Graphs.  parameters (n_parameters; slack); x (n_inputs,), y (n_outputs,) of one row; state:
    # graph_state() bytes, the values of all slots and what the mode needs beside them.
    # graph_prepare() makes tables that quicken graph_step: once, before there are threads.
    void (*graph_prepare)() noexcept nogil
    Py_ssize_t (*graph_state)(const Graph *graph) noexcept nogil
    void (*graph_reset)(const Graph *graph, void *state) noexcept nogil
    # One call of the mode: a whole pass (FEED_FORWARD_GRAPH), one synchronous step from the state
    # (RECURRENT_GRAPH), all steps from a blank state (TIME_STEP_GRAPH)
    void (*graph_step)(const Graph *graph, const void *parameters, const void *x, void *y,
                       void *state) noexcept nogil
    # Rows x (n_rows, n_inputs) to y (n_rows, n_outputs), each from a blank state
    Py_ssize_t (*graph_rows_scratch)(const Graph *graph) noexcept nogil
    void (*graph_rows)(const Graph *graph, const void *parameters, Py_ssize_t n_rows, const void *x,
                       void *y, void *scratch) noexcept nogil
    # Backpropagation, FEED_FORWARD_GRAPH only; the same contracts as those of dense networks.  No
    # output is a source slot; none occurs twice.
    Py_ssize_t (*graph_rows_at_once)(const Graph *graph) noexcept nogil
    Py_ssize_t (*graph_gradient_scratch)(const Graph *graph, Py_ssize_t n_rows) noexcept nogil
    # A parameter without an edge or a node has the gradient 0.
    int (*graph_gradient)(const Graph *graph, const void *parameters, const Loss *loss,
                          const Rows *rows, double scale, double *value, void *gradient,
                          void *scratch, Monitor *monitor) noexcept nogil
    Py_ssize_t (*graph_jacobian_scratch)(const Graph *graph) noexcept nogil
    void (*graph_jacobian)(const Graph *graph, const void *parameters, const void *x,
                           void *d_parameters, void *d_inputs, void *scratch) noexcept nogil

    # Speed of the processor: chains of multiply-adds on registers.  *sink: a factor in (0, 1) on
    # entry, the sum of the chains on return.  Returns the number of floating-point operations done.
    double (*fma_chain)(Py_ssize_t repeats, double *sink) noexcept nogil

    # Carts with poles, in float64 tables only; NULL elsewhere.  One control step of one state, in
    # place; whether it is one that has failed
    bint (*pole_step)(int task, double *state, double force) noexcept nogil
    # Episodes that are stepped at once
    Py_ssize_t (*pole_lanes)() noexcept nogil
    # All that are not taken yet.  networks: the kernels of the networks' precision; states:
    # pole_lanes() of network_bytes each, a multiple of ALIGNMENT and at least graph_state().
    # monitor: or NULL
    int (*pole_episodes)(Episodes *episodes, const Kernels *networks, void *network_states,
                         Py_ssize_t network_bytes, Monitor *monitor) noexcept nogil

    # Descent of planar arms, in float64 tables only; NULL elsewhere.  scratch: 3 n_links vectors
    void (*arms_descend)(const Arms *arms, double *scratch) noexcept nogil
