"""The analog detector: backbones, feature pyramid, heads, anchors, boxes, loss, training."""
