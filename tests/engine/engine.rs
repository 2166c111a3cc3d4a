//! What only our engine promises: it leaves nothing behind, it may be killed at
//! any moment, several live side by side, and it starts when it is needed.

mod archives;
mod automatic_start;
mod bad_images;
mod bad_input;
mod eight_steps;
mod killed;
mod leaks;
mod side_by_side;
