"""What the push benchmarks share: parcels and what is told of them, a server that tells its CPU, a poster, a judge."""
