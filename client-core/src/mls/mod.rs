//! openmls behind the few calls that the core needs: bytes in, bytes and plain data out.
//!
//! Nothing outside this module names openmls. Whatever fails leaves the state as it was: a call works
//! on a live copy, which is dropped and loaded again from the last good state when anything goes
//! wrong, so that a cell that is void for everyone changes nothing for anyone.

pub mod commit;
pub mod hpke;
pub mod key_package;
mod path;
mod provider;
pub mod state;
pub(crate) mod verdict;

pub use verdict::Fault;

use openmls::prelude::Ciphersuite;
use serde::{Deserialize, Serialize};

/// The MLS ciphersuite of a group. [G-2]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// 0x004F, `MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519`: the one that people use.
    PostQuantum,
    /// 0x0001, `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`: for tests with other implementations.
    #[cfg(feature = "interop")]
    Interop,
}

impl Suite {
    /// Which one it is, if this build takes it.
    fn of(ciphersuite: Ciphersuite) -> Option<Self> {
        let known = [
            Self::PostQuantum,
            #[cfg(feature = "interop")]
            Self::Interop,
        ];
        known
            .into_iter()
            .find(|suite| suite.ciphersuite() == ciphersuite)
    }

    fn ciphersuite(self) -> Ciphersuite {
        match self {
            Self::PostQuantum => Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519,
            #[cfg(feature = "interop")]
            Self::Interop => Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        }
    }
}

/// openmls refused something of our own; says nothing about the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the group's cryptographic state does not allow it")]
pub struct MlsError;

#[cfg(test)]
mod tests;
