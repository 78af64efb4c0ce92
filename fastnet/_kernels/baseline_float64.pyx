ctypedef double real
include "kernels.pxi"
include "poles.pxi"
include "arm.pxi"
