//! The command line: arguments to what they do.
