"""mAP, mAP over simulated time, correlations, figures, benchmarks."""
