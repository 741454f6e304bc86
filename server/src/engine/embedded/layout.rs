//! How it lies in sled: one tree, so that one batch is atomic over everything. The first byte of a key
//! says what it is, the first byte of every value is [`VERSION`].

use cobijo_protocol::{
    Day,
    card::CardVersion,
    cell::{Cell, CellHash},
    limits::CELL_BYTES,
    link::DeskId,
    mailbox::{ItemId, MailboxKey},
};
use sha2::{Digest, Sha256};

use crate::engine::{EngineError, Key};

/// First byte of every stored value.
const VERSION: u8 = 1;

const SLOT: u8 = b's';
const ITEM: u8 = b'i';
const ITEM_COUNT: u8 = b'n';
const EXPIRY: u8 = b'x';
const HOSTED: u8 = b'h';
const CARD: u8 = b'c';
const LAST_SWEEP: &[u8] = b"d";

const FULL: u8 = 0;
const GONE: u8 = 1;

/// A key as sled has it.
pub(super) type RawKey = Vec<u8>;

/// What stands in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SlotValue {
    Full { expires: Day, cell: Cell },
    Gone { expires: Day, hash: CellHash },
}

/// A card as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CardValue {
    pub(super) version: CardVersion,
    pub(super) mailbox: MailboxKey,
    pub(super) bytes: Vec<u8>,
}

impl Key {
    /// The key as sled has it.
    pub(super) fn raw(&self) -> RawKey {
        match self {
            Self::Slot(address) => [&[SLOT][..], address.as_bytes()].concat(),
            Self::Item(mailbox, item) => {
                [&[ITEM][..], mailbox.as_bytes(), item.as_bytes()].concat()
            }
        }
    }

    fn parse(raw: &[u8]) -> Result<Self, EngineError> {
        let foreign = |_| EngineError::Foreign;
        match raw.split_first() {
            Some((&SLOT, address)) => Ok(Self::Slot(address.try_into().map_err(foreign)?)),
            Some((&ITEM, rest)) => {
                let (mailbox, item) = rest
                    .split_at_checked(MailboxKey::LEN)
                    .ok_or(EngineError::Foreign)?;
                Ok(Self::Item(
                    mailbox.try_into().map_err(foreign)?,
                    item.try_into().map_err(foreign)?,
                ))
            }
            Some(_) | None => Err(EngineError::Foreign),
        }
    }
}

/// Prefix of all items of a mailbox.
pub(super) fn items_prefix(mailbox: &MailboxKey) -> RawKey {
    [&[ITEM][..], mailbox.as_bytes()].concat()
}

/// The item of an item's key.
pub(super) fn parse_item(raw: &[u8]) -> Result<ItemId, EngineError> {
    match Key::parse(raw)? {
        Key::Item(_, item) => Ok(item),
        Key::Slot(_) => Err(EngineError::Foreign),
    }
}

/// An item's id: the same cell in the same mailbox is the same item, so a drop may be repeated.
pub(super) fn item_id(mailbox: &MailboxKey, cell: &Cell) -> ItemId {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"cobijo/1 item")
        .chain_update(mailbox.as_bytes())
        .chain_update(cell.as_bytes())
        .finalize()
        .into();
    let mut id = [0; ItemId::LEN];
    id.copy_from_slice(&digest[..ItemId::LEN]);
    ItemId::from_bytes(id)
}

/// Key of the number of items in a mailbox.
pub(super) fn item_count_key(mailbox: &MailboxKey) -> RawKey {
    [&[ITEM_COUNT][..], mailbox.as_bytes()].concat()
}

/// Key that makes the sweep find `key` after `expires`.
pub(super) fn expiry_key(expires: Day, key: &Key) -> RawKey {
    [&[EXPIRY][..], &expires.to_be_bytes(), &key.raw()].concat()
}

/// All expiry keys of days before `day`.
pub(super) fn expired_before(day: Day) -> std::ops::Range<RawKey> {
    vec![EXPIRY]..[&[EXPIRY][..], &day.to_be_bytes()].concat()
}

/// What an expiry key makes the sweep find.
pub(super) fn parse_expiry(raw: &[u8]) -> Result<Key, EngineError> {
    Key::parse(
        raw.get(1 + size_of::<Day>()..)
            .ok_or(EngineError::Foreign)?,
    )
}

