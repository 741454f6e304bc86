//! Payloads larger than one cell: a head and its bodies. [H-1]–[H-6]
//!
//! A payload is either whole in its cell, or its head names a total and a body secret. Bodies are put
//! before the head; a reader that finds a body slot empty closes it, so that what stands there is
//! final for everyone.

use crate::{
    limits::HEAD_BODIES_MAX,
    slot::{CELL_DATA_MAX, Slot, ThreadSecret, TooLong},
};

/// Tag of data that is whole.
const WHOLE: u8 = 0;
/// Tag of a head.
const HEAD: u8 = 1;
/// Bytes of a head before its first part.
const HEAD_BYTES: usize = 1 + 4 + 32;
/// Part that fits one body.
pub const BODY_PART_MAX: usize = CELL_DATA_MAX - 1;
/// Part that fits a head.
pub const HEAD_PART_MAX: usize = CELL_DATA_MAX - HEAD_BYTES;
/// Largest payload of one head.
pub const PAYLOAD_BYTES_MAX: usize = HEAD_PART_MAX + HEAD_BODIES_MAX * BODY_PART_MAX;

/// What a cell that is no body says.
#[derive(Clone, PartialEq, Eq)]
pub enum Data {
    /// All of the payload.
    Whole(Vec<u8>),
    /// The first part of it.
    Head(Head),
}

/// The first part of a payload that goes on in bodies.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the whole payload.
    pub total: u32,
    /// Secret of the thread that the bodies stand in.
    pub secret: ThreadSecret,
    /// First part.
    pub part: Vec<u8>,
}

impl Data {
    /// Parses what a cell was opened to; `None` is void. [H-2]
    pub fn decode(data: &[u8]) -> Option<Self> {
        let (&tag, rest) = data.split_first()?;
        match tag {
            WHOLE => Some(Self::Whole(rest.to_vec())),
            HEAD => {
                let (total, rest) = rest.split_at_checked(4)?;
                let (secret, part) = rest.split_at_checked(32)?;
                let head = Head {
                    total: u32::from_be_bytes(total.try_into().ok()?),
                    secret: ThreadSecret::try_from(secret).ok()?,
                    part: part.to_vec(),
                };
                head.is_well_formed().then_some(Self::Head(head))
            }
            _ => None,
        }
    }

    /// Encodes for [`Slot::seal`].
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Whole(payload) => [&[WHOLE], payload.as_slice()].concat(),
            Self::Head(head) => [
                &[HEAD],
                head.total.to_be_bytes().as_slice(),
                head.secret.as_bytes(),
                &head.part,
            ]
            .concat(),
        }
    }
}

impl Head {
    /// Bytes left for the bodies.
    fn rest(&self) -> usize {
        (self.total as usize).saturating_sub(self.part.len())
    }

    /// Number of bodies, at least one.
    pub fn bodies(&self) -> usize {
        self.rest().div_ceil(BODY_PART_MAX)
    }

    /// A head has 1 to 64 bodies, and its own part is full or empty. [H-3]
    fn is_well_formed(&self) -> bool {
        let part_is_full_or_empty = self.part.is_empty() || self.part.len() == HEAD_PART_MAX;
        part_is_full_or_empty && (1..=HEAD_BODIES_MAX).contains(&self.bodies())
    }

    /// Bytes that body number `index` must carry.
    pub fn body_len(&self, index: usize) -> usize {
        self.rest()
            .saturating_sub(index.saturating_mul(BODY_PART_MAX))
            .min(BODY_PART_MAX)
    }

    /// Slot of body number `index`.
    pub fn body_slot(&self, index: usize, erasable: bool) -> Slot {
        Slot::derive_body(&self.secret, index as u64, erasable)
    }

    /// Checks what body number `index` was opened to; `None` makes the head void. [H-4]
    pub fn body_part(&self, index: usize, data: &[u8]) -> Option<Vec<u8>> {
        let (&tag, part) = data.split_first()?;
        (tag == WHOLE && part.len() == self.body_len(index)).then(|| part.to_vec())
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Data").finish_non_exhaustive()
    }
}

