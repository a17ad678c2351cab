"""The node and what only it needs; the only folder that imports rclpy."""
