"""How fast the adapter is, each figure beside an anchor measured in the same run."""