/// A payload cut into what goes into the head's slot and what goes into bodies before it.
pub struct Split {
    /// What stands in the slot itself.
    pub data: Data,
    /// Encoded data of the bodies, in order.
    pub bodies: Vec<Vec<u8>>,
}

impl Split {
    /// Cuts a payload; `secret` is used only where it doesn't fit one cell. [H-1]
    ///
    /// # Errors
    /// [`TooLong`] above [`PAYLOAD_BYTES_MAX`].
    pub fn of(payload: &[u8], secret: ThreadSecret) -> Result<Self, TooLong> {
        if payload.len() < CELL_DATA_MAX {
            return Ok(Self {
                data: Data::Whole(payload.to_vec()),
                bodies: Vec::new(),
            });
        }
        Self::with_part(payload, HEAD_PART_MAX, secret)
    }

    /// Cuts a payload so that the head's own part is empty, whatever its length. [H-5]
    ///
    /// # Errors
    /// [`TooLong`] where 64 bodies don't hold it, or it is empty.
    pub fn all_in_bodies(payload: &[u8], secret: ThreadSecret) -> Result<Self, TooLong> {
        Self::with_part(payload, 0, secret)
    }

    fn with_part(payload: &[u8], part: usize, secret: ThreadSecret) -> Result<Self, TooLong> {
        let (part, rest) = payload.split_at_checked(part).ok_or(TooLong)?;
        let total = u32::try_from(payload.len()).map_err(|_| TooLong)?;
        let head = Head {
            total,
            secret,
            part: part.to_vec(),
        };
        if !head.is_well_formed() {
            return Err(TooLong);
        }
        let bodies = rest
            .chunks(BODY_PART_MAX)
            .map(|chunk| [&[WHOLE], chunk].concat())
            .collect();
        Ok(Self {
            data: Data::Head(head),
            bodies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejoin(split: &Split) -> Vec<u8> {
        match Data::decode(&split.data.encode()).unwrap() {
            Data::Whole(payload) => payload,
            Data::Head(head) => {
                let mut payload = head.part.clone();
                assert_eq!(head.bodies(), split.bodies.len());
                for (index, body) in split.bodies.iter().enumerate() {
                    payload.extend(head.body_part(index, body).unwrap());
                }
                payload
            }
        }
    }

    #[test]
    fn every_length_around_an_edge_comes_back() {
        let edges = [
            0,
            1,
            CELL_DATA_MAX - 1,
            CELL_DATA_MAX,
            HEAD_PART_MAX + BODY_PART_MAX,
            PAYLOAD_BYTES_MAX,
        ];
        for len in edges
            .into_iter()
            .flat_map(|edge| edge.saturating_sub(1)..=edge + 1)
        {
            let payload = vec![5; len];
            match Split::of(&payload, ThreadSecret::from_bytes([1; 32])) {
                Ok(split) => assert_eq!(rejoin(&split), payload),
                Err(TooLong) => assert!(len > PAYLOAD_BYTES_MAX),
            }
        }
    }

    #[test]
    fn the_figure_of_the_largest_payload_holds() {
        assert_eq!(PAYLOAD_BYTES_MAX, 263_409);
    }

    /// [H-4]
    #[test]
    fn a_body_of_another_length_or_tag_is_void() {
        let payload = vec![5; HEAD_PART_MAX + BODY_PART_MAX + 10];
        let split = Split::of(&payload, ThreadSecret::from_bytes([1; 32])).unwrap();
        let Data::Head(head) = &split.data else {
            panic!("not a head");
        };
        for (index, body) in split.bodies.iter().enumerate() {
            assert!(head.body_part(index, body).is_some());
            let longer = [body.as_slice(), &[0]].concat();
            let tagged = [&[HEAD], &body[1..]].concat();
            for wrong in [&body[..body.len() - 1], &longer, &tagged, &[]] {
                assert!(head.body_part(index, wrong).is_none());
            }
        }
        assert!(head.body_part(2, &[WHOLE, 5]).is_none());
    }
}
