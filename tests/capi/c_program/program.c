/* A program that has Python in it, linked to the library of fastnet: what it computes, bit by bit,
 * and that no function does harm where there is no interpreter yet, or no longer.
 *
 * program NETWORK GENOME: files of net.save() (3 inputs, 2 outputs, float64) and genome.to_json()
 * (2 inputs, 2 outputs). */
#include <Python.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastnet.h"

enum { THREADS = 4, ROWS = 5, STEPS = 6, REPEATS = 200 };

static const double x[ROWS * 3] = {0.5, -1, 2, 1, 1, 1, 0, -0.25, 3, -2, 0.125, 1, 4, 2, -3};
static const double targets[ROWS * 2] = {1, 0, -1, 0.5, 0, 0, 2, 1, -0.5, 0.25};
static fn_net *net;
static fn_graph *graph;

typedef struct {
    double y[ROWS * 2], value, gradient[64], steps[STEPS * 2];
} results;

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}
#define CHECK(condition) check(condition, #condition)

static char *content(const char *path, size_t *n_bytes) {
    FILE *file = fopen(path, "rb");
    char *data = malloc(1 << 16);
    CHECK(file && data);
    *n_bytes = fread(data, 1, 1 << 16, file);
    fclose(file);
    return data;
}

static void show(const double *values, size_t n) {
    size_t i;
    for (i = 0; i < n; i++) printf("%a ", values[i]);
    printf("\n");
}

/* With nothing of the interpreter but references, and a clone of the graph. */
static void *work(void *result) {
    results *r = result;
    fn_workspace *scratch = fn_workspace_new(fn_workspace_size(net, ROWS, 1));
    fn_graph *own;
    int i, k;
    for (k = 0; k < REPEATS; k++) {
        CHECK(fn_net_retain(net) == net);
        CHECK(fn_forward_f64(net, scratch, ROWS, x, r->y) == FN_OK);
        CHECK(fn_loss_and_gradient_f64(net, scratch, fn_loss_id("squared_error"), ROWS, x, targets,
                                       &r->value, r->gradient) == FN_OK);
        fn_net_release(net);
        own = fn_graph_clone(graph);
        for (i = 0; i < STEPS; i++) CHECK(fn_activate(own, x + i, r->steps + 2 * i) == FN_OK);
        fn_graph_release(own);
    }
    fn_workspace_free(scratch);
    return NULL;
}

static void without_interpreter(const void *file, size_t n_bytes) {
    int status = 99;
    CHECK(!fn_net_from_memory(file, n_bytes, &status) && status == FN_ERROR_UNSUPPORTED);
    status = 99;
    CHECK(!fn_graph_from_memory(file, n_bytes, &status) && status == FN_ERROR_UNSUPPORTED);
    CHECK(!fn_graph_clone(graph));
    CHECK(fn_net_retain(net) == net);
    fn_net_release(net);
    fn_graph_release(graph);
    CHECK(strcmp(fn_status_message(FN_OK), "no error") == 0 && fn_loss_id("hinge") >= 0);
}

int main(int argc, char **argv) {
    static results r[THREADS];
    pthread_t threads[THREADS];
    PyThreadState *state;
    fn_workspace *scratch;
    const fn_api *fn;
    char *file, *text;
    size_t n_bytes, n_text;
    int i, status;
    CHECK(argc == 3);
    file = content(argv[1], &n_bytes);
    text = content(argv[2], &n_text);

    without_interpreter(file, n_bytes);
    Py_InitializeEx(0);
    /* nothing of fastnet is imported yet */
    CHECK(!fn_net_from_object(Py_None) && PyErr_ExceptionMatches(PyExc_TypeError));
    PyErr_Clear();
    CHECK(!fn_graph_from_object(NULL) && PyErr_ExceptionMatches(PyExc_TypeError));
    PyErr_Clear();
    fn = fn_import_api();
    CHECK(fn && fn->abi_version == FN_ABI_VERSION && fn->forward_f64 == fn_forward_f64);
    /* with the interpreter's lock, and without */
    CHECK(!fn_net_from_memory(text, n_text, &status) && status == FN_ERROR_FORMAT);
    state = PyEval_SaveThread();
    net = fn_net_from_memory(file, n_bytes, &status);
    CHECK(net && status == FN_OK);
    graph = fn_graph_from_memory(text, n_text, &status);
    CHECK(graph && status == FN_OK);
    CHECK(fn_net_n_inputs(net) == 3 && fn_net_n_outputs(net) == 2);
    CHECK(fn_net_n_parameters(net) <= 64 && fn_net_dtype(net) == FN_FLOAT64);
    for (i = 0; i < THREADS; i++) CHECK(!pthread_create(threads + i, NULL, work, r + i));
    for (i = 0; i < THREADS; i++) {
        CHECK(!pthread_join(threads[i], NULL));
        CHECK(memcmp(r, r + i, sizeof(*r)) == 0);
    }
    PyEval_RestoreThread(state);
    CHECK(Py_FinalizeEx() == 0);

    without_interpreter(file, n_bytes);
    /* what was never released is still there */
    scratch = fn_workspace_new(fn_workspace_size(net, ROWS, 0));
    CHECK(fn_forward_f64(net, scratch, ROWS, x, r[1].y) == FN_OK);
    fn_workspace_free(scratch);
    CHECK(fn_graph_reset(graph) == FN_OK);
    for (i = 0; i < STEPS; i++) CHECK(fn_activate(graph, x + i, r[1].steps + 2 * i) == FN_OK);
    CHECK(memcmp(r, r + 1, sizeof(*r)) == 0);
    show(r->y, ROWS * 2);
    show(&r->value, 1);
    show(r->gradient, fn_net_n_parameters(net));
    show(r->steps, STEPS * 2);
    free(file);
    free(text);
    return 0;
}
