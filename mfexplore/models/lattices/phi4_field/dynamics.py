"""The field in motion: on a lattice whose links grow while the work that this takes is counted, and as a machine that
learns pictures.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.lattice_spins.clusters import all_clusters, joining
from mfexplore.models.lattices.phi4_field import pixels, theory
from mfexplore.numerics.chance.random import advanced, new_stream, uniform
from mfexplore.numerics.functions.log_sums import log_sum_exp
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.space.lattices import drawing, neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.lattices.phi4_field import Phi4Field

CHAINS = 200  # fields; from the first half the machine learns, on the second the work is counted
HALF = CHAINS // 2
SWEEPS = 5  # of them per update
SHOWN = 4  # images and samples that are shown
SETTLE = 20  # sweeps after a change before moments are taken


class Action(NamedTuple):
    """S = sum_i (a_i phi_i^2 + lambda phi_i^4 - h_i phi_i) - sum_<ij> w_ij phi_i phi_j; links stand at both ends."""

    quadratic: Any  # a, shape (n,)
    quartic: float
    source: Any  # h, shape (n,)
    links: Any  # w, shape (n, coordination)
    reach: Any  # largest step of a proposal, shape (n,)


@kernel
def metropolis(fields, neighbours, action, sweeps, stream):
    """Sweeps of every row of `fields` (shape (copies, n), overwritten), site after site; O(1) per site."""
    position = stream[0]
    drawn = 0
    for copy in range(len(fields)):
        for _ in range(sweeps):
            for i in range(neighbours.shape[0]):
                local = action.source[i]
                for k in range(neighbours.shape[1]):
                    local += action.links[i, k] * fields[copy, neighbours[i, k]]
                old = fields[copy, i]
                new = old + action.reach[i] * (2.0 * uniform(position, drawn) - 1.0)
                old_square, new_square = old * old, new * new
                curve = action.quadratic[i] + action.quartic * (old_square + new_square)
                loss = curve * (new_square - old_square) - local * (new - old)
                if loss <= 0.0 or uniform(position, drawn + 1) < math.exp(-loss):
                    fields[copy, i] = new
                drawn += 2
    stream[0] = advanced(position, drawn)


class OnALattice:
    """The theory itself. It starts as the best independent sites, drawn exactly. While links grow to full strength and
    the source that stood for them goes (with d M^2, which it has counted twice), the work done on the field is counted,
    and so whenever controls change: with the mean-field bound, from which it starts, it makes the free energy.
    """

    def __init__(self, model: Phi4Field, rng: np.random.Generator) -> None:
        self.place = neighbourhood(model.crystal, model.side)
        self.neighbours = self.place.table()
        n = len(self.neighbours)
        mu, quartic, d = model.mass_squared, model.quartic, model.dimension
        self.source = 2 * d * model.mean_field()[0]
        far = theory.reach(mu, quartic)
        values = np.linspace(-far, far, 4001)
        law = np.exp(self.source * values - (0.5 * mu + d) * values**2 - quartic * values**4)
        below = np.cumsum(law) - 0.5 * law
        self.fields = np.interp(rng.random(n) * law.sum(), below, values)[None]
        self.twice = d * model.mean_field()[0] ** 2
        self.free_energy = self.twice - math.log(law.sum() * (values[1] - values[0]))
        self.stream, self.forest = new_stream(rng), np.zeros((2, n), np.int32)
        self.links, self.last = 0.0, (mu, quartic)
        self.follow(model)

    @property
    def alignment(self) -> float:
        """Mean of phi_x phi_y over links."""
        phi = self.fields[0]
        return float(np.mean(phi[self.neighbours] * phi[:, None]))

    def follow(self, model: Phi4Field) -> None:
        n, coordination = self.neighbours.shape
        square = self.fields[0] ** 2
        mu, quartic = model.mass_squared, model.quartic
        old_mu, old_quartic = self.last
        self.free_energy += 0.5 * (mu - old_mu) * square.mean() + (quartic - old_quartic) * (square**2).mean()
        self.last = mu, quartic
        self.since, self.seen = 0, np.zeros(3)
        self.bound = model.mean_field()[1]
        a = 0.5 * mu + model.dimension
        width = 1 / math.sqrt(a + math.sqrt(a * a + 4 * quartic))
        self.action = Action(
            np.full(n, a), quartic, np.zeros(n), np.full((n, coordination), self.links), np.full(n, 2.4 * width)
        )
        self.action.source[:] = (1 - self.links) * self.source

    def sweep(self, model: Phi4Field) -> None:
        """One sweep of single sites, and at full strength one cut into clusters of which each takes a new sign."""
        if self.links < 1.0:
            grown = min(1.0, self.links + 1 / model.growth)
            work = self.source * self.fields.mean() - model.dimension * self.alignment - self.twice
            self.free_energy += (grown - self.links) * work
            self.links = grown
            self.action.links[:] = grown
            self.action.source[:] = (1 - grown) * self.source
        metropolis(self.fields, self.neighbours, self.action, 1, self.stream)
        if self.links < 1.0:
            return
        phi = self.fields[0]
        size, signs = np.abs(phi), np.where(phi < 0, -1, 1).astype(np.int8)
        joins = joining(-np.expm1(-2 * size[:, None] * size[self.neighbours]))
        all_clusters(signs, self.place.kinds, self.place.shifts, joins, 0.0, 1, self.forest, self.stream)
        self.fields[0] = size * signs
        self.since += 1
        if self.since > SETTLE:
            square = self.fields.mean() ** 2
            self.seen += 1.0, square, square**2

    def observe(self) -> dict[str, float]:
        phi = self.fields[0]
        square = phi**2
        count, second, fourth = self.seen
        return {
            "magnetization": abs(float(phi.mean())),
            "field_squared": float(square.mean()),
            "field_fourth": float((square**2).mean()),
            "alignment": self.alignment,
            "free_energy": float(self.free_energy),
            "improvement": float(self.bound - self.free_energy),
            "binder_ratio": float(second**2 / (count * fourth)) if count else math.nan,
            "site_field": float(phi[0]),
        }

    def pictures(self, model: Phi4Field, time: float) -> core.Album:
        return core.Album({"field": lambda: self._state(model)})

    def _state(self, model: Phi4Field) -> core.Lattice:
        shown = self.fields[0][drawing(model.crystal, model.side)]
        where = "" if model.dimension == 2 else ", the middle layer"
        growing = "" if self.links == 1.0 else f", links at {self.links:.0%}"
        return core.Lattice(shown, -2.0, 2.0, f"field on {model.side} × {model.side} sites{where}{growing}")


class Picture:
    """The same field as a machine: every pixel its own coefficients, every link its own strength. It begins as the best
    independent pixels and climbs the likelihood; ln Z is followed by the work that each update does on fields that
    had no part in it (on those it was learnt from it would be too small, by their chance).
    """

    def __init__(self, model: Phi4Field, rng: np.random.Generator) -> None:
        self.neighbours = neighbourhood("square", pixels.SIDE).table()
        self.stream, self.rng = new_stream(rng), rng
        self.data = pixels.moments_of(model.digit, model.grain)
        images = pixels.pictures(model.digit)
        self.aligned = np.mean(images[:, self.neighbours] * images[:, :, None], axis=0)
        self.images = [images[k].reshape(pixels.SIDE, -1) for k in rng.permutation(len(images))[:SHOWN]]
        start = pixels.best_pixels(self.data, model.quartic)
        law = np.exp(start.source[:, None] * pixels.VALUES - start.quadratic[:, None] * pixels.VALUES**2
                     - model.quartic * pixels.VALUES**4 - start.log_z[:, None])  # fmt: skip
        below = np.cumsum(law, axis=1)
        below /= below[:, -1:]
        drawn = [np.interp(rng.random(CHAINS), row, pixels.VALUES) for row in below]
        self.fields = np.ascontiguousarray(np.transpose(drawn))
        self.log_z = float(start.log_z.sum())
        reach = 2.0 * np.sqrt(self.data.second - self.data.first**2)
        self.action = Action(
            start.quadratic.copy(), model.quartic, start.source.copy(), np.zeros(self.neighbours.shape), reach
        )
        self._dream()

    def _dream(self) -> None:
        metropolis(self.fields, self.neighbours, self.action, SWEEPS, self.stream)
        phi = self.fields
        self.products = phi[:, self.neighbours] * phi[:, :, None]
        self.gaps = (
            self.data.first - phi[:HALF].mean(axis=0),
            self.data.second - (phi[:HALF] ** 2).mean(axis=0),
            self.aligned - self.products[:HALF].mean(axis=0),
        )

    def follow(self, model: Phi4Field) -> None:
        """Another quartic term is reached in steps that are small for the fields, so that ln Z follows."""
        while (far := model.quartic - self.action.quartic) != 0:
            fourth = (self.fields[HALF:] ** 4).sum(axis=1)
            step = math.copysign(min(abs(far), 0.15 / float(fourth.std())), far)
            self._count(-step * fourth)
            self.action = self.action._replace(quartic=model.quartic if step == far else self.action.quartic + step)
            self._dream()

    def _count(self, gain: Array) -> None:
        """What ln Z gains where the logarithm of the weight of each field does."""
        self.log_z += float(log_sum_exp(gain)) - math.log(gain.size)

    def sweep(self, model: Phi4Field) -> None:
        """One update along the gradient, eq. (8): what the data have more of than the machine's own fields."""
        rate, phi = model.learning_rate, self.fields[HALF:]
        h, a, w = rate * self.gaps[0], -rate * self.gaps[1], rate * self.gaps[2]
        self._count(phi @ h - phi**2 @ a + 0.5 * np.einsum("cik,ik->c", self.products[HALF:], w))
        action = self.action
        self.action = action._replace(quadratic=action.quadratic + a, source=action.source + h, links=action.links + w)
        self._dream()

    def observe(self) -> dict[str, float]:
        action, data = self.action, self.data
        mean = action.source @ data.first - action.quadratic @ data.second - action.quartic * data.fourth.sum()
        mean += 0.5 * float((action.links * self.aligned).sum())
        mismatch = sum(float((gap**2).sum()) for gap in self.gaps) / sum(gap.size for gap in self.gaps)
        return {
            "log_likelihood": float(mean - self.log_z),
            "mismatch": math.sqrt(mismatch),
            "mean_link": float(action.links.mean()),
        }

    def pictures(self, model: Phi4Field, time: float) -> core.Album:
        return core.Album({"samples": self._samples, "couplings": self._couplings})

    def _samples(self) -> core.Patterns:
        side = pixels.SIDE
        shown = [(f"image {k + 1}", image) for k, image in enumerate(self.images)]
        shown += [(f"sample {k + 1}", self.fields[k].reshape(side, side)) for k in range(SHOWN)]
        return core.Patterns(tuple(shown), -1.5, 1.5)

    def _couplings(self) -> core.Patterns:
        """What the machine has learnt, each map over its own largest value."""
        side, links = pixels.SIDE, self.action.links
        right, down = (links[:, 2 * direction].reshape(side, side) for direction in (0, 1))
        mean = self.fields.mean(axis=0).reshape(side, side)
        source = self.action.source.reshape(side, side)
        maps = ("mean of samples", mean), ("source", source), ("links to the right", right), ("links down", down)
        largest = [max(float(np.abs(x).max()), 1e-9) for _, x in maps]
        scaled = [(f"{name} (to {top:.2g})", x / top) for (name, x), top in zip(maps, largest, strict=True)]
        return core.Patterns(tuple(scaled))


class FieldSimulation(core.Simulation["Phi4Field"]):
    """Metropolis and cluster updates of the lattice, or updates of the machine."""

    window = 200.0

    def prepare(self) -> None:
        m = self.model
        learns = m.task == "image"
        self.time_unit = "updates" if learns else "sweeps"  # type: ignore[misc]  # of this run, not of all
        self.relaxation = 400.0 if learns else m.growth + 50.0
        self.state: OnALattice | Picture = (Picture if learns else OnALattice)(m, self.rng)

    def retune(self) -> None:
        self.state.follow(self.model)

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            self.state.sweep(self.model)

    def observe(self) -> dict[str, float]:
        return self.state.observe()

    def samples(self, observable: str | None = None) -> Array:
        """The field at all sites, with both signs: the lattice is as good as many runs."""
        if observable not in (None, "site_field"):
            return super().samples(observable)
        return np.concatenate([self.state.fields.ravel(), -self.state.fields.ravel()])

    def picture(self) -> core.Picture:
        return next(iter(self.pictures().values()))

    def pictures(self) -> core.Album:
        return self.state.pictures(self.model, self.time)
