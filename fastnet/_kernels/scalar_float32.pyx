ctypedef float real
include "kernels.pxi"
