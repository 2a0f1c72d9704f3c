"""One file per race: a docstring that says what is raced, and `race(report)`, which checks first."""
