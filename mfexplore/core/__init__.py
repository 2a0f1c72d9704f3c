"""What a system is: controls, declarations, the contract of theory and simulation, the catalogue."""

from mfexplore.core.catalogue import system, systems
from mfexplore.core.controls import Control, choice, control
from mfexplore.core.declaration import (
    Branch,
    Coordinate,
    Crossing,
    Exact,
    Failure,
    Landmark,
    Mean,
    Method,
    Observable,
    Phase,
    Plane,
    Preset,
    Promise,
    Reference,
    Relation,
    Source,
    Tags,
    Task,
    Value,
    View,
)
from mfexplore.core.errors import (
    ControlError,
    MfexploreError,
    NotInstalledError,
    NotOfferedError,
    TooLargeError,
    UnknownNameError,
)
from mfexplore.core.model import Landscape, Law, Model, Profile, Recursion
from mfexplore.core.pictures import (
    Album,
    Arrows,
    Axis,
    Chart,
    Density,
    Field,
    Guide,
    Lattice,
    Network,
    Particles,
    Patterns,
    Phases,
    Picture,
    Series,
    Spectrum,
    Trajectories,
    on_a_square,
    square,
)
from mfexplore.core.simulation import Measured, Simulation
from mfexplore.core.solution import Array, Points, Solution, States

__all__ = [
    "Album", "Array", "Arrows", "Axis", "Branch", "Chart", "Control", "ControlError", "Coordinate", "Crossing",
    "Density", "Exact", "Failure", "Field", "Guide", "Landmark", "Landscape", "Lattice", "Law", "Mean", "Measured",
    "Method", "MfexploreError", "Model", "Network", "NotInstalledError", "NotOfferedError", "Observable",
    "Particles", "Patterns", "Phase", "Phases", "Picture", "Plane", "Points", "Preset", "Profile", "Promise",
    "Recursion", "Reference", "Relation", "Series", "Simulation", "Solution", "Source", "Spectrum", "States", "Tags",
    "Task", "TooLargeError", "Trajectories", "UnknownNameError", "Value", "View", "choice", "control", "on_a_square",
    "square", "system", "systems",
]  # fmt: skip
