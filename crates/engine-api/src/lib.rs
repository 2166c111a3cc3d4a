//! Types of Docker's Engine API and the framing of its streams.
