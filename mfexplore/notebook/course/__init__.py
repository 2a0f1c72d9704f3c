"""The exercises of the course: a file for each lesson, whose `EXERCISES` are by name what `check` compares with."""
