/* SPDX-License-Identifier: Apache-2.0 */
/* Eisenstein and Hu's fits to the transfer function, growth, and the normalisation by sigma_8.
   Numbers of equations are those of Eisenstein & Hu 1998 (ApJ 496, 605). */
#include "quality/matter.h"

#include <math.h>

#include "base/structure.h"

static const double PI = 3.14159265358979323846, EULER = 2.71828182845904523536;

/* What the fits make of a cosmology; lengths in Mpc. */
struct scales {
    double h, matter, baryons, share;    /* Omega h^2 of both, and the share of baryons */
    double theta;                        /* temperature of the microwave background / 2.7 K */
    double equality_k, equality, drag;   /* wave number and redshifts */
    double drag_ratio, horizon, damping; /* R_d, sound horizon s, k_Silk */
};

/* Eqs. 2 to 7. */
static struct scales scales_of(const sumi_cosmology *c)
{
    struct scales s = {.h = c->hubble / 100, .theta = c->temperature / 2.7};
    double t2 = s.theta * s.theta, t4 = t2 * t2;
    s.matter = c->matter * s.h * s.h;
    s.baryons = c->baryons * s.h * s.h;
    s.share = c->baryons / c->matter;
    s.equality = 2.5e4 * s.matter / t4;
    s.equality_k = 7.46e-2 * s.matter / t2;
    double b1 = 0.313 * pow(s.matter, -0.419) * (1 + 0.607 * pow(s.matter, 0.674));
    double b2 = 0.238 * pow(s.matter, 0.223);
    s.drag = 1291 * pow(s.matter, 0.251) / (1 + 0.659 * pow(s.matter, 0.828))
             * (1 + b1 * pow(s.baryons, b2));
    double ratio = 31.5 * s.baryons / t4 * 1000;
    double at_equality = ratio / s.equality;
    s.drag_ratio = ratio / s.drag;
    s.horizon = 2 / (3 * s.equality_k) * sqrt(6 / at_equality)
                * log((sqrt(1 + s.drag_ratio) + sqrt(s.drag_ratio + at_equality))
                      / (1 + sqrt(at_equality)));
    s.damping =
        1.6 * pow(s.baryons, 0.52) * pow(s.matter, 0.73) * (1 + pow(10.4 * s.matter, -0.95));
    return s;
}

/* Eqs. 19 and 20: T0 at q for alpha and beta. */
static double pressureless(double q, double alpha, double beta)
{
    double c = 14.2 / alpha + 386 / (1 + 69.9 * pow(q, 1.08));
    double l = log(EULER + 1.8 * beta * q);
    return l / (l + c * q * q);
}

/* Eqs. 9 to 12, 17 and 18: cold dark matter. */
static double cold_part(const struct scales *s, double k, double q)
{
    double f = s->share;
    double a1 = pow(46.9 * s->matter, 0.670) * (1 + pow(32.1 * s->matter, -0.532));
    double a2 = pow(12.0 * s->matter, 0.424) * (1 + pow(45.0 * s->matter, -0.582));
    double alpha = pow(a1, -f) * pow(a2, -f * f * f);
    double b1 = 0.944 / (1 + pow(458 * s->matter, -0.708)), b2 = pow(0.395 * s->matter, -0.0266);
    double beta = 1 / (1 + b1 * (pow(1 - f, b2) - 1));
    double mixed = 1 / (1 + pow(k * s->horizon / 5.4, 4));
    return mixed * pressureless(q, 1, beta) + (1 - mixed) * pressureless(q, alpha, beta);
}

/* Eqs. 14, 15 and 21 to 24: baryons. */
static double baryon_part(const struct scales *s, double k, double q)
{
    double y = (1 + s->equality) / (1 + s->drag), root = sqrt(1 + y), x = k * s->horizon;
    double g = y * (-6 * root + (2 + 3 * y) * log((root + 1) / (root - 1)));
    double alpha = 2.07 * s->equality_k * s->horizon * pow(1 + s->drag_ratio, -0.75) * g;
    double beta =
        0.5 + s->share + (3 - 2 * s->share) * sqrt(17.2 * s->matter * 17.2 * s->matter + 1);
    double node = 8.41 * pow(s->matter, 0.435);
    double phase = x / cbrt(1 + pow(node / x, 3));
    double sine = phase < 1e-4 ? 1 - phase * phase / 6 : sin(phase) / phase;
    return (pressureless(q, 1, 1) / (1 + x / 5.2 * x / 5.2)
            + alpha / (1 + pow(beta / x, 3)) * exp(-pow(k / s->damping, 1.4)))
           * sine;
}

/* Eqs. 26 and 28 to 31. */
static double smooth_transfer(const struct scales *s, double k)
{
    double horizon = 44.5 * log(9.83 / s->matter) / sqrt(1 + 10 * pow(s->baryons, 0.75));
    double alpha = 1 - 0.328 * log(431 * s->matter) * s->share
                   + 0.38 * log(22.3 * s->matter) * s->share * s->share;
    double effective = s->matter * (alpha + (1 - alpha) / (1 + pow(0.43 * k * horizon, 4)));
    double q = k * s->theta * s->theta / effective;
    double l = log(2 * EULER + 1.8 * q), c = 14.2 + 731 / (1 + 62.5 * q);
    return l / (l + c * q * q);
}

double matter_transfer(const sumi_cosmology *cosmology, bool wiggles, double k)
{
    const struct scales s = scales_of(cosmology);
    k *= s.h;
    if (k <= 0) return 1;
    if (!wiggles) return smooth_transfer(&s, k);
    double q = k / (13.41 * s.equality_k);
    return s.share * baryon_part(&s, k, q) + (1 - s.share) * cold_part(&s, k, q);
}

