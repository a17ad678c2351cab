"""The synthetic sea camera; see sea_camera.py for the names to use."""
