"""The suite's version: read by the build, written into every manifest."""

VERSION = "0.1.0"
