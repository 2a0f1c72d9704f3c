r"""Compressed sensing: recovering a sparse signal from fewer measurements than unknowns.

A signal $x\in\mathbb R^N$ of which only a fraction $\rho$ (the *sparsity*) is not zero, these normally distributed,

$$x_i\sim(1-\rho)\,\delta_0+\rho\,\mathcal N(0,1) \tag{1}$$

is measured by $M=\alpha N$ random projections with noise of variance $\Delta$

$$y=Fx+\sqrt\Delta\,\xi,\qquad F_{\mu i}\sim\mathcal N(0,1/N) \tag{2}$$

*Approximate message passing* (AMP) undoes $F$ step by step with a scalar *denoiser* $\eta$:

$$z^t=y-Fa^t+\frac{z^{t-1}}\alpha\,\overline{\eta'},\qquad S=\frac{\overline{(z^t)^2}}\alpha,\qquad
a^{t+1}=\eta\Big(a^t+\frac{F^{\mathsf T}z^t}\alpha,\;S\Big) \tag{3}$$

As $N\to\infty$ the argument of $\eta$ is the signal plus Gaussian noise of variance $S$, and the mean squared error
follows the *state evolution*

$$E_{t+1}=\mathrm{mse}(S_t),\qquad S_t=\frac{\Delta+E_t}\alpha,\qquad E_0=\rho \tag{4}$$

**Bayes-optimal** denoiser: with $r=\sqrt S\,w$ and $A=1/(1+S)$ a component is believed to be non-zero with probability
$\pi=[1+e^{-\ell}]^{-1}$, $\;\ell=\ln\frac\rho{1-\rho}+\frac12\ln SA+\frac12Aw^2$, and

$$\eta=\pi\,\frac r{1+S},\qquad\mathrm{mse}(S)=\rho SA+(1-\rho)\,SA^2\!\int\!Dw\;w^2\pi(w) \tag{5}$$

($Dw$: standard normal). Its fixed points are the stationary points of the free entropy

$$\Phi(E)=-\frac\alpha2\Big[\ln(\Delta+E)+\frac{\Delta+\rho}{\Delta+E}\Big]
+\mathbb E_r\ln\Big[1-\rho+\rho\sqrt{SA}\,e^{Aw^2/2}\Big] \tag{6}$$

whose highest maximum is the truth. On all of them $\alpha=[\mathrm{mse}(S)+\Delta]/S$: where this curve turns lie the
*spinodals*. Between the upper one, where AMP started at $E=\rho$ gets through, and the information-theoretic threshold
(equal maxima; $\alpha=\rho$ without noise) recovery is *hard*.

**Lasso** ($\ell_1$) denoiser: soft thresholding, $\eta=\mathrm{sign}(r)\,(|r|-\lambda\sqrt S)_+$, with the threshold
that is best for the signal. Without noise it recovers the signal above the Donoho-Tanner line

$$\alpha_{\ell_1}(\rho)=\min_\lambda\Big[\rho(1+\lambda^2)
+2(1-\rho)\big((1+\lambda^2)\Phi(-\lambda)-\lambda\varphi(\lambda)\big)\Big] \tag{7}$$

and never is there a second solution: no transition is jumped, but more measurements are needed.

**Photograph.** The signal can be a photograph (shipped with scikit-learn), in its Haar wavelet coefficients: the
largest $\rho N$ of them are kept, every scale in units of its own strength. They are not normally distributed; state
evolution, averaged over the coefficients themselves, predicts the recovery all the same.

**Valid:** (4)-(6) exactly as $N\to\infty$ for the random signal; at finite $N$ deviations are of order $N^{-1/2}$ and
the hard phase shows its plateau only for $N\gtrsim2000$. For the lasso $\Phi$ is eq. (6) at the error that it reaches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.message_passing.algorithm import STARTS, MessagePassing, noise_law, projections, random_matrix
from mfexplore.families.message_passing.state_evolution import hardness
from mfexplore.models.inference.compressed_sensing.denoisers import (
    DENOISERS,
    DenoisedEvolution,
    State,
    donoho_tanner,
)
from mfexplore.models.inference.compressed_sensing.photograph import photograph, sparse_photograph
from mfexplore.numerics.functions.gaussian import normal_density
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.space.wavelets import inverse_haar

INFORMED, UNINFORMED = range(2)
BAYES_ONLY = {"denoiser": ("bayes",)}


class ApproximateMessagePassing(core.Simulation["CompressedSensing"]):
    """AMP, eq. (3), for one signal and one measurement."""

    time_unit = "iterations"
    relaxation, window = 300.0, 0.0

    def prepare(self) -> None:
        m = self.model
        n, rows = m.pixels, m.measurements
        if m.signal == "image":
            self.side = math.isqrt(n)
            self.truth, self.strength = sparse_photograph(self.side, m.sparsity)
        else:
            # Exactly rho N components of mean square one: samples then differ less, and the limit is the same.
            values = self.rng.standard_normal(m.non_zero)
            self.truth = np.zeros(n)
            self.truth[self.rng.permutation(n)[: values.size]] = values / math.sqrt(float(np.mean(values**2)))
        matrix = random_matrix(self.rng, rows, n)
        self.measured = projections(matrix, self.truth) + math.sqrt(m.noise) * self.rng.standard_normal(rows)
        informed = m.start == "informed"
        self.passing = MessagePassing(matrix, self.truth.copy() if informed else np.zeros(n), 0.0)
        self.noise = (m.noise + self.error()) / m.rate
        self.seen = self.passing.mean

    def error(self) -> float:
        return float(np.mean((self.passing.mean - self.truth) ** 2))

    def evolve(self, duration: float) -> None:
        m = self.model
        for _ in range(round(duration)):
            if self.finished:
                return
            omega, _ = self.passing.forward()
            residual = self.measured - omega
            seen = max(float(np.mean(residual**2)), 1e-18)
            self.seen, self.noise = self.passing.backward(residual / seen, 1 / seen)
            mean, slope = m.evolution.estimate(self.seen, self.noise, m.sparsity)
            self.passing.accept(mean, self.noise * float(np.mean(slope)))

    @property
    def finished(self) -> bool:
        return self.passing.change < 1e-7 * self.model.noise + 1e-15

    def observe(self) -> dict[str, float]:
        error = max(self.error(), 1e-16)
        power = max(float(np.mean(self.truth**2)), 1e-16)
        relative = math.log10(error / power)
        return {"mean_squared_error": error, "log_relative_error": relative, "effective_noise": self.noise}

    def samples(self, observable: str | None = None) -> Array:
        """The noise that the denoiser was given."""
        return self.seen - self.truth

    def picture(self) -> core.Patterns:
        if self.model.signal == "image":
            # A picture is ink on paper: what is dark in the photograph has the large values.
            ink = -photograph(self.side)
            wavelets, found = (-inverse_haar(core.square(x * self.strength)) for x in (self.truth, self.passing.mean))
            images = (("photograph", ink), ("its wavelets", wavelets), ("recovered", found))
            return core.Patterns(images, float(ink.min()), float(ink.max()))
        signal, found = core.square(self.truth), core.square(self.passing.mean)
        return core.Patterns((("signal", signal), ("recovered", found)), -2.5, 2.5)


@dataclass(frozen=True)
class CompressedSensing(core.Model):
    measurement_rate: float = core.control(
        0.45, 0.02, 1.0, symbol=r"\alpha", unit="M/N", role="load", step=0.005, quenched=True,
        doc="how many numbers are measured, per unknown",
    )  # fmt: skip
    sparsity: float = core.control(
        0.2, 0.01, 0.9, symbol=r"\rho", role="disorder", step=0.005, quenched=True,
        doc="fraction of the signal that is not zero",
    )  # fmt: skip
    noise: float = core.control(
        1e-6, 1e-10, 1.0, symbol=r"\Delta", role="temperature", step=1e-10, scale="log", quenched=True,
        doc="variance of the noise of a measurement",
    )  # fmt: skip
    denoiser: str = core.choice(
        "bayes", DENOISERS, quenched=False, doc="Bayes-optimal for the signal, or soft thresholding"
    )
    signal: str = core.choice("random", ("random", "image"), doc="a random signal, or the wavelets of a photograph")
    size: int = core.control(
        4096, 64, 16_384, symbol="N", role="size", scale="log", part="simulation",
        doc="unknowns of the simulated signal (of a photograph: the next lower power of 4)",
    )  # fmt: skip
    start: str = core.choice(
        "uninformed", STARTS, role="start", part="simulation",
        doc="whether message passing starts from zero or at the signal",
    )  # fmt: skip

    version = 2
    tags = core.Tags("course", 20, ("phase transition", "recovery"), ("state evolution",))
    relations = (
        core.Relation(
            "shares the method with", "teacher_student",
            "Approximate message passing and its state evolution: easy where it finds the signal from nothing, hard "
            "where only an informed start stays.",
            there={"channel": "linear", "prior": "gaussian"},
        ),
    )  # fmt: skip
    title = "Compressed sensing"
    summary = "A sparse signal, or a photograph, recovered from fewer measurements than unknowns - up to a sharp line."
    sources = (
        core.Source("D. L. Donoho, A. Maleki and A. Montanari, PNAS 106, 18914 (2009)", doi="10.1073/pnas.0909892106"),
        core.Source("F. Krzakala et al., Phys. Rev. X 2, 021005 (2012)", doi="10.1103/PhysRevX.2.021005"),
        core.Source("D. L. Donoho and J. Tanner, PNAS 102, 9452 (2005)", doi="10.1073/pnas.0502258102"),
        core.Source("M. Gabrié, J. Phys. A 53, 223002 (2020)", arxiv="1911.00890"),
    )
    observables = (
        core.Observable(
            "log_relative_error", r"\log_{10}E/\rho", "logarithm of the error, relative to the signal", high=0
        ),
        core.Observable("mean_squared_error", "E", "mean squared error of a component", low=0),
        core.Observable("effective_noise", "S", "variance of the noise that the denoiser sees", low=0),
        core.Observable("threshold", r"\lambda", "from how many effective noises on a component counts", low=0, high=8),
        core.Observable("free_entropy", r"\Phi", "free entropy per unknown, eq. (6)"),
    )
    branches = (
        core.Branch("informed", "what is reached from the signal itself"),
        core.Branch("uninformed", "what message passing reaches from zero"),
    )
    phases = (
        core.Phase("impossible", "The measurements do not determine the signal.", only=BAYES_ONLY),
        core.Phase(
            "hard", "The measurements determine the signal, but message passing gets stuck far from it.",
            only=BAYES_ONLY,
        ),
        core.Phase("easy", "The signal is recovered up to the noise."),
        core.Phase(
            "smooth", "With so much noise there is no transition: the error falls smoothly, and none can do better.",
            only=BAYES_ONLY,
        ),
        core.Phase(
            "lasso_fails", "The lasso blurs the signal; the Bayes-optimal denoiser may still recover it.",
            title="LASSO fails", only={"denoiser": ("lasso",)},
        ),
    )  # fmt: skip
    failures = (
        core.Failure(
            "not_normal",
            "Wavelet coefficients are not normally distributed, as the values of theory assume; only the predicted "
            "path is averaged over the coefficients themselves.",
            only={"signal": ("image",)},
        ),
    )
    landmarks = (
        core.Landmark(
            "spinodal", r"\alpha_{\rm AMP}", "beyond it Bayes-optimal message passing recovers the signal",
            of="measurement_rate",
        ),
        core.Landmark(
            "donoho_tanner", r"\alpha_{\ell_1}", "beyond it the lasso recovers a noiseless signal",
            title="Donoho-Tanner line", of="measurement_rate",
        ),
        core.Landmark(
            "information_threshold", r"\alpha_{\rm IT}", "beyond it the measurements determine the signal",
            of="measurement_rate",
        ),
        core.Landmark(
            "informed_spinodal", r"\alpha_{\rm inf}", "below it not even the true signal is a solution",
            continuous=False, of="measurement_rate",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("sparsity", "measurement_rate", "log_relative_error", "uninformed"),
        core.Plane("measurement_rate", "noise", "log_relative_error", "uninformed"),
    )
    presets = (
        core.Preset(
            "easy", {"measurement_rate": 0.45},
            "After a slow start the error collapses to the noise, although more than half of the data is missing.",
        ),
        core.Preset(
            "hard", {"measurement_rate": 0.3},
            "The signal is the only sparse one that fits, yet message passing stays far away; started at it, it stays.",
        ),
        core.Preset(
            "lasso fails", {"measurement_rate": 0.45, "denoiser": "lasso"},
            "The same measurements as in 'easy': soft thresholding, which does not know the signal's law, is stuck.",
        ),
        core.Preset(
            "lasso recovers", {"measurement_rate": 0.6, "denoiser": "lasso"},
            "Above the Donoho-Tanner line the lasso recovers as well, more slowly.",
            (core.Promise(core.Crossing("donoho_tanner", "measurement_rate"), 0.511, 0.0005),),
        ),
        core.Preset(
            "photograph", {"signal": "image", "measurement_rate": 0.35, "sparsity": 0.1, "noise": 1e-8},
            "1434 random measurements of 4096 pixels: the summer palace appears within some twenty iterations.",
        ),
        core.Preset(
            "photograph, too few", {"signal": "image", "measurement_rate": 0.15, "sparsity": 0.1, "noise": 1e-8},
            "Below the spinodal only a blurred shadow of the palace is found, although 0.15 exceeds the sparsity 0.1.",
        ),
        core.Preset(
            "noisy", {"measurement_rate": 0.5, "noise": 0.05},
            "With so much noise every transition is gone: message passing is as good as any method can be.",
            view=core.View(plane=("measurement_rate", "noise")),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean squared error at rate 0.5, sparsity 0.2, noise 0.01", 0.024572506826443, 1e-12,
            "state evolution iterated", core.Value("mean_squared_error", "uninformed"),
            {"measurement_rate": 0.5, "sparsity": 0.2, "noise": 1e-2},
        ),
        core.Reference(
            "informed error at rate 0.2, sparsity 0.1, noise 1e-6", 1.117951185420344e-06, 1e-15,
            "state evolution iterated", core.Value("mean_squared_error", "informed"),
            {"measurement_rate": 0.2, "sparsity": 0.1, "noise": 1e-6},
        ),
        core.Reference(
            "spinodal at sparsity 0.4 without noise", 0.5892460011308028, 1e-8, "Krzakala et al. 2012, refined",
            core.Crossing("spinodal", "measurement_rate"), {"sparsity": 0.4, "noise": 1e-10},
        ),
        core.Reference(
            "Donoho-Tanner line at sparsity 0.1", 0.32879350545362995, 1e-12, "eq. (7)",
            core.Crossing("donoho_tanner", "measurement_rate"), {"sparsity": 0.1},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A fifth of the signal is not zero. From which measurement rate on does the lasso recover it? "
            "Predict, then move the rate.",
            {"measurement_rate": 0.3, "denoiser": "lasso", "noise": 1e-8}, "measurement_rate",
            core.Crossing("donoho_tanner", "measurement_rate"), 0.03,
            "0.51, on the Donoho-Tanner line. Counting unknowns would allow 0.2; the Bayes-optimal way needs 0.36.",
        ),
        core.Task(
            "The denoiser now knows the law of the signal. From which measurement rate on does it succeed?",
            {"measurement_rate": 0.25, "noise": 1e-8}, "measurement_rate",
            core.Crossing("spinodal", "measurement_rate"), 0.02,
            "0.355: between 0.2 and this the problem is hard, not impossible.",
        ),
    )  # fmt: skip
    simulation = ApproximateMessagePassing

    @property
    def pixels(self) -> int:
        """N: the size, or the largest power of 4 that does not exceed it."""
        return 4 ** int(math.log(self.size + 0.5, 4)) if self.signal == "image" else self.size

    @property
    def measurements(self) -> int:
        return self.counted("measurement_rate", self.pixels)

    @property
    def rate(self) -> float:
        """The measurement rate M/N after rounding."""
        return self.measurements / self.pixels

    @property
    def non_zero(self) -> int:
        """Components of the signal that are not zero."""
        return self.counted("sparsity", self.pixels)

    def realised(self) -> CompressedSensing:
        return self.with_simulated(size=self.pixels, measurement_rate=self.rate, sparsity=self.non_zero / self.pixels)

    @property
    def evolution(self) -> DenoisedEvolution:
        return DenoisedEvolution(self.denoiser)

    def solve(self, points: Points) -> core.Solution:
        rate, rho, noise = points["measurement_rate"], points["sparsity"], points["noise"]
        fixed = self.evolution.at(rho, noise)
        log_snr = fixed.solve(rate)
        flat = self.evolution.state(log_snr.ravel(), *(np.repeat(column, 2) for column in (rate, rho, noise)))
        state = State(*(values.reshape(-1, 2) for values in flat))
        values = {
            "log_relative_error": np.log10(state.mean_squared_error / rho[:, None]),
            "mean_squared_error": state.mean_squared_error,
            "effective_noise": state.effective_noise,
            "threshold": state.threshold,
            "free_entropy": state.free_entropy,
        }
        image = np.full(state.residual.shape, self.signal == "image")
        return core.Solution(values, state.residual, fails={"not_normal": image}, extra=fixed.folds(rate, log_snr))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        error, s, threshold = (state[name] for name in ("mean_squared_error", "effective_noise", "threshold"))
        rate, rho, a, root = self.measurement_rate, self.sparsity, 1 / (1 + s), math.sqrt(s)
        odds = math.log(rho / (1 - rho)) + 0.5 * math.log(s * a)

        def mean(function: Callable[[Array], Array], *edges: float) -> float:
            """Of an even function of w, piece by piece from 0."""
            w, dw = gauss_legendre(120, (0.0, *edges))
            return 2 * float(dw @ (normal_density(w) * function(w)))

        def soft(r: Array, linear: float) -> Array:
            return np.asarray(np.maximum(r - threshold * root, 0) - linear * r)

        if self.denoiser == "bayes":
            of_zeros = mean(lambda w: w * w / (1 + np.exp(-odds - 0.5 * a * w * w)), 12.0)
            mse = rho * s * a + (1 - rho) * s * a * a * of_zeros
        else:
            wide, cut = math.sqrt(1 + s), threshold * root / math.sqrt(1 + s)
            of_zeros = mean(lambda w: soft(root * w, 0.0) ** 2, threshold, threshold + 12)
            mse = (1 - rho) * of_zeros + rho * (s * a + mean(lambda w: soft(wide * w, a) ** 2, cut, cut + 12))
        # The logarithm is ln(1 - rho) + ln(1 + e^ell). Of the others the mean of ell is known: its 1/(2S) cancels.
        zeros = mean(lambda w: np.logaddexp(0, odds + 0.5 * a * w * w), 12.0)
        others = odds + mean(lambda w: np.logaddexp(0, -odds - 0.5 * (w / root) ** 2), min(12.0, 14 * root), 12.0)
        mean_log = math.log(1 - rho) + (1 - rho) * zeros + rho * others
        return {
            "(4)": (self.noise + error) / (rate * s) - 1,
            "(5)": error / mse - 1,
            "(6)": state["free_entropy"] + 0.5 * rate * math.log(rate * s) + 0.5 * self.noise / s - mean_log,
        }

    def select(self, points: Points, solution: core.Solution) -> Array:
        free_entropy = solution.values["free_entropy"]
        wins = solution.extra["apart"] & (free_entropy[:, INFORMED] > free_entropy[:, UNINFORMED])
        return np.where(wins, INFORMED, UNINFORMED)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        if self.denoiser == "lasso":
            different, place = np.unique(points["sparsity"], return_inverse=True)
            recovers = points["measurement_rate"] > donoho_tanner(different)[place]
            return {"easy": recovers, "lasso_fails": ~recovers}
        return hardness(states)

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        if name == "donoho_tanner":
            return donoho_tanner(points["sparsity"])
        fixed = DenoisedEvolution("bayes").at(points["sparsity"], points["noise"])
        if name == "spinodal":
            return fixed.uninformed_spinodal()
        return fixed.informed_spinodal() if name == "informed_spinodal" else fixed.transition()

    def landscape(self) -> core.Landscape:
        if self.denoiser == "lasso":
            raise core.NotOfferedError(self.title, "a landscape whose minima are states of the lasso")
        lowest = math.log10(self.noise / self.sparsity) - 2
        relative = np.linspace(min(lowest, -3.0), 0.0, 401)
        rate, rho, noise = (np.full(401, x) for x in (self.measurement_rate, self.sparsity, self.noise))
        log_snr = -np.log((noise + rho * 10**relative) / rate)
        return core.Landscape("log_relative_error", relative, -self.evolution.free_entropy(log_snr, rate, rho, noise))

    def law(self) -> core.Law:
        variance = core.Value("effective_noise", self.start).of(self)
        return noise_law("noise_of_each_component", variance)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        truth = sparse_photograph(math.isqrt(self.pixels), self.sparsity)[0] if self.signal == "image" else None
        power = self.sparsity if truth is None else float(np.mean(truth**2))
        path = np.full(int(np.max(times, initial=0.0)) + 2, start["mean_squared_error"])
        for t in range(1, path.size):
            s = (self.noise + path[t - 1]) / self.rate
            path[t:] = self.evolution.error(self.sparsity, s) if truth is None else self._error_of(truth, s)
            if abs(path[t] - path[t - 1]) < 1e-9 * path[t]:
                break
        steps = np.arange(path.size)
        later = np.exp(np.interp(times, steps, np.log(np.maximum(path, 1e-16))))
        before = np.interp(times, steps, np.append(path[0], path[:-1]))  # what the denoiser of this step was given
        return {
            "mean_squared_error": later,
            "log_relative_error": np.log10(later / power),
            "effective_noise": (self.noise + before) / self.rate,
        }

    def _error_of(self, truth: Array, s: float) -> float:
        """The mse of eq. (4) with the average over given coefficients instead of eq. (1)."""
        z = np.linspace(-5, 5, 41)
        weight = np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum()
        values, count = np.unique(truth, return_counts=True)
        r = values[:, None] + math.sqrt(s) * z
        mean = self.evolution.estimate(r.ravel(), s, self.sparsity)[0].reshape(r.shape)
        return float(count @ (mean - values[:, None]) ** 2 @ weight) / truth.size

    def footprint(self) -> int:
        return 4 * self.pixels * self.measurements + 200 * self.pixels
