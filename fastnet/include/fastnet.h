/* fastnet.h: networks for C, C++, Cython, numba or whatever calls a C function.  C99 and C++17.
 *
 * Three ways to the same functions, for code in a process that runs Python:
 *   C and C++     const fn_api *fn = fn_import_api();   fn->forward_f32(...)  (after Python.h)
 *   Cython        from fastnet.capi cimport fn_net, fn_forward_f32            (all names, nogil)
 *   ctypes, cffi  symbols of the shared library fastnet.get_library(), to load, on Linux also to
 *   and numba     link; fastnet.capi.fn_forward_f32 and so on, with their argument types
 *
 * Rules.  Functions that return int give FN_OK or a negative fn_status; where they give an error,
 * what they would have written is untouched.  NULL is always detected.  Arrays are C-contiguous,
 * row-major and naturally aligned; outputs come last and must not overlap inputs.  NaN and infinity
 * propagate.
 *
 * Threads.  What each function asks of its callers:
 *   (shared)       any number of threads at once, with the same handles too.  Nothing of an fn_net
 *                  is ever written; nobody may change the parameters of its network meanwhile
 *   (owned)        the fn_graph or the fn_workspace is in use by this thread alone; any number of
 *                  threads at once with others, of the same network too
 *   (hot)          neither allocates nor locks nor calls the system nor needs the interpreter, like
 *                  all that say a size
 *   (interpreter)  takes the interpreter's lock by itself, whether or not the thread has it, so it
 *                  waits for whoever holds it; before there is an interpreter and once it has ended
 *                  it does nothing and gives an error
 * Networks and graphs are objects of Python, and a reference keeps them.  Nothing raises or prints
 * but the two ..._from_object, which are called with the lock held. */
#ifndef FASTNET_H
#define FASTNET_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(FN_BUILD)
#define FN_EXPORT __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define FN_EXPORT __attribute__((visibility("default")))
#else
#define FN_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FN_ABI_VERSION 1

typedef struct fn_net fn_net;               /* a dense network */
typedef struct fn_graph fn_graph;           /* an evolved network with the values of its nodes */
typedef struct fn_workspace fn_workspace;   /* scratch of any network that it is enough for */

enum fn_status {
    FN_OK = 0,
    FN_ERROR_NULL = -1,                 /* a handle or an array is NULL */
    FN_ERROR_DTYPE = -2,                /* the network has the other precision */
    FN_ERROR_SIZE = -3,                 /* more rows than memory could hold, or none to average */
    FN_ERROR_WORKSPACE = -4,            /* the workspace is too small for so many rows */
    FN_ERROR_FORMAT = -5,               /* no file of a network, or a damaged one */
    FN_ERROR_MEMORY = -6,               /* no memory */
    FN_ERROR_UNSUPPORTED = -7           /* not with this network, or without an interpreter */
};

enum fn_dtype {
    FN_FLOAT32 = 0,
    FN_FLOAT64 = 1
};

enum fn_mode {
    FN_FEED_FORWARD = 0,
    FN_RECURRENT = 1,                   /* node values are kept from one call to the next */
    FN_TIME_STEP = 2
};

/* What a status means, in English: static text, never NULL.  (shared) */
FN_EXPORT const char *fn_status_message(int status);

/* ---- dense networks ---- */

/* Of a fastnet.Network, given as its PyObject *, with the interpreter's lock held.  Later changes
 * of its parameters are seen.  The reference is the caller's, to release.  NULL with an exception
 * set for another object, and for activations that are functions of Python.  net.ctypes.address is
 * the same handle, without a reference. */
FN_EXPORT fn_net *fn_net_from_object(void *network);

/* Of the content of a file that net.save() wrote, checked like one that fastnet.load() reads; the
 * bytes are copied.  The reference is the caller's.  NULL on an error, which status gets unless it
 * is NULL.  (shared, interpreter) */
FN_EXPORT fn_net *fn_net_from_memory(const void *data, size_t n_bytes, int *status);

/* One reference more, and one less; NULL is allowed.  Retain returns net.  Only the first reference
 * to a network and the last one are matters of the interpreter.  Nobody may release what was not
 * retained, such as net.ctypes.address.  (shared; the first of all and the last: interpreter) */
FN_EXPORT fn_net *fn_net_retain(fn_net *net);
FN_EXPORT void fn_net_release(fn_net *net);

/* Sizes and precision.  (shared) */
FN_EXPORT size_t fn_net_n_inputs(const fn_net *net);            /* 0 for NULL */
FN_EXPORT size_t fn_net_n_outputs(const fn_net *net);           /* 0 for NULL */
FN_EXPORT size_t fn_net_n_parameters(const fn_net *net);        /* 0 for NULL */
FN_EXPORT int fn_net_dtype(const fn_net *net);                  /* an fn_dtype, or FN_ERROR_NULL */

