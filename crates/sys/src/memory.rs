//! The process's own memory.

/// Gives memory that the allocator holds but nobody uses back to the kernel.
pub fn trim() {
    // SAFETY: malloc_trim has no preconditions; it takes the allocator's locks.
    unsafe { libc::malloc_trim(0) };
}
