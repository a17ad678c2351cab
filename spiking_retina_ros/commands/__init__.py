"""One module per command line; python -m spiking_retina_ros NAME."""