/* Bytes of scratch that n_rows rows or fewer need: for forward where gradient is 0, otherwise for
 * loss_and_gradient as well.  0 for NULL and for more rows than memory could hold.  (shared) */
FN_EXPORT size_t fn_workspace_size(const fn_net *net, size_t n_rows, int gradient);

/* NULL where there is no memory.  (shared) */
FN_EXPORT fn_workspace *fn_workspace_new(size_t n_bytes);

/* In memory of the caller, at any address; goes with that memory and is never freed.  NULL where
 * n_bytes is less than fn_workspace_overhead(), which is what it takes beside the scratch.
 * (shared, with other memory) */
FN_EXPORT fn_workspace *fn_workspace_place(void *memory, size_t n_bytes);
FN_EXPORT size_t fn_workspace_overhead(void);

/* Of what fn_workspace_new gave; NULL is allowed.  (owned) */
FN_EXPORT void fn_workspace_free(fn_workspace *work);

/* Rows x (n_rows, n_inputs) -> y (n_rows, n_outputs), with the bits of net(x): of one row for
 * n_rows = 1, else of net(X).  n_rows = 0 is FN_OK.  (owned, hot) */
FN_EXPORT int fn_forward_f32(const fn_net *net, fn_workspace *work, size_t n_rows, const float *x,
                             float *y);
FN_EXPORT int fn_forward_f64(const fn_net *net, fn_workspace *work, size_t n_rows, const double *x,
                             double *y);

/* The number of a loss of fastnet.losses.names(), "huber" and "quantile" with the parameters that
 * the plain names stand for; FN_ERROR_UNSUPPORTED for any other name.  (shared, hot) */
FN_EXPORT int fn_loss_id(const char *name);

/* The mean of the loss over the rows x (n_rows, n_inputs), with targets (n_rows, n_outputs), and
 * its gradient (n_parameters), laid out as net.parameters.  FN_ERROR_UNSUPPORTED where the loss is
 * unknown, or is fused with another output activation than the network has, or a derivative is a
 * function of Python.  What a loss asks of its targets is not checked.  (owned, hot) */
FN_EXPORT int fn_loss_and_gradient_f32(const fn_net *net, fn_workspace *work, int loss,
                                       size_t n_rows, const float *x, const float *targets,
                                       float *value, float *gradient);
FN_EXPORT int fn_loss_and_gradient_f64(const fn_net *net, fn_workspace *work, int loss,
                                       size_t n_rows, const double *x, const double *targets,
                                       double *value, double *gradient);

/* ---- evolved networks ---- */

/* Of a fastnet.neat.Network, given as its PyObject *, with the interpreter's lock held: a copy of
 * its parameters, and node values of its own.  The reference is the caller's.  NULL with an
 * exception set for another object.  network.ctypes.address is a handle of the network itself, with
 * its parameters and its node values, and without a reference. */
FN_EXPORT fn_graph *fn_graph_from_object(void *network);

/* Of genome.to_json() in UTF-8; otherwise as fn_net_from_memory.  (shared, interpreter) */
FN_EXPORT fn_graph *fn_graph_from_memory(const void *json, size_t n_bytes, int *status);

/* The same parameters, and node values of its own, all 0.  The reference is the caller's.  NULL
 * where there is no memory, and for the graph that a task gets.  (owned, interpreter) */
FN_EXPORT fn_graph *fn_graph_clone(const fn_graph *graph);

/* Of what the three above gave.  NULL is allowed.  (owned, interpreter) */
FN_EXPORT void fn_graph_release(fn_graph *graph);

/* Sizes.  (shared) */
FN_EXPORT size_t fn_graph_n_inputs(const fn_graph *graph);      /* 0 for NULL */
FN_EXPORT size_t fn_graph_n_outputs(const fn_graph *graph);     /* 0 for NULL */

/* An fn_mode, or FN_ERROR_NULL.  A time_step network without a cycle may say FN_FEED_FORWARD: the
 * values are the same.  (shared) */
FN_EXPORT int fn_graph_mode(const fn_graph *graph);

/* All node values 0, as before the first step; matters to recurrent networks.  (owned, hot) */
FN_EXPORT int fn_graph_reset(fn_graph *graph);

/* One row x (n_inputs) -> y (n_outputs), with the bits of network.step(x): a recurrent network
 * makes one synchronous step from the values that the last one left; the other modes have no
 * memory.  (owned, hot) */
