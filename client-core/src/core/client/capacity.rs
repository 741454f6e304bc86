//! How many live conversations an accompanier takes.

use serde::{Deserialize, Serialize};

/// Live conversations that an accompanier takes at one time, as she says when her shift begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Capacity(u8);

/// It is none of [`Capacity::MIN`] to [`Capacity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("number of conversations that nobody takes at one time")]
pub struct NoCapacity;

impl Capacity {
    /// Who takes none is not on shift.
    pub const MIN: u8 = 1;
    /// With more, nobody is listened to.
    pub const MAX: u8 = 5;

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self(2)
    }
}

impl TryFrom<u8> for Capacity {
    type Error = NoCapacity;

    fn try_from(number: u8) -> Result<Self, NoCapacity> {
        let is_one = (Self::MIN..=Self::MAX).contains(&number);
        is_one.then_some(Self(number)).ok_or(NoCapacity)
    }
}

impl From<Capacity> for u8 {
    fn from(capacity: Capacity) -> Self {
        capacity.0
    }
}
