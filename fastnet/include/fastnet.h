/* fastnet.h: evolved networks for C, C++, Cython, numba or whatever calls a C function.
 * C99 and C++17.
 *
 * Three ways to the same functions, for code in a process that runs Python:
 *   C and C++     const fn_api *fn = PyCapsule_Import("fastnet._capi", 0);  fn->activate(...)
 *   Cython        from fastnet.capi cimport fn_graph, fn_activate           (all names, nogil)
 *   ctypes, cffi  symbols of the shared library fastnet.get_library(), to link or to load;
 *   and numba     fastnet.capi.fn_activate and so on, with their argument types
 *
 * Rules.  Functions that return int give FN_OK or a negative fn_status; where they give an error,
 * what they would have written is untouched.  NULL is always detected.  Arrays are C-contiguous,
 * row-major and naturally aligned; outputs come last and must not overlap inputs.  Nothing here
 * raises, prints, allocates, locks or needs the interpreter. */
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

/* An evolved network with its parameters and the values of its nodes.  One thread at a time. */
typedef struct fn_graph fn_graph;

enum fn_status {
    FN_OK = 0,
    FN_ERROR_NULL = -1,                 /* a handle or an array is NULL */
    FN_ERROR_SIZE = -3                  /* more rows than memory could hold */
};

enum fn_mode {
    FN_FEED_FORWARD = 0,
    FN_RECURRENT = 1,                   /* node values are kept from one call to the next */
    FN_TIME_STEP = 2
};

/* What a status means, in English: static text, never NULL. */
FN_EXPORT const char *fn_status_message(int status);

FN_EXPORT size_t fn_graph_n_inputs(const fn_graph *graph);      /* 0 for NULL */
FN_EXPORT size_t fn_graph_n_outputs(const fn_graph *graph);     /* 0 for NULL */

/* An fn_mode, or FN_ERROR_NULL.  A time_step network without a cycle may say FN_FEED_FORWARD: the
 * values are the same. */
FN_EXPORT int fn_graph_mode(const fn_graph *graph);

/* All node values 0, as before the first step.  Matters to recurrent networks only. */
FN_EXPORT int fn_graph_reset(fn_graph *graph);

/* One row x (n_inputs) -> y (n_outputs), with the bits of network.step(x): a recurrent network
 * makes one synchronous step from the values that the last one left; the other modes have no
 * memory. */
FN_EXPORT int fn_activate(fn_graph *graph, const double *x, double *y);

/* Rows x (n_rows, n_inputs) -> y (n_rows, n_outputs).  Recurrent: successive steps, as n_rows calls
 * of fn_activate.  Other modes: all rows at once, much faster than one by one, with the bits of
 * network(X), the last of which may differ from fn_activate.  n_rows = 0 is FN_OK. */
FN_EXPORT int fn_activate_rows(fn_graph *graph, size_t n_rows, const double *x, double *y);

/* A function that fastnet calls, for fastnet.neat.tasks.native: the fitness of one network, a
 * number or -infinity, higher is better.  It runs without the interpreter, in several threads at
 * once with different graphs.  The graph is reset before the call and ends with it.  seed: of
 * whatever it draws at random.  A capsule with such a function is named
 * "double (fn_graph *, uint64_t, void *)". */
typedef double (*fn_task)(fn_graph *graph, uint64_t seed, void *user_data);

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
} fn_api;

#ifdef __cplusplus
}
#endif

#endif
