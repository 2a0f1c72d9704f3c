"""What three or more systems share, theory and simulation alike, so that a system is its page, its few kernels and its
declaration.

- `spins`: Ising spins: how they start, how they are looked at, their entropy.
- `dense_spins`: single flips of spins that are all coupled to each other, as fast as memory delivers the couplings.
- `tempering`: copies on a ladder of temperatures that trade places.
- `replicas`: replica theory: nested averages over a tree of states.
- `lattice_spins`: Ising spins on lattices and trees: fast updates, sums over all states, exact solutions.
- `vector_spins`: unit vectors with exchange between neighbours: heat bath, over-relaxation, states at rest.
- `quantum_spins`: a few spins 1/2 with Heisenberg exchange between any of them: all levels, or the lowest.
- `sparse_graphs`: spins on sparse random graphs: graphs, messages, their distributions.
- `message_passing`: approximate message passing, its state evolution, and the priors and channels it is used with.
- `memories`: associative memories: what they store, the cue they are shown, branches and phases of their theory.
- `hebbian`: replica theory of couplings that add up what random memories agree on.
- `bipartite`: two layers of units that see only each other: alternating Gibbs sampling, exact sums over one layer.
- `perceptrons`: rules that look for the weights of a perceptron, and the patterns they are shown.
- `crowds`: those of many sites that are in one state, for processes that go event by event.
- `rasters`: pictures of a line in time.
- `encounters`: neighbours on a lattice who meet, by a table of what they become.
- `oscillators`: phase oscillators with couplings of any kind: how they start, move, are measured and looked at.
- `synchronization`: theory of phase oscillators in a mean field: frequencies, moments, coherence and its boundaries.
- `birth_death`: populations that jump in continuous time: laws, passage times, one run after another or many at once.
- `fokker_planck`: diffusions on a line: stationary law, passage times in logarithms, the density in time.
- `master_equation`: a few states and the jumps between them: stationary law, what is counted and its noise, in time.
- `hidden_chain`: what noisy snapshots tell of states, jumps and rates.
- `fronts`: states that grow into unstable ones: the speed of pulled fronts, how late and how impeded they are.
- `walkers`: walkers on lattices of one to three dimensions that react where they meet, and how often they do.
- `ridge`: regression with a ridge on random examples, from a spectrum and in simulation.
- `digits`: handwritten digits as black and white patterns of any size.
"""
