/* Rows of numbers with commas between them. */
#include <stdio.h>

/* The first n numbers of the next line: 1, or 0 at the end of the file, -1 for anything else. */
static int read_row(FILE *file, float *row, size_t n) {
    int next;
    for (size_t i = 0; i < n; i++)
        if (fscanf(file, i ? " ,%f" : "%f", &row[i]) != 1) return i == 0 && feof(file) ? 0 : -1;
    do next = getc(file);
    while (next != '\n' && next != EOF);
    return 1;
}
