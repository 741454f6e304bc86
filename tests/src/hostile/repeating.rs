//! Randomness whose first secret a test chooses: openmls draws the secret of a path first.

use std::sync::Mutex;

use openmls_rust_crypto::RustCrypto;
use openmls_traits::random::OpenMlsRand;

/// Random, but for what is asked of it.
#[derive(Default)]
pub(super) struct RepeatingRand {
    honest: RustCrypto,
    next: Mutex<Option<[u8; 32]>>,
}

impl RepeatingRand {
    /// The next secret that is drawn.
    pub(super) fn draw_next(&self, secret: Option<[u8; 32]>) {
        *self.next.lock().unwrap() = secret;
    }
}

impl OpenMlsRand for RepeatingRand {
    type Error = <RustCrypto as OpenMlsRand>::Error;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        self.honest.random_array()
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        let chosen = self.next.lock().unwrap().take();
        match chosen.filter(|secret| secret.len() == len) {
            Some(secret) => Ok(secret.to_vec()),
            None => self.honest.random_vec(len),
        }
    }
}
