"""The admin API: the whole story of a message, the workspace, callbacks, the catalogue."""