/// Key that says a desk is hosted.
pub(super) fn hosted_key(desk: &DeskId) -> RawKey {
    [&[HOSTED][..], desk.as_bytes()].concat()
}

/// Prefix of all [`hosted_key`]s.
pub(super) const HOSTED_PREFIX: &[u8] = &[HOSTED];

/// The desk of a [`hosted_key`].
pub(super) fn parse_hosted(raw: &[u8]) -> Result<DeskId, EngineError> {
    raw.get(1..)
        .and_then(|desk| desk.try_into().ok())
        .ok_or(EngineError::Foreign)
}

/// Key of a desk's card.
pub(super) fn card_key(desk: &DeskId) -> RawKey {
    [&[CARD][..], desk.as_bytes()].concat()
}

/// Key of the day of the last sweep.
pub(super) fn last_sweep_key() -> RawKey {
    LAST_SWEEP.to_vec()
}

/// A value that says nothing more than its key does.
pub(super) fn mark_value() -> Vec<u8> {
    vec![VERSION]
}

/// A value that is one number.
pub(super) fn number_value(number: u32) -> Vec<u8> {
    [&[VERSION][..], &number.to_be_bytes()].concat()
}

/// Reads a [`number_value`].
pub(super) fn parse_number(raw: &[u8]) -> Result<u32, EngineError> {
    let bytes = versioned(raw)?.try_into();
    Ok(u32::from_be_bytes(bytes.map_err(|_| EngineError::Foreign)?))
}

impl SlotValue {
    /// The value as sled has it.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Full { expires, cell } => [
                &[VERSION, FULL][..],
                &expires.to_be_bytes(),
                cell.as_bytes(),
            ]
            .concat(),
            Self::Gone { expires, hash } => {
                [&[VERSION, GONE][..], &expires.to_be_bytes(), hash].concat()
            }
        }
    }

    /// Reads what [`SlotValue::encode`] wrote.
    pub(super) fn decode(raw: &[u8]) -> Result<Self, EngineError> {
        let (kind, expires, rest) = Self::split(raw)?;
        let foreign = |_| EngineError::Foreign;
        match kind {
            FULL => Ok(Self::Full {
                expires,
                cell: rest.try_into().map_err(foreign)?,
            }),
            GONE => Ok(Self::Gone {
                expires,
                hash: rest.try_into().map_err(|_| EngineError::Foreign)?,
            }),
            _ => Err(EngineError::Foreign),
        }
    }

    /// Whether a cell stands there, without copying it.
    pub(super) fn is_full(raw: &[u8]) -> Result<bool, EngineError> {
        Ok(Self::split(raw)?.0 == FULL)
    }

    fn split(raw: &[u8]) -> Result<(u8, Day, &[u8]), EngineError> {
        let (&kind, rest) = versioned(raw)?.split_first().ok_or(EngineError::Foreign)?;
        let (expires, rest) = rest.split_first_chunk().ok_or(EngineError::Foreign)?;
        Ok((kind, Day::from_be_bytes(*expires), rest))
    }
}

/// An item as sled has it.
pub(super) fn item_value(expires: Day, cell: &Cell) -> Vec<u8> {
    [&[VERSION][..], &expires.to_be_bytes(), cell.as_bytes()].concat()
}

/// The day of expiry and the cell of an [`item_value`].
pub(super) fn parse_item_value(raw: &[u8]) -> Result<(Day, Cell), EngineError> {
    let (expires, cell) = versioned(raw)?
        .split_first_chunk()
        .ok_or(EngineError::Foreign)?;
    let cell: &[u8; CELL_BYTES] = cell.try_into().map_err(|_| EngineError::Foreign)?;
    Ok((Day::from_be_bytes(*expires), Cell::from_bytes(*cell)))
}

impl CardValue {
    /// The value as sled has it.
    pub(super) fn encode(&self) -> Vec<u8> {
        [
            &[VERSION][..],
            &self.version.desk_serial.to_be_bytes(),
            &self.version.version.to_be_bytes(),
            &self.version.day.to_be_bytes(),
            self.mailbox.as_bytes(),
            &self.bytes,
        ]
        .concat()
    }

