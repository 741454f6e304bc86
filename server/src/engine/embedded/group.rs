//! A group of writes that will be committed at once: it decides every outcome over what is on disk and
//! what the group itself has changed so far.

use std::collections::BTreeMap;

use cobijo_protocol::{
    Day,
    cell::Cell,
    limits::{MAILBOX_ITEMS_MAX, SWEEP_JUMP_DAYS_MAX},
    link::DeskId,
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};

use super::{
    durable::Durable,
    hosting::Hosting,
    layout::{self, CardValue, RawKey, SlotValue},
};
use crate::engine::{EngineError, Key, Life, NewCard, Swept, Wake, Write, Written};

/// Keys that one step of a sweep removes: a step must not keep writers waiting.
const SWEEP_STEP_KEYS: usize = 512;

/// Changes that are decided and not yet committed; `None` removes.
pub(super) type Changes = BTreeMap<RawKey, Option<Vec<u8>>>;

/// See the module.
pub(super) struct Group<'a> {
    durable: &'a Durable,
    hosting: &'a mut Hosting,
    changes: Changes,
    wakes: Vec<Wake>,
}

impl<'a> Group<'a> {
    /// An empty group over what `durable` has. What it changes in `hosting` stays changed: a group
    /// that can't be committed is the writer's last.
    pub(super) fn new(durable: &'a Durable, hosting: &'a mut Hosting) -> Self {
        Self {
            durable,
            hosting,
            changes: Changes::new(),
            wakes: Vec::new(),
        }
    }

    /// What is to be committed, and who is to be woken then.
    pub(super) fn finish(self) -> (Changes, Vec<Wake>) {
        (self.changes, self.wakes)
    }

