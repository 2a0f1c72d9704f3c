"""What a system is: controls, declarations, the contract of theory and simulation, the catalogue."""

from mfexplore.core.catalogue import system, systems
from mfexplore.core.controls import Control, choice, control
from mfexplore.core.declaration import (
    Branch,
    Failure,
    Landmark,
    Method,
    Observable,
    Phase,
    Plane,
    Preset,
    Promise,
    Reference,
    Source,
    Task,
)
from mfexplore.core.errors import (
    ControlError,
    MfexploreError,
    NotInstalledError,
    NotOfferedError,
    TooLargeError,
    UnknownNameError,
)
from mfexplore.core.model import Landscape, Law, Model, Profile
from mfexplore.core.pictures import (
    Density,
    Lattice,
    Network,
    Particles,
    Patterns,
    Phases,
    Picture,
    Spectrum,
    Trajectories,
)
from mfexplore.core.simulation import Simulation
from mfexplore.core.solution import Array, Points, Solution

__all__ = [
    "Array", "Branch", "Control", "ControlError", "Density", "Failure", "Landmark", "Landscape", "Lattice", "Law",
    "Method", "MfexploreError", "Model", "Network", "NotInstalledError", "NotOfferedError", "Observable",
    "Particles", "Patterns", "Phase", "Phases", "Picture", "Plane", "Points", "Preset", "Profile", "Promise",
    "Reference", "Simulation", "Solution", "Source", "Spectrum", "Task", "TooLargeError", "Trajectories",
    "UnknownNameError", "choice", "control", "system", "systems",
]  # fmt: skip
