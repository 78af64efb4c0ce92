/* The floating-point control register of this thread: read, write, and the bits that flush
 * denormals to zero. */
#ifndef FASTNET_FENV_MODE_H
#define FASTNET_FENV_MODE_H

#include <stdint.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
static inline unsigned fn_get_mode(void) { return _mm_getcsr(); }
static inline void fn_set_mode(unsigned mode) { _mm_setcsr(mode); }
#define FN_FLUSH 0x8040u /* results to zero, and operands are zero */
#elif defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))
static inline unsigned fn_get_mode(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return (unsigned)mode;
}
static inline void fn_set_mode(unsigned mode) {
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)mode));
}
#define FN_FLUSH (1u << 24)
#else
static inline unsigned fn_get_mode(void) { return 0; }
static inline void fn_set_mode(unsigned mode) { (void)mode; }
#define FN_FLUSH 0u
#endif

#endif
