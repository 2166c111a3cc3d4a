mod bus;
mod messages;
mod names;
mod properties;
