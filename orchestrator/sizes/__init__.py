"""What jobs cost on clusters of several sizes, as tables for people."""
