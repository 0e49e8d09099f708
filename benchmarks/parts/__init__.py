"""The parts of `make bench`. Each has `measure(quick)`, which gives a `Part`."""
