//! Registry client: authentication, resolution and transfer of blobs.
