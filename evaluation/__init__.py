"""The benchmark: cases as data, the real bot asked over the wire, figures, plots and the report."""
