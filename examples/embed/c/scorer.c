/* A module for Python: the rows of a file through a network, with nothing of Python in the loop. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fastnet.h>
#include <stdlib.h>

#include "rows.h"

enum { BLOCK = 64 };            /* rows that the network gets at once */
enum { BAD_ROW = 1 };           /* beside the negative fn_status */

static const fn_api *fn;

/* Adds to *n_rows; FN_OK, BAD_ROW or what fastnet said. */
static int score_rows(const fn_net *net, FILE *rows, FILE *scores, long *n_rows) {
    size_t n_inputs = fn->net_n_inputs(net), n_outputs = fn->net_n_outputs(net);
    fn_workspace *work = fn->workspace_new(fn->workspace_size(net, BLOCK, 0));
    float *x = malloc(BLOCK * n_inputs * sizeof(float));
    float *y = malloc(BLOCK * n_outputs * sizeof(float));
    int status = work && x && y ? FN_OK : FN_ERROR_MEMORY, more = 1;
    while (status == FN_OK && more == 1) {
        size_t n = 0;
        while (n < BLOCK && (more = read_row(rows, x + n * n_inputs, n_inputs)) == 1) n++;
        status = fn->forward_f32(net, work, n, x, y);
        for (size_t i = 0; status == FN_OK && i < n * n_outputs; i++)
            fprintf(scores, "%.9g%c", (double)y[i], (i + 1) % n_outputs ? ',' : '\n');
        *n_rows += (long)n;
    }
    free(y);
    free(x);
    fn->workspace_free(work);
    return status == FN_OK && more < 0 ? BAD_ROW : status;
}

static PyObject *score(PyObject *module, PyObject *arguments) {
    const char *content, *rows_path, *scores_path;
    Py_ssize_t n_bytes;
    FILE *rows = NULL, *scores = NULL;
    fn_net *net;
    long n_rows = 0;
    int status;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#ss:score", &content, &n_bytes, &rows_path, &scores_path))
        return NULL;
    net = fn->net_from_memory(content, (size_t)n_bytes, &status);
    if (!net) return PyErr_Format(PyExc_ValueError, "model: %s", fn->status_message(status));
    if (!(rows = fopen(rows_path, "r")))
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, rows_path);
    else if (!(scores = fopen(scores_path, "w")))
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, scores_path);
    else {
        Py_BEGIN_ALLOW_THREADS
        status = score_rows(net, rows, scores, &n_rows);
        Py_END_ALLOW_THREADS
        if (status == BAD_ROW)
            PyErr_Format(PyExc_ValueError, "%s: row %ld has not %zu numbers", rows_path, n_rows + 1,
                         fn->net_n_inputs(net));
        else if (status != FN_OK)
            PyErr_SetString(PyExc_ValueError, fn->status_message(status));
    }
    if (rows) fclose(rows);
    if (scores && fclose(scores) && !PyErr_Occurred())
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, scores_path);
    fn->net_release(net);
    return PyErr_Occurred() ? NULL : PyLong_FromLong(n_rows);
}

static PyMethodDef functions[] = {
    {"score", score, METH_VARARGS,
     "score(model, rows, scores): how many rows of numbers of the file rows went through the\n"
     "network that the bytes of the file model are, in float32; its outputs go to scores."},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "scorer", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_scorer(void) {
    fn = fn_import_api();
    return fn ? PyModule_Create(&definition) : NULL;
}
