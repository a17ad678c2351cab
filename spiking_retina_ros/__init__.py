"""Spiking perception of boats and buoys: RetinaNet to integrate-and-fire neurons, and ROS 2."""
