"""What policies keep beside the workspace, over HTTP: the do-not-disturb list and accounts."""
