/* What the processor can do, and what time it is. */
#ifndef FASTNET_PROCESSOR_H
#define FASTNET_PROCESSOR_H

/* 0: what every processor of this kind has, 1: AVX2 and FMA (x86-64-v3), 2: AVX-512 (x86-64-v4) */
#if defined(_M_X64) && defined(_MSC_VER)
/* The linker of Visual Studio does not have what __builtin_cpu_supports of clang-cl calls. */
#include <immintrin.h>
#include <intrin.h>
#if defined(__clang__)
__attribute__((target("xsave")))
#endif
static unsigned long long fn_saved_registers(void) { return _xgetbv(0); }
static int fn_has(unsigned value, unsigned bits) { return (value & bits) == bits; }
static int fn_processor_level(void) {
    int leaf[4]; /* eax, ebx, ecx, edx */
    unsigned features, saved;
    __cpuid(leaf, 0);
    if (leaf[0] < 7) return 0;
    __cpuid(leaf, 1);
    /* FMA, MOVBE, OSXSAVE, AVX, F16C */
    if (!fn_has((unsigned)leaf[2], 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29)) return 0;
    saved = (unsigned)fn_saved_registers();
    __cpuidex(leaf, 7, 0);
    features = (unsigned)leaf[1];
    __cpuid(leaf, (int)0x80000001u);
    /* xmm, ymm; BMI, AVX2, BMI2; LZCNT */
    if (!fn_has(saved, 0x06) || !fn_has(features, 1u << 3 | 1u << 5 | 1u << 8) ||
        !fn_has((unsigned)leaf[2], 1u << 5))
        return 0;
    /* masks, zmm; F, DQ, CD, BW, VL */
    return fn_has(saved, 0xe6) &&
                   fn_has(features, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31)
               ? 2
               : 1;
}
#elif defined(__x86_64__)
static int fn_processor_level(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512cd"))
        return 2;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
#else
static int fn_processor_level(void) { return 0; }
#endif

#if defined(_WIN32)
#include <windows.h>
static double fn_monotonic_seconds(void) {
    LARGE_INTEGER ticks, ticks_per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&ticks_per_second);
    return (double)ticks.QuadPart / (double)ticks_per_second.QuadPart;
}
#else
#include <time.h>
static double fn_monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
#endif

#endif
