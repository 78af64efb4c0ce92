/* A program without Python and fastnet: digits from the standard input through digits_network.c. */
#define digits_DECLARATIONS_ONLY
#include "digits_network.c"
#include "rows.h"

int main(void) {
    float row[digits_N_INPUTS + 1], y[digits_N_OUTPUTS];    /* 64 pixels and what digit it is */
    int n = 0, n_right = 0, more;
    if (digits_self_test() != 0) {
        fputs("this processor or compiler computes something else\n", stderr);
        return 1;
    }
    while ((more = read_row(stdin, row, digits_N_INPUTS + 1)) == 1) {
        int guess = 0;
        digits_predict(row, y);
        for (int k = 1; k < digits_N_OUTPUTS; k++)
            if (y[k] > y[guess]) guess = k;
        n++;
        n_right += guess == (int)row[digits_N_INPUTS];
    }
    if (more < 0) {
        fprintf(stderr, "row %d has not %d numbers\n", n + 1, digits_N_INPUTS + 1);
        return 1;
    }
    printf("in plain C: %d of %d digits right\n", n_right, n);
    return 0;
}
