"""The benchmarks run, and what they print is what they promise; how fast is not judged here."""
