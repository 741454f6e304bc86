//! Wire format, derivations and limits of Cobijo, shared by relay and clients.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no randomness.
//! `SPEC.md` beside this crate is the text that another implementation is written from; the
//! requirement ids in brackets (`[W-3]`) are its.
//!
//! * what is stored: [`cell`], [`slot`], [`parts`]
//! * what is said to the relay: [`frame`], [`mailbox`], [`limits`]
//! * what members sign and say: [`keys`], [`cbor`], [`capsule`], [`card`], [`circle`], [`credential`], [`commit`], [`content`], [`mod@file`], [`handover`], [`intake`], [`words`]

mod fixed;

pub mod capsule;
pub mod card;
pub mod cbor;
pub mod cell;
pub mod circle;
pub mod commit;
pub mod content;
pub mod credential;
pub mod file;
pub mod frame;
pub mod handover;
pub mod intake;
pub mod keys;
pub mod limits;
pub mod link;
pub mod mailbox;
pub mod opening;
pub mod parts;
pub mod slot;
pub mod words;

/// A UTC day, counted from 1970-01-01.
pub type Day = u32;
