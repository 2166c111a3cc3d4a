//! The executable: picks the part by `argv[0]` or the first argument.

fn main() {}
