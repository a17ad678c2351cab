"""Analog network to spiking network: parse, fold, calibrate, normalise, convert, report."""
