// Schloegl's reactions as a textbook writes Gillespie's direct method: four channels, two random numbers per event.
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline double draw(uint64_t *s) {
    uint64_t u = s[0], v = s[1];
    s[0] = v;
    u ^= u << 23;
    s[1] = u ^ v ^ (u >> 17) ^ (v >> 26);
    return ((s[1] + v) >> 11) * (1.0 / 9007199254740992.0);
}

double gillespie(double x, double duration, uint64_t *state, double *events) {
    uint64_t s[2] = {state[0], state[1]};
    double time = 0, count = 0;
    for (;;) {
        double a1 = .015 * x * (x - 1), a2 = 1e-4 / 6 * x * (x - 1) * (x - 2), a3 = 200, a4 = 3.5 * x;
        double total = a1 + a2 + a3 + a4;
        time -= log(1 - draw(s)) / total;
        if (time > duration) break;
        double u = draw(s) * total;
        if (u < a1) x += 1;
        else if (u < a1 + a2) x -= 1;
        else if (u < a1 + a2 + a3) x += 1;
        else x -= 1;
        count++;
    }
    state[0] = s[0], state[1] = s[1];
    *events = count;
    return x;
}

// The same with the tricks of mfexplore.families.birth_death: reactions of equal jump merged, rates from tables.
double by_tables(double x, double duration, const double *mean_wait, const double *share_up, uint64_t *state,
                 double *events) {
    uint64_t s[2] = {state[0], state[1]};
    double time = 0, count = 0;
    long n = x;
    for (;;) {
        time -= log(1 - draw(s)) * mean_wait[n];
        if (time > duration) break;
        n += draw(s) < share_up[n] ? 1 : -1;
        count++;
    }
    state[0] = s[0], state[1] = s[1];
    *events = count;
    return n;
}

// Trajectories in lockstep, one to a SIMD lane, with the arithmetic of mfexplore.families.birth_death.simulate_many. At
// least LANES of them.
enum { LANES = 128 };

static inline double number_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

static inline uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

double lockstep(long count, double *population, double duration, const double *birth, const double *death,
                uint64_t *states) {
    double b0 = birth[0], b1 = birth[1], b2 = birth[2], b3 = birth[3];
    double a0 = b0 + death[0], a1 = b1 + death[1], a2 = b2 + death[2], a3 = b3 + death[3];
    double state[LANES], time[LANES] = {0}, events[LANES] = {0}, all = 0;
    uint64_t first[LANES], second[LANES];
    long running[LANES], begun = LANES, ended = 0;
    for (long j = 0; j < LANES; j++) {
        first[j] = states[2 * j], second[j] = states[2 * j + 1];
        state[j] = population[j], running[j] = j;
    }
    while (ended < count) {
        for (int t = 0; t < 16; t++)
            for (long j = 0; j < LANES; j++) {
                uint64_t x = first[j], y = second[j], word = x + y;
                y ^= x;
                first[j] = (x << 24 | x >> 40) ^ y ^ y << 16;
                second[j] = y << 37 | y >> 27;
                double n = state[j];
                double up = ((b3 * n + b2) * n + b1) * n + b0, total = ((a3 * n + a2) * n + a1) * n + a0;
                uint64_t bits = bits_of(number_of((word >> 32 | 1) | 0x4330000000000000u) - 4503599627370496.0);
                double power = number_of(bits >> 52 | 0x4330000000000000u) - 4503599627371551.0;
                double m = number_of((bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u), below = m + 1.4142135623730951;
                double inverse = 1 / (below * total), z = (m - 1.4142135623730951) * total * inverse, q = z * z;
                double series = 1.0000000000041798 + q * 0.3333333262374347 +
                                q * q * (0.20000192336246458 + q * 0.14267525515171015 + q * q * 0.1180817962218298);
                double wait = -(power * 0.6931471805599453 + 0.34657359027997264 + 2 * z * series) * (below * inverse);
                time[j] += wait;
                double alive = time[j] <= duration ? 1.0 : 0.0;
                double pick = (number_of((word & 0xFFFFFFFFu) | 0x4330000000000000u) - 4503599627370496.0) *
                              2.3283064365386963e-10 * total;
                state[j] = n + (pick < up ? alive : -alive);
                events[j] += alive;
            }
        for (long j = 0; j < LANES; j++)
            if (time[j] > duration && running[j] >= 0) {
                population[running[j]] = state[j];
                ended++;
                running[j] = begun < count ? begun : -1;
                if (begun < count) state[j] = population[begun++], time[j] = 0;
            }
    }
    for (long j = 0; j < LANES; j++) all += events[j];
    return all;
}