    /// Runs one batch in order. [W-6]
    pub(super) fn apply(&mut self, writes: Vec<Write>) -> Result<Vec<Written>, EngineError> {
        let mut outcomes = Vec::with_capacity(writes.len());
        let mut skipping = false;
        for write in writes {
            if skipping {
                outcomes.push(Written::Skipped);
                continue;
            }
            let is_put = matches!(write, Write::Put { .. });
            let outcome = self.write(write)?;
            skipping = is_put && outcome != Written::Stored;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// One step of a sweep: `None` if there is more to remove.
    pub(super) fn sweep(&mut self, day: Day) -> Result<Option<Swept>, EngineError> {
        let last = self.number(layout::last_sweep_key())?;
        if last.is_some_and(|last| day.abs_diff(last) > SWEEP_JUMP_DAYS_MAX) {
            return Ok(Some(Swept::Refused));
        }
        let expired = self
            .durable
            .range(layout::expired_before(day), SWEEP_STEP_KEYS)?;
        for raw in &expired {
            self.expire(layout::parse_expiry(raw)?)?;
            self.changes.insert(raw.clone(), None);
        }
        if expired.len() == SWEEP_STEP_KEYS {
            return Ok(None);
        }
        if last != Some(day) {
            let value = layout::number_value(day);
            self.changes.insert(layout::last_sweep_key(), Some(value));
        }
        Ok(Some(Swept::Done))
    }

    fn write(&mut self, write: Write) -> Result<Written, EngineError> {
        match write {
            Write::Put {
                address,
                cell,
                life,
            } => self.put(address, cell, life),
            Write::Erase { address } => self.erase(address),
            Write::Drop {
                mailbox,
                cell,
                life,
            } => self.drop(mailbox, &cell, life),
            Write::Remove { mailbox, item } => self.remove(mailbox, item),
            Write::Card(card) => self.card(card),
            Write::Host { desk } => self.host(desk),
            Write::Unhost { desk } => self.unhost(&desk),
            Write::ConfirmDay { day } => {
                let value = layout::number_value(day);
                self.changes.insert(layout::last_sweep_key(), Some(value));
                Ok(Written::Done)
            }
        }
    }

    /// First write wins; the same bytes again are stored already, even after they were erased.
    fn put(&mut self, address: Address, cell: Cell, life: Life) -> Result<Written, EngineError> {
        let key = Key::Slot(address);
        let same = match self.slot(&key)? {
            Some(SlotValue::Full { cell: standing, .. }) => standing == cell,
            Some(SlotValue::Gone { hash, .. }) => hash == cell.hash(),
            None => {
                let expires = self.expires(life)?;
                self.insert(key, expires, SlotValue::Full { expires, cell }.encode());
                self.wakes.push(key);
                true
            }
        };
        Ok(if same {
            Written::Stored
        } else {
            Written::Taken
        })
    }

    /// The mark that stays expires with the slot.
    fn erase(&mut self, address: Address) -> Result<Written, EngineError> {
        let key = Key::Slot(address);
        if let Some(SlotValue::Full { expires, cell }) = self.slot(&key)? {
            let hash = cell.hash();
            let gone = SlotValue::Gone { expires, hash };
            self.changes.insert(key.raw(), Some(gone.encode()));
        }
        Ok(Written::Done)
    }

    /// The same cell in the same mailbox is one item.
    fn drop(
        &mut self,
        mailbox: MailboxKey,
        cell: &Cell,
        life: Life,
    ) -> Result<Written, EngineError> {
        let key = Key::Item(mailbox, layout::item_id(&mailbox, cell));
        if self.get(&key.raw())?.is_some() {
            return Ok(Written::Stored);
        }
        if !self.hosting.is_named(&mailbox) {
            return Ok(Written::Unknown);
        }
        let count = self
            .number(layout::item_count_key(&mailbox))?
            .unwrap_or_default();
        if usize::try_from(count).is_ok_and(|count| count >= MAILBOX_ITEMS_MAX) {
            return Ok(Written::Full);
        }
        let expires = self.expires(life)?;
        self.insert(key, expires, layout::item_value(expires, cell));
        self.count_items(&mailbox, count.saturating_add(1));
        self.wakes.push(key);
        Ok(Written::Stored)
    }

    fn remove(&mut self, mailbox: MailboxKey, item: ItemId) -> Result<Written, EngineError> {
        let key = Key::Item(mailbox, item);
        if let Some(value) = self.get(&key.raw())? {
            let (expires, _) = layout::parse_item_value(&value)?;
            self.changes.insert(layout::expiry_key(expires, &key), None);
            self.expire(key)?;
        }
        Ok(Written::Done)
    }

    /// Versions only grow; `Stored` is the desk's first. [D-6]
    fn card(&mut self, card: NewCard) -> Result<Written, EngineError> {
        if self.get(&layout::hosted_key(&card.desk))?.is_none() {
            return Ok(Written::Unknown);
        }
        let key = layout::card_key(&card.desk);
        let new = CardValue {
            version: card.version,
            mailbox: card.mailbox,
            bytes: card.bytes,
        };
        let standing = self.get(&key)?;
        let standing = standing.map(|raw| CardValue::decode(&raw)).transpose()?;
        let outcome = match &standing {
            None => Written::Stored,
            Some(standing) if new.version > standing.version => Written::Done,
            Some(standing) if *standing == new => return Ok(Written::Done),
            Some(_) => return Ok(Written::Outdated),
        };
        self.hosting.name(card.desk, new.mailbox);
        self.changes.insert(key, Some(new.encode()));
        Ok(outcome)
    }

    fn host(&mut self, desk: DeskId) -> Result<Written, EngineError> {
        let key = layout::hosted_key(&desk);
        if self.get(&key)?.is_none() {
            self.changes.insert(key, Some(layout::mark_value()));
            if let Some(card) = self.get(&layout::card_key(&desk))? {
                self.hosting.name(desk, CardValue::decode(&card)?.mailbox);
            }
        }
        Ok(Written::Done)
    }

    fn unhost(&mut self, desk: &DeskId) -> Result<Written, EngineError> {
        let key = layout::hosted_key(desk);
        if self.get(&key)?.is_some() {
            self.changes.insert(key, None);
            self.hosting.forget(desk);
        }
        Ok(Written::Done)
    }

    /// Stores, and lets the sweep find it.
    fn insert(&mut self, key: Key, expires: Day, value: Vec<u8>) {
        self.changes.insert(key.raw(), Some(value));
        self.changes.insert(
            layout::expiry_key(expires, &key),
            Some(layout::mark_value()),
        );
    }

    fn expire(&mut self, key: Key) -> Result<(), EngineError> {
        let raw = key.raw();
        if let Key::Item(mailbox, _) = key
            && self.get(&raw)?.is_some()
        {
            let count = self
                .number(layout::item_count_key(&mailbox))?
                .unwrap_or_default();
            self.count_items(&mailbox, count.saturating_sub(1));
        }
        self.changes.insert(raw, None);
        Ok(())
    }

    fn count_items(&mut self, mailbox: &MailboxKey, count: u32) {
        let value = (count > 0).then(|| layout::number_value(count));
        self.changes.insert(layout::item_count_key(mailbox), value);
    }

    fn slot(&self, key: &Key) -> Result<Option<SlotValue>, EngineError> {
        self.get(&key.raw())?
            .map(|value| SlotValue::decode(&value))
            .transpose()
    }

    fn expires(&self, life: Life) -> Result<Day, EngineError> {
        Ok(life.expires(self.number(layout::last_sweep_key())?))
    }

    fn number(&self, key: RawKey) -> Result<Option<u32>, EngineError> {
        self.get(&key)?
            .map(|value| layout::parse_number(&value))
            .transpose()
    }

    fn get(&self, key: &RawKey) -> Result<Option<Vec<u8>>, EngineError> {
        match self.changes.get(key) {
            Some(changed) => Ok(changed.clone()),
            None => self.durable.get(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Day = 20_000;
    /// Expires on `DAY`.
    const LIFE: Life = Life {
        day: DAY - 30,
        retention_days: 30,
    };

    fn durable() -> (tempfile::TempDir, Durable) {
        let directory = tempfile::tempdir().unwrap();
        let durable = Durable::open(directory.path()).unwrap();
        (directory, durable)
    }

    fn cell(byte: u8) -> Cell {
        Cell::from_bytes([byte; cobijo_protocol::limits::CELL_BYTES])
    }

    fn put(slot: u8, byte: u8) -> Write {
        Write::Put {
            address: Address::from_bytes([slot; 32]),
            cell: cell(byte),
            life: LIFE,
        }
    }

    fn commit(durable: &Durable, writes: Vec<Write>) -> Vec<Written> {
        let mut hosting = Hosting::read(durable).unwrap();
        let mut group = Group::new(durable, &mut hosting);
        let outcomes = group.apply(writes).unwrap();
        durable.commit(group.finish().0).unwrap();
        outcomes
    }

    fn sweep(durable: &Durable, day: Day) -> Option<Swept> {
        let mut hosting = Hosting::default();
        let mut group = Group::new(durable, &mut hosting);
        let swept = group.sweep(day).unwrap();
        durable.commit(group.finish().0).unwrap();
        swept
    }

    ///
    #[test]
    fn batches_of_one_group_see_each_other() {
        let (_directory, durable) = durable();
        let mut hosting = Hosting::default();
        let mut group = Group::new(&durable, &mut hosting);
        let first = group.apply(vec![put(1, 1), put(2, 2)]).unwrap();
        assert_eq!(first, [Written::Stored, Written::Stored]);
        let second = group.apply(vec![put(1, 1), put(2, 9), put(3, 3)]).unwrap();
        let expected = [Written::Stored, Written::Taken, Written::Skipped];
        assert_eq!(second, expected);
        let erase = Write::Erase {
            address: Address::from_bytes([1; 32]),
        };
        assert_eq!(group.apply(vec![erase]).unwrap(), [Written::Done]);
        assert_eq!(group.apply(vec![put(1, 9)]).unwrap(), [Written::Taken]);
        assert_eq!(group.apply(vec![put(1, 1)]).unwrap(), [Written::Stored]);
        let (_, wakes) = group.finish();
        assert_eq!(wakes.len(), 2);
    }

    #[test]
    fn a_desk_hosted_and_unhosted_within_one_group_is_seen_so() {
        let (_directory, durable) = durable();
        let desk = DeskId::from_bytes([1; 16]);
        let mailbox = MailboxKey::from_bytes([2; 32]);
        let card = NewCard {
            desk,
            version: cobijo_protocol::card::CardVersion {
                desk_serial: 1,
                version: 1,
                day: DAY,
            },
            mailbox,
            bytes: vec![3],
        };
        let drop = |byte| Write::Drop {
            mailbox,
            cell: cell(byte),
            life: LIFE,
        };
        let host = Write::Host { desk };
        let writes = vec![host.clone(), Write::Card(card), drop(1)];
        let expected = [Written::Done, Written::Stored, Written::Stored];
        assert_eq!(commit(&durable, writes), expected);
        let writes = vec![Write::Unhost { desk }, drop(2), drop(1), host, drop(2)];
        let expected = [
            Written::Done,
            Written::Unknown,
            Written::Stored,
            Written::Done,
            Written::Stored,
        ];
        assert_eq!(commit(&durable, writes), expected);
    }

    ///
    #[test]
    fn a_sweep_goes_on_until_everything_expired_is_removed() {
        let (_directory, durable) = durable();
        let many = u32::try_from(SWEEP_STEP_KEYS).unwrap() * 2 + 1;
        let writes = (0..many).map(|n| {
            let mut address = [0; 32];
            address[..4].copy_from_slice(&n.to_be_bytes());
            Write::Put {
                address: Address::from_bytes(address),
                cell: cell(1),
                life: LIFE,
            }
        });
        commit(&durable, writes.collect());
        commit(&durable, vec![Write::ConfirmDay { day: DAY }]);
        let mut steps = 0;
        loop {
            steps += 1;
            if let Some(swept) = sweep(&durable, DAY + 1) {
                assert_eq!(swept, Swept::Done);
                break;
            }
        }
        assert_eq!(steps, 3);
        assert_eq!(durable.with_prefix(b"s").unwrap().len(), 0);
        assert_eq!(durable.with_prefix(b"x").unwrap().len(), 0);
        assert_eq!(sweep(&durable, DAY + 3), Some(Swept::Done));
        assert_eq!(sweep(&durable, DAY + 6), Some(Swept::Refused));
        assert_eq!(sweep(&durable, DAY), Some(Swept::Refused));
    }

    ///
    #[test]
    fn a_clock_set_back_shortens_no_cells_life() {
        let (_directory, durable) = durable();
        let day = DAY;
        commit(&durable, vec![Write::ConfirmDay { day }]);
        let life = Life {
            day: DAY - 3650,
            retention_days: 30,
        };
        let address = Address::from_bytes([1; 32]);
        commit(
            &durable,
            vec![Write::Put {
                address,
                cell: cell(1),
                life,
            }],
        );
        for day in [DAY + 2, DAY + 4] {
            assert_eq!(sweep(&durable, day), Some(Swept::Done));
            assert_eq!(durable.with_prefix(b"s").unwrap().len(), 1);
        }
        commit(&durable, vec![Write::ConfirmDay { day: DAY + 30 }]);
        assert_eq!(sweep(&durable, DAY + 31), Some(Swept::Done));
        assert_eq!(durable.with_prefix(b"s").unwrap().len(), 0);
    }
}
