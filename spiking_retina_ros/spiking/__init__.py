"""What a converted network is and how it runs: network, engines, the model file."""
