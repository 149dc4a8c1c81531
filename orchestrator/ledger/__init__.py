"""What is done, what failed, and what is still to do: files below the workspace's trials/."""
