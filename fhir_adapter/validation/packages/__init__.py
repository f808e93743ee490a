"""Where definitions come from: R4 core as shipped, this project's own profiles, and the packages that a user names."""
