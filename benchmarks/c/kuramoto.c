// Heun's method for Kuramoto oscillators with noise: the random numbers of mfexplore.numerics.chance.random and the polynomials
// of mfexplore.numerics.functions.elementary, so that the compiler has the same arithmetic to turn into SIMD.
// Not for -fassociative-math: adding and subtracting SHIFT rounds.
#include <math.h>
#include <stdint.h>
#include <string.h>

#define SHIFT 6755399441055744.0

static inline uint64_t bits_of(double x) { uint64_t b; memcpy(&b, &x, 8); return b; }
static inline double number_of(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }

static inline double uniform(uint64_t position, uint64_t index) {
    uint64_t z = position + (index + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return number_of(((z ^ (z >> 31)) >> 12) | 0x3FF0000000000000u) - 1.0;
}

static inline void sincos_of(double x, double *sine, double *cosine) {
    double shifted = x * 0.6366197723675814 + SHIFT, n = shifted - SHIFT;
    uint64_t k = bits_of(shifted);
    double r = x - n * 1.5707963267341256;
    r = r - n * 6.077100506303966e-11;
    r = r - n * 2.0222662487959506e-21;
    double z = r * r, s = z * 1.58969099521155e-10 - 2.5050760253406863e-08;
    s = s * z + 2.7557313707070068e-06;
    s = s * z - 0.0001984126982985795;
    s = s * z + 0.00833333333332249;
    s = s * z - 0.16666666666666632;
    s = r + r * z * s;
    double c = 2.0875723212981748e-09 - z * 1.1359647557788195e-11;
    c = c * z - 2.7557314351390663e-07;
    c = c * z + 2.480158728947673e-05;
    c = c * z - 0.001388888888887411;
    c = c * z + 0.0416666666666666;
    double h = 0.5 * z, w = 1.0 - h;
    c = w + (((1.0 - w) - h) + z * z * c);
    double a = k & 1 ? c : s, b = k & 1 ? s : c;
    *sine = number_of(bits_of(a) ^ ((k & 2) << 62));
    *cosine = number_of(bits_of(b) ^ (((k + 1) & 2) << 62));
}

static inline double logarithm(double x) { // of a normal number
    uint64_t bits = bits_of(x), moved = bits + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
    uint64_t power = moved >> 52; // 1023 too large
    double f = number_of(bits - (power << 52) + (1023ull << 52)) - 1.0;
    double n = number_of(power | 0x4330000000000000u) - 4503599627371519.0;
    double s = f / (2.0 + f), z = s * s, q = z * 0.1479819860511659 + 0.1531383769920937;
    q = q * z + 0.1818357216161805;
    q = q * z + 0.2222219843214978;
    q = q * z + 0.2857142874366239;
    q = q * z + 0.3999999999940942;
    q = q * z + 0.6666666666666735;
    double h = 0.5 * f * f;
    return n * 0.6931471803691238 - ((h - (s * (h + z * q) + n * 1.9082149292705877e-10)) - f);
}

void heun(double *restrict theta, const double *restrict omega, long n, double coupling, double noise, double step,
          long steps, uint64_t *stream, double *restrict sine, double *restrict cosine, double *restrict next_sine,
          double *restrict next_cosine, double *restrict kick) {
    double strength = sqrt(2 * noise * step), c = 0, s = 0;
    long half = n / 2;
    for (long i = 0; i < n; i++) c += cosine[i], s += sine[i];
    c *= coupling / n, s *= coupling / n;
    for (long t = 0; t < steps; t++) {
        uint64_t position = *stream;
        for (long i = 0; i < half; i++) {
            double radius = strength * sqrt(-2.0 * logarithm(1.0 - uniform(position, 2 * i))), a, b;
            sincos_of(6.283185307179586 * uniform(position, 2 * i + 1), &a, &b);
            kick[i] = radius * b, kick[half + i] = radius * a;
        }
        *stream = position + n * 0x9E3779B97F4A7C15u;
        double c2 = 0, s2 = 0;
#pragma omp simd reduction(+ : s2, c2)
        for (long i = 0; i < n; i++) {
            double a, b;
            sincos_of(theta[i] + step * (omega[i] + s * cosine[i] - c * sine[i]) + kick[i], &a, &b);
            next_sine[i] = a, next_cosine[i] = b;
            s2 += a, c2 += b;
        }
        c2 *= coupling / n, s2 *= coupling / n;
        double c1 = 0, s1 = 0;
#pragma omp simd reduction(+ : s1, c1)
        for (long i = 0; i < n; i++) {
            double pull = s * cosine[i] - c * sine[i] + s2 * next_cosine[i] - c2 * next_sine[i], a, b;
            double x = theta[i] + step * (omega[i] + 0.5 * pull) + kick[i];
            theta[i] = x;
            sincos_of(x, &a, &b);
            sine[i] = a, cosine[i] = b;
            s1 += a, c1 += b;
        }
        c = c1 * coupling / n, s = s1 * coupling / n;
    }
}