    /// Reads what [`CardValue::encode`] wrote.
    pub(super) fn decode(raw: &[u8]) -> Result<Self, EngineError> {
        fn number(rest: &mut &[u8]) -> Result<u32, EngineError> {
            let (number, tail) = rest.split_first_chunk().ok_or(EngineError::Foreign)?;
            *rest = tail;
            Ok(u32::from_be_bytes(*number))
        }
        let mut rest = versioned(raw)?;
        let version = CardVersion {
            desk_serial: number(&mut rest)?,
            version: number(&mut rest)?,
            day: number(&mut rest)?,
        };
        let (mailbox, bytes) = rest
            .split_first_chunk::<{ MailboxKey::LEN }>()
            .ok_or(EngineError::Foreign)?;
        Ok(Self {
            version,
            mailbox: MailboxKey::from_bytes(*mailbox),
            bytes: bytes.to_vec(),
        })
    }
}

fn versioned(raw: &[u8]) -> Result<&[u8], EngineError> {
    match raw.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        Some(_) | None => Err(EngineError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::slot::Address;

    use super::*;

    /// Data directories outlive programs: these bytes change only together with [`VERSION`].
    #[test]
    fn keys_and_values_are_pinned() {
        let slot = Key::Slot(Address::from_bytes([0xaa; 32]));
        assert_eq!(slot.raw(), [&b"s"[..], &[0xaa; 32]].concat());
        let mailbox = MailboxKey::from_bytes([0xbb; 32]);
        let item = Key::Item(mailbox, ItemId::from_bytes([0xcc; 16]));
        let raw = [&b"i"[..], &[0xbb; 32], &[0xcc; 16]].concat();
        assert_eq!(item.raw(), raw);
        let expiry = [&b"x\0\0\x01\x02"[..], &raw].concat();
        assert_eq!(expiry_key(0x102, &item), expiry);
        assert_eq!(parse_expiry(&expiry), Ok(item));
        assert!(expired_before(0x103).contains(&expiry));
        assert!(!expired_before(0x102).contains(&expiry));
        let count = [&b"n"[..], &[0xbb; 32]].concat();
        assert_eq!(item_count_key(&mailbox), count);
        let desk = DeskId::from_bytes([0xdd; 16]);
        assert_eq!(hosted_key(&desk), [&b"h"[..], &[0xdd; 16]].concat());
        assert_eq!(card_key(&desk), [&b"c"[..], &[0xdd; 16]].concat());
        assert_eq!(last_sweep_key(), b"d");

        assert_eq!(mark_value(), [1]);
        assert_eq!(number_value(0x102), [1, 0, 0, 1, 2]);
        let cell = Cell::from_bytes([7; CELL_BYTES]);
        let value = [&[1, 0, 0, 1, 2][..], &[7; CELL_BYTES]].concat();
        assert_eq!(item_value(0x102, &cell), value);
        let expires = 0x102;
        let full = SlotValue::Full { expires, cell };
        let value = [&[1, 0, 0, 0, 1, 2][..], &[7; CELL_BYTES]].concat();
        assert_eq!(full.encode(), value);
        assert_eq!(SlotValue::decode(&value), Ok(full));
        let hash = [9; 32];
        let gone = SlotValue::Gone { expires, hash };
        let value = [&[1, 1, 0, 0, 1, 2][..], &[9; 32]].concat();
        assert_eq!(gone.encode(), value);
        assert_eq!(SlotValue::decode(&value), Ok(gone));
        let card = CardValue {
            version: CardVersion {
                desk_serial: 1,
                version: 2,
                day: 3,
            },
            mailbox,
            bytes: vec![4, 5],
        };
        let value = [
            &[1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..],
            &[0xbb; 32],
            &[4, 5],
        ]
        .concat();
        assert_eq!(card.encode(), value);
        assert_eq!(CardValue::decode(&value), Ok(card));
    }

    #[test]
    fn what_another_version_wrote_is_not_read() {
        let foreign = Some(EngineError::Foreign);
        for raw in [
            &[][..],
            &[2],
            &[2, 0, 0, 0, 0],
            &[1, 0],
            &[1, 2, 0, 0, 0, 0],
        ] {
            assert_eq!(SlotValue::decode(raw).err(), foreign);
            assert_eq!(parse_item_value(raw).err(), foreign);
            assert_eq!(CardValue::decode(raw).err(), foreign);
        }
        assert_eq!(parse_number(&[2, 0, 0, 0, 0]).err(), foreign);
        assert_eq!(parse_expiry(b"x\0\0\0\0z").err(), foreign);
        assert_eq!(parse_expiry(b"x").err(), foreign);
    }
}
