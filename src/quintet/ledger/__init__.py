"""Supply against use, self-sufficiency and greenhouse gases: typed tables in, typed rows out; nothing is fetched."""
