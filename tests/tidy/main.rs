//! Checks of the tree itself: layers, size, names, and that documents and code say the same.
#![allow(clippy::unwrap_used, clippy::panic)]

mod deploy;
mod documents;
mod files;
mod layers;
mod mutations;
mod requirements;
mod tree;
