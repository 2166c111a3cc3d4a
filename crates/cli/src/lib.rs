//! The tare command line: Docker's grammar over the Engine API.
