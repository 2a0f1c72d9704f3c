// Asynchronous dynamics of a Hopfield network over its overlaps; sites and thresholds are drawn before.
// patterns: (n, p) by neuron. The sums are over whole numbers below 2^24, so their order does not matter.
#include <stdint.h>

void overlaps_float(long p, const int8_t *patterns, float *overlaps, int8_t *spins, const int64_t *sites,
                    const double *thresholds, long updates) {
    for (long t = 0; t < updates; t++) {
        long i = sites[t];
        const int8_t *row = patterns + i * p;
        float total = 0;
        for (long k = 0; k < p; k++) total += overlaps[k] * row[k];
        int8_t old = spins[i], new = total > thresholds[t] + (double)p * old ? 1 : -1;
        if (new != old) {
            float change = new - old;
            for (long k = 0; k < p; k++) overlaps[k] += change * row[k];
            spins[i] = new;
        }
    }
}

void overlaps_short(long p, const int8_t *patterns, int16_t *overlaps, int8_t *spins, const int64_t *sites,
                    const double *thresholds, long updates) {
    for (long t = 0; t < updates; t++) {
        long i = sites[t];
        const int8_t *row = patterns + i * p;
        int32_t total = 0;
        for (long k = 0; k < p; k++) total += (int16_t)overlaps[k] * (int16_t)row[k];
        int8_t old = spins[i], new = total > thresholds[t] + (double)p * old ? 1 : -1;
        if (new != old) {
            int16_t change = new - old;
            for (long k = 0; k < p; k++) overlaps[k] += change * row[k];
            spins[i] = new;
        }
    }
}
