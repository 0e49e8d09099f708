"""The parts of `make bench`. Each has `measure(quick)`, which returns a `Part`."""
