//! A member of a desk.

pub(crate) mod keys;
