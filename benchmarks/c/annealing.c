// Sequential Metropolis of +-1 variables that are all coupled, with local fields that follow every flip. Couplings and
// fields are whole multiples of a unit.
#include <math.h>
#include <stdint.h>

#ifdef NARROW
typedef int8_t coupling;
typedef int16_t whole;
#else
typedef int16_t coupling;
typedef int32_t whole;
#endif

long anneal(long n, const coupling *rows, whole *fields, whole *spins, double unit, long sweeps,
            const double *temperatures, uint64_t *state) {
    uint64_t a = state[0], b = state[1];
    long flips = 0;
    for (long t = 0; t < sweeps; t++) {
        float beta = unit / temperatures[t];
        for (long i = 0; i < n; i++) {
            float x = 2 * beta * (float)(spins[i] * fields[i]);
            int accepted = x <= 0;
            if (!accepted && x < 22.f) {
                uint64_t u = a, v = b;
                a = v;
                u ^= u << 23;
                b = u ^ v ^ (u >> 17) ^ (v >> 26);
                accepted = ((a + b) >> 40) * (1.f / 16777216) < expf(-x);
            }
            if (!accepted) continue;
            whole change = -2 * spins[i];
            const coupling *row = rows + i * n;
            spins[i] = -spins[i];
            for (long k = 0; k < n; k++) fields[k] += change * row[k];
            flips++;
        }
    }
    state[0] = a, state[1] = b;
    return flips;
}
