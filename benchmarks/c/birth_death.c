// Schloegl's reactions as a textbook writes Gillespie's direct method: four channels, two random numbers per event.
#include <math.h>
#include <stdint.h>

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

// The same with the tricks of mfexplore.numerics.birth_death: reactions of equal jump merged, rates from tables.
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
