//! The page at `/`: join the line, sign in, be online. Embedded in the binary.
