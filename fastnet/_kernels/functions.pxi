# Elementary functions on vectors.

cdef inline vf vexp(vf x) noexcept nogil:
    return x


cdef extern from *:
    """
    FN_OP vf fn_stub_log(vf x) { fn_real l[VL]; vstore(l, x); for (int i = 0; i < VL; i++) l[i] = FN_PICK(logf, log)(l[i]); return vload(l); }
    FN_OP vf fn_stub_sin(vf x) { fn_real l[VL]; vstore(l, x); for (int i = 0; i < VL; i++) l[i] = sin(6.283185307179586 * l[i]); return vload(l); }
    FN_OP vf fn_stub_cos(vf x) { fn_real l[VL]; vstore(l, x); for (int i = 0; i < VL; i++) l[i] = cos(6.283185307179586 * l[i]); return vload(l); }
    """
    vf vlog "fn_stub_log"(vf x) noexcept nogil
    vf vsin_turns "fn_stub_sin"(vf x) noexcept nogil
    vf vcos_turns "fn_stub_cos"(vf x) noexcept nogil
