//! The cell: the one thing a relay stores. [C-1]

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::limits::CELL_BYTES;

/// 4,096 opaque bytes, cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell(Arc<[u8; CELL_BYTES]>);

/// SHA-256 of a cell: what a gone slot remembers.
pub type CellHash = [u8; 32];

impl Cell {
    /// Wraps the bytes.
    pub fn from_bytes(bytes: [u8; CELL_BYTES]) -> Self {
        Self(Arc::new(bytes))
    }

    /// The cell of 4,096 zero bytes, which closes a slot for everyone. [C-2]
    pub fn void() -> Self {
        Self::from_bytes([0; CELL_BYTES])
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; CELL_BYTES] {
        &self.0
    }

    /// SHA-256 of the bytes.
    pub fn hash(&self) -> CellHash {
        Sha256::digest(self.0.as_slice()).into()
    }
}

impl TryFrom<&[u8]> for Cell {
    type Error = crate::fixed::WrongLength;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        Ok(Self::from_bytes(
            bytes.try_into().map_err(|_| crate::fixed::WrongLength)?,
        ))
    }
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}

impl serde::Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_slice())
    }
}

impl<'de> serde::Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = serde_bytes::ByteArray::<CELL_BYTES>::deserialize(deserializer)?;
        Ok(Self::from_bytes(bytes.into_array()))
    }
}
