//! Image references, digests, platforms, media types, and the image and runtime specifications' types.
