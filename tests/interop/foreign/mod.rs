//! A client of Cobijo that was written from `protocol/SPEC.md` alone. It shares no line with Cobijo's own crates.

pub(crate) mod cbor;
pub(crate) mod circle;
mod consent;
pub(crate) mod contact;
pub(crate) mod content;
pub(crate) mod conversation;
pub(crate) mod desk;
pub(crate) mod frame;
pub(crate) mod group;
pub(crate) mod handover;
pub(crate) mod hpke;
mod judging;
pub(crate) mod key_package;
pub(crate) mod mls;
pub(crate) mod policy;
pub(crate) mod relay;
pub(crate) mod signature;
pub(crate) mod slot;
pub(crate) mod suite;
pub(crate) mod survivor;
