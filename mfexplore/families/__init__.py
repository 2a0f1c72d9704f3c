"""What three or more systems share, theory and simulation alike, so that a system is its page, its few kernels and its
declaration.

- `spins`: Ising spins: how they start, how they are looked at, their entropy.
- `message_passing`: approximate message passing, its state evolution, and the priors and channels it is used with.
- `perceptrons`: rules that look for the weights of a perceptron, and the patterns they are shown.
"""