/* ---- Growth and normalisation ---- */

/* H / H0 at a scale factor, without radiation. */
static double expansion(const sumi_cosmology *c, double a)
{
    return sqrt(c->matter / (a * a * a) + 1 - c->matter);
}

/* H(a) times the integral of da / (a H)^3 from 0 (Heath 1977), by Simpson's rule in a^(5/2), in
   which the integrand is smooth at 0. */
static double unscaled_growth(const sumi_cosmology *c, double a)
{
    enum { PARTS = 512 };
    double sum = 0, last = pow(a, 2.5);
    for (int i = 0; i <= PARTS; i++) {
        double u = last * i / PARTS, at = pow(u, 0.4);
        double cube = c->matter + (1 - c->matter) * at * at * at; /* a^3 (H / H0)^2 */
        double value = 0.4 * pow(cube, -1.5);
        sum += value * (i == 0 || i == PARTS ? 1 : i % 2 ? 4 : 2);
    }
    return expansion(c, a) * sum * last / (3 * PARTS);
}

/* The scale factor at which matter and radiation (photons and massless neutrinos) are equal. */
static double equality_scale(const sumi_cosmology *c)
{
    double h = c->hubble / 100, t2 = c->temperature * c->temperature;
    double photons = 4.48146650e-7 * t2 * t2 / (h * h);
    double neutrinos = photons * c->neutrinos * 7 / 8 * pow(4.0 / 11, 4.0 / 3);
    return (photons + neutrinos) / c->matter;
}

/* Growth with matter and radiation alone, a where matter dominates: the growing mode of
   perturbations that entered the horizon early (Gnedin, Kravtsov & Rudd 2011, ApJS 194, 46, eq. 5).
 */
static double early_growth(const sumi_cosmology *c, double a)
{
    double equal = equality_scale(c), x = a / equal, root = sqrt(1 + x);
    double decaying = 2 * root + (2.0 / 3 + x) * log((root - 1) / (root + 1));
    return a + equal * 2 / 3 + equal / (2 * log(2) - 3) * decaying;
}

/* Late, radiation is left out; early, the cosmological constant is. From redshift 20 to 5 one
   passes into the other linearly in the logarithm of the scale factor, as in Diemer 2018 (ApJS 239,
   35). */
double matter_growth(const sumi_cosmology *cosmology, double redshift)
{
    const double first = 1.0 / 21, last = 1.0 / 6;
    double a = 1 / (1 + redshift), scale = 2.5 * cosmology->matter;
    double late = fmin(fmax(log(a / first) / log(last / first), 0), 1), grown = 0;
    if (late > 0) grown += late * scale * unscaled_growth(cosmology, a);
    if (late < 1) grown += (1 - late) * early_growth(cosmology, a);
    return grown / (scale * unscaled_growth(cosmology, 1));
}

double matter_deviation(const sumi_cosmology *cosmology, bool wiggles, double radius)
{
    enum { PARTS = 8000 };
    const double low = log(1e-5 / radius), high = log(500 / radius), step = (high - low) / PARTS;
    double sum = 0;
    for (int i = 0; i <= PARTS; i++) {
        double k = exp(low + i * step), x = k * radius;
        double window = x < 1e-2 ? 1 - x * x / 10 : 3 * (sin(x) - x * cos(x)) / (x * x * x);
        double transfer = matter_transfer(cosmology, wiggles, k) * window;
        double value = pow(k, cosmology->tilt + 3) * transfer * transfer / (2 * PI * PI);
        sum += value * (i == 0 || i == PARTS ? 1 : i % 2 ? 4 : 2);
    }
    return sqrt(sum * step / 3);
}

static sumi_status check(sumi_context *context, const sumi_cosmology *c, double redshift)
{
    bool right = c->hubble > 0 && c->matter > 0 && c->matter <= 1 && c->baryons > 0
                 && c->baryons < c->matter && c->sigma8 > 0 && c->temperature > 0
                 && c->neutrinos >= 0 && redshift >= 0 && c->hubble < 1e4 && isfinite(c->tilt)
                 && isfinite(c->sigma8) && isfinite(c->temperature) && isfinite(c->neutrinos)
                 && isfinite(redshift);
    if (right) return SUMI_OK;
    return context_fail(
        context, SUMI_ERROR_ARGUMENT,
        "a cosmology needs hubble, sigma8 and temperature above 0, matter up to 1, "
        "baryons above 0 and below matter, neutrinos of 0 or more, and a redshift of 0 or more");
}

sumi_status sumi_matter_power(sumi_context *context, const sumi_cosmology *cosmology,
                              double redshift, int64_t count, const double *k, double *power)
{
    sumi_cosmology c;
    TRY(structure_read(context, "sumi_cosmology", cosmology, &c, sizeof c));
    TRY(check(context, &c, redshift));
    bool wiggles = !c.smooth;
    double growth = matter_growth(&c, redshift);
    double amplitude = c.sigma8 / matter_deviation(&c, wiggles, 8);
    for (int64_t i = 0; i < count; i++) {
        double root = amplitude * growth * matter_transfer(&c, wiggles, k[i]);
        if (!(k[i] > 0) || !isfinite(k[i]))
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "wave number %lld of the power spectrum is not above 0",
                                (long long)i);
        power[i] = pow(k[i], c.tilt) * root * root;
    }
    return SUMI_OK;
}
