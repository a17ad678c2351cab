"""COCO json in, the synthetic sea camera, bags in and out; needs no ROS."""
