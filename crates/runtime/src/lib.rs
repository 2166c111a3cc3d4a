//! OCI runtime library: create, start, exec, kill and control groups.
