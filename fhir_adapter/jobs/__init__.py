"""The stories that commands and services tell: push, map, demo."""
