"""One file a modem: PROFILE is data; the name is the file's, with hyphens."""
