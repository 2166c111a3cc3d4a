//! Containers, images, networks, events and logs: the objects of the engine, without HTTP.