FN_EXPORT int fn_activate(fn_graph *graph, const double *x, double *y);

/* Rows x (n_rows, n_inputs) -> y (n_rows, n_outputs).  Recurrent: successive steps, as n_rows calls
 * of fn_activate.  Other modes: all rows at once, much faster than one by one, with the bits of
 * network(X), the last of which may differ from fn_activate.  n_rows = 0 is FN_OK.
 * (owned, hot) */
FN_EXPORT int fn_activate_rows(fn_graph *graph, size_t n_rows, const double *x, double *y);

/* ---- functions that fastnet calls ---- */

/* For fastnet.neat.tasks.native: the fitness of one network, a number or -infinity, higher is
 * better.  It runs without the interpreter, in several threads at once with different graphs and
 * the same user_data.  The graph is reset before the call and ends with it.  seed: of whatever it
 * draws at random.  A capsule with such a function is named
 * "double (fn_graph *, uint64_t, void *)". */
typedef double (*fn_task)(fn_graph *graph, uint64_t seed, void *user_data);

/* ---- the table ---- */

/* The table in the capsule "fastnet._capi".  Later versions append to it. */
typedef struct fn_api {
    uint32_t abi_version;       /* the library's FN_ABI_VERSION; must be at least the caller's */
    uint32_t struct_size;       /* the library's sizeof(fn_api); nothing is there beyond it */
    const char *(*status_message)(int status);
    size_t (*graph_n_inputs)(const fn_graph *graph);
    size_t (*graph_n_outputs)(const fn_graph *graph);
    int (*graph_mode)(const fn_graph *graph);
    int (*graph_reset)(fn_graph *graph);
    int (*activate)(fn_graph *graph, const double *x, double *y);
    int (*activate_rows)(fn_graph *graph, size_t n_rows, const double *x, double *y);
    fn_net *(*net_from_object)(void *network);
    fn_net *(*net_from_memory)(const void *data, size_t n_bytes, int *status);
    fn_net *(*net_retain)(fn_net *net);
    void (*net_release)(fn_net *net);
    size_t (*net_n_inputs)(const fn_net *net);
    size_t (*net_n_outputs)(const fn_net *net);
    size_t (*net_n_parameters)(const fn_net *net);
    int (*net_dtype)(const fn_net *net);
    size_t (*workspace_size)(const fn_net *net, size_t n_rows, int gradient);
    fn_workspace *(*workspace_new)(size_t n_bytes);
    fn_workspace *(*workspace_place)(void *memory, size_t n_bytes);
    size_t (*workspace_overhead)(void);
    void (*workspace_free)(fn_workspace *work);
    int (*forward_f32)(const fn_net *net, fn_workspace *work, size_t n_rows, const float *x,
                       float *y);
    int (*forward_f64)(const fn_net *net, fn_workspace *work, size_t n_rows, const double *x,
                       double *y);
    int (*loss_id)(const char *name);
    int (*loss_and_gradient_f32)(const fn_net *net, fn_workspace *work, int loss, size_t n_rows,
                                 const float *x, const float *targets, float *value,
                                 float *gradient);
    int (*loss_and_gradient_f64)(const fn_net *net, fn_workspace *work, int loss, size_t n_rows,
                                 const double *x, const double *targets, double *value,
                                 double *gradient);
    fn_graph *(*graph_from_object)(void *network);
    fn_graph *(*graph_from_memory)(const void *json, size_t n_bytes, int *status);
    fn_graph *(*graph_clone)(const fn_graph *graph);
    void (*graph_release)(fn_graph *graph);
} fn_api;

#ifdef __cplusplus
}
#endif

#endif

/* Apart, for whoever includes this file before Python.h and again after it. */
#if defined(Py_PYTHON_H) && !defined(FN_HAS_IMPORT)
#define FN_HAS_IMPORT

/* The table, with the interpreter's lock held.  NULL with an exception set where fastnet is not
 * installed or older than this header. */
static inline const fn_api *fn_import_api(void) {
    const fn_api *api = (const fn_api *)PyCapsule_Import("fastnet._capi", 0);
    if (api && (api->abi_version < FN_ABI_VERSION || api->struct_size < sizeof(fn_api))) {
        PyErr_Format(PyExc_ImportError,
                     "fastnet is too old: its C interface is version %u with %u bytes, this module "
                     "was compiled for version %u with %u bytes",
                     (unsigned)api->abi_version, (unsigned)api->struct_size,
                     (unsigned)FN_ABI_VERSION, (unsigned)sizeof(fn_api));
        return NULL;
    }
    return api;
}

#endif
