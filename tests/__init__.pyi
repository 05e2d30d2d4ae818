"""Says to type checkers that this is the package `tests`: a dependency (gmqtt 0.8) installs another of that name."""
