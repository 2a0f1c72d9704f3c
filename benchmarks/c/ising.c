// Two-dimensional Ising model: bit-lattice Metropolis, plain Metropolis, Wolff and Swendsen-Wang.
#include <stdint.h>
#include <string.h>

enum { LANES = 64 };

static inline uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// One colour of the chequerboard; site k of a row's colour is bit k / width of word k % width.
static void colour(uint64_t *restrict mine, const uint64_t *restrict other, long side, long width, int parity,
                   uint32_t three, uint32_t four, uint64_t *restrict first, uint64_t *restrict second,
                   uint64_t *restrict k3, uint64_t *restrict k4) {
    for (long i = 0; i < side; i++) {
        const uint64_t *x = mine + i * width, *same = other + i * width;
        const uint64_t *above = other + (i ? i - 1 : side - 1) * width, *below = other + (i + 1 < side ? i + 1 : 0) * width;
        uint64_t shifted[width];
        if (((i + parity) & 1) == 0) {
            shifted[0] = rotate(same[width - 1], 1);
            for (long w = 1; w < width; w++) shifted[w] = same[w - 1];
        } else {
            for (long w = 0; w < width - 1; w++) shifted[w] = same[w + 1];
            shifted[width - 1] = rotate(same[0], 63);
        }
        for (long w = 0; w < width; w++) {
            uint64_t a = ~(x[w] ^ same[w]), b = ~(x[w] ^ shifted[w]), c = ~(x[w] ^ above[w]), d = ~(x[w] ^ below[w]);
            uint64_t ab = a & b, cd = c & d, all = ab & cd;
            k4[i * width + w] = all;
            k3[i * width + w] = ((ab & (c | d)) | (cd & (a | b))) & ~all;
        }
    }
    for (long start = 0; start < side * width; start += LANES) {
        const uint64_t *t3 = k3 + start, *t4 = k4 + start;
        uint64_t undecided[LANES], flips[LANES];
        for (int j = 0; j < LANES; j++) {
            undecided[j] = t3[j] | t4[j];
            flips[j] = ~undecided[j];
        }
        for (int bit = 31; bit >= 0; bit--) {
            uint64_t bits3 = -(uint64_t)((three >> bit) & 1), bits4 = -(uint64_t)((four >> bit) & 1), any = 0;
            for (int j = 0; j < LANES; j++) {
                uint64_t x = first[j], y = second[j], word = rotate(x + y, 17) + x;
                y ^= x;
                first[j] = rotate(x, 49) ^ y ^ (y << 21);
                second[j] = rotate(y, 28);
                uint64_t wanted = (t3[j] & bits3) | (t4[j] & bits4);
                flips[j] |= undecided[j] & ~word & wanted;
                undecided[j] &= ~(word ^ wanted);
                any |= undecided[j];
            }
            if (!any) break;
        }
        for (int j = 0; j < LANES; j++) mine[start + j] ^= flips[j];
    }
}

void bit_lattice(uint64_t *even, uint64_t *odd, long side, long sweeps, long three, long four, uint64_t *state,
                 uint64_t *scratch) {
    long width = side / 128, words = side * width;
    for (long t = 0; t < sweeps; t++) {
        colour(even, odd, side, width, 0, three, four, state, state + LANES, scratch, scratch + words);
        colour(odd, even, side, width, 1, three, four, state, state + LANES, scratch, scratch + words);
    }
}

// xorshift128+
static inline uint32_t draw(uint64_t *s) {
    uint64_t x = s[0], y = s[1];
    s[0] = y;
    x ^= x << 23;
    s[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
    return (s[1] + y) >> 32;
}

void metropolis(int8_t *spins, long side, long sweeps, const uint32_t *limits, uint64_t *state) {
    uint64_t s[2] = {state[0], state[1]};
    for (long t = 0; t < sweeps; t++)
        for (int c = 0; c < 2; c++)
            for (long i = 0; i < side; i++) {
                int8_t *row = spins + i * side;
                const int8_t *above = spins + (i ? i - 1 : side - 1) * side;
                const int8_t *below = spins + (i + 1 < side ? i + 1 : 0) * side;
                for (long j = (i + c) & 1; j < side; j += 2) {
                    int h = above[j] + below[j] + row[j ? j - 1 : side - 1] + row[j + 1 < side ? j + 1 : 0];
                    row[j] = draw(s) < limits[(row[j] * h + 4) >> 1] ? -row[j] : row[j];
                }
            }
    memcpy(state, s, sizeof s);
}

static inline void neighbours(int32_t site, int32_t side, int32_t sites, int32_t *found) {
    int32_t row = site / side, column = site - row * side;
    found[0] = row ? site - side : site + sites - side;
    found[1] = row < side - 1 ? site + side : site - sites + side;
    found[2] = column ? site - 1 : site + side - 1;
    found[3] = column < side - 1 ? site + 1 : site - side + 1;
}

long wolff(int8_t *spins, long side, long clusters, double probability, uint64_t *state, int32_t *stack) {
    uint64_t s[2] = {state[0], state[1]}, limit = probability * 4294967296.0;
    int32_t sites = side * side;
    long turned = 0;
    for (long c = 0; c < clusters; c++) {
        int32_t site = ((uint64_t)draw(s) * sites) >> 32, around[4];
        int8_t old = spins[site];
        spins[site] = -old;
        stack[0] = site;
        for (long height = 1; height > 0;) {
            site = stack[--height];
            turned++;
            neighbours(site, side, sites, around);
            for (int k = 0; k < 4; k++)
                if (spins[around[k]] == old && draw(s) < limit) {
                    spins[around[k]] = -old;
                    stack[height++] = around[k];
                }
        }
    }
    memcpy(state, s, sizeof s);
    return turned;
}

static inline int32_t root(int32_t *parent, int32_t site) {
    while (parent[site] != site) site = parent[site] = parent[parent[site]];
    return site;
}

void swendsen_wang(int8_t *spins, long side, long updates, double probability, uint64_t *state, int32_t *parent) {
    uint64_t s[2] = {state[0], state[1]}, limit = probability * 4294967296.0;
    int32_t sites = side * side;
    for (long t = 0; t < updates; t++) {
        for (int32_t i = 0; i < sites; i++) parent[i] = i;
        for (int32_t row = 0, i = 0; row < side; row++)
            for (int32_t column = 0; column < side; column++, i++) {
                int32_t right = column < side - 1 ? i + 1 : i - (int32_t)side + 1;
                int32_t below = row < side - 1 ? i + (int32_t)side : i - sites + (int32_t)side;
                int32_t others[2] = {right, below};
                for (int k = 0; k < 2; k++)
                    if (spins[others[k]] == spins[i] && draw(s) < limit) {
                        int32_t a = root(parent, i), b = root(parent, others[k]);
                        if (a < b) parent[b] = a;
                        else parent[a] = b;
                    }
            }
        for (int32_t i = 0; i < sites; i++) { // roots have the lowest number of their cluster
            int32_t r = parent[i] == i ? i : (parent[i] = parent[parent[i]]);
            spins[i] = r == i ? (draw(s) >> 31 ? 1 : -1) : spins[r];
        }
    }
    memcpy(state, s, sizeof s);
}
