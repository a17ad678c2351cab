"""The event engine: spikes packed into words, work only where spikes are, exact."""
