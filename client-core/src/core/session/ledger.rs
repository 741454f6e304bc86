//! What was asked on this connection and what became of it, kept while it is wanted.
//!
//! Everything here is bounded by what the own machines want: nothing the relay sends adds an entry.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_protocol::{
    cell::{Cell, CellHash},
    frame::SlotState,
    limits::REGISTERED_ADDRESSES_MAX,
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};

use super::super::port::{Chain, Put};

/// Where one thing that was asked stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// In flight.
    Asked,
    /// As wanted.
    Done,
    /// Answered otherwise; asking again on this connection changes nothing.
    Refused,
}

/// What is neither a watch nor a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    Open(MailboxKey),
    Remove(MailboxKey, ItemId),
    Erase(Address),
    Drop(MailboxKey, CellHash),
}

/// Progress of tasks.
#[derive(Default)]
pub(super) struct Tasks(BTreeMap<Task, Progress>);

impl Tasks {
    pub(super) fn progress(&self, task: &Task) -> Option<Progress> {
        self.0.get(task).copied()
    }

    pub(super) fn set(&mut self, task: Task, progress: Progress) {
        self.0.insert(task, progress);
    }

    /// It goes again.
    pub(super) fn forget(&mut self, task: &Task) {
        self.0.remove(task);
    }

    /// Keeps what is wanted or in flight.
    pub(super) fn retain(&mut self, wanted: &BTreeSet<Task>) {
        self.0
            .retain(|task, progress| *progress == Progress::Asked || wanted.contains(task));
    }
}

/// Progress of puts, each with its bytes: other bytes for one address are another put.
#[derive(Default)]
pub(super) struct Puts(BTreeMap<Address, (Cell, Progress)>);

/// What of a chain goes next.
pub(super) enum Next<'a> {
    /// These, in order.
    Puts(Vec<(Address, &'a Put)>),
    /// Nothing now: it is stored, dead, or partly in flight.
    Nothing,
}

impl Puts {
    /// The part of a chain that is still to be sent. A chain ends where a put was refused.
    pub(super) fn next<'a>(&self, chain: &'a Chain) -> Next<'a> {
        let mut rest = Vec::new();
        for put in chain {
            let address = put.address();
            match self.0.get(&address) {
                Some((_, Progress::Asked)) => return Next::Nothing,
                Some((cell, Progress::Done)) if *cell == put.cell => {}
                Some((cell, Progress::Refused)) if *cell == put.cell => return Next::Nothing,
                Some(_) | None => rest.push((address, put)),
            }
        }
        if rest.is_empty() {
            Next::Nothing
        } else {
            Next::Puts(rest)
        }
    }

    pub(super) fn ask(&mut self, address: Address, cell: Cell) {
        self.0.insert(address, (cell, Progress::Asked));
    }

    pub(super) fn answer(&mut self, address: &Address, progress: Progress) {
        if let Some(put) = self.0.get_mut(address) {
            put.1 = progress;
        }
    }

    /// It goes again.
    pub(super) fn forget(&mut self, address: &Address) {
        self.0.remove(address);
    }

    /// Keeps what is wanted or in flight.
    pub(super) fn retain(&mut self, chains: &[Chain]) {
        let wanted: BTreeSet<Address> = chains.iter().flatten().map(Put::address).collect();
        self.0.retain(|address, (_, progress)| {
            *progress == Progress::Asked || wanted.contains(address)
        });
    }
}

/// What is known of a watched slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// In flight.
    Asked,
    /// Empty, and registered with the relay.
    Empty,
    /// Full; its cell is on its way.
    Coming,
    /// Its cell, or that it is gone, was told.
    Told,
}

/// Watched slots.
pub(super) struct Slots {
    known: BTreeMap<Address, Known>,
    registered_max: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            registered_max: REGISTERED_ADDRESSES_MAX,
        }
    }
}

impl Slots {
    /// Forgets what is no longer wanted, and returns what the relay must forget too.
    pub(super) fn unwatch(&mut self, wanted: &BTreeSet<Address>) -> Vec<Address> {
        let is_unwanted =
            |address: &Address, known: Known| known != Known::Asked && !wanted.contains(address);
        let registered = self
            .known
            .iter()
            .filter(|&(address, &known)| is_unwanted(address, known) && known != Known::Told)
            .map(|(&address, _)| address)
            .collect();
        self.known
            .retain(|address, known| !is_unwanted(address, *known));
        registered
    }

    /// Those of `wanted` that are neither known nor asked for, as far as registrations last.
    pub(super) fn watch(&mut self, wanted: &[Address]) -> Vec<Address> {
        let mut registered = self.registered();
        let mut new = Vec::new();
        for &address in wanted {
            if registered >= self.registered_max {
                break;
            }
            if self.known.contains_key(&address) {
                continue;
            }
            self.known.insert(address, Known::Asked);
            registered += 1;
            new.push(address);
        }
        new
    }

    /// Takes back what did not fit into a frame.
    pub(super) fn forget(&mut self, addresses: &[Address]) {
        for address in addresses {
            self.known.remove(address);
        }
    }

    /// What a watch was answered with. True where this is news.
    pub(super) fn answer(&mut self, address: &Address, state: SlotState) -> bool {
        let Some(known @ Known::Asked) = self.known.get_mut(address) else {
            return false;
        };
        *known = match state {
            SlotState::Empty => Known::Empty,
            SlotState::Full => Known::Coming,
            SlotState::Gone => Known::Told,
        };
        true
    }

    /// A push says what stands there. True where this was waited for.
    pub(super) fn push(&mut self, address: &Address) -> bool {
        match self.known.get_mut(address) {
            None | Some(Known::Told) => false,
            Some(known) => {
                *known = Known::Told;
                true
            }
        }
    }

    /// The relay registers no more: tries fewer, in the end none.
    pub(super) fn refuse(&mut self, addresses: &[Address]) {
        self.forget(addresses);
        self.registered_max = self.registered() + addresses.len() / 2;
    }

    fn registered(&self) -> usize {
        self.known
            .values()
            .filter(|known| matches!(known, Known::Asked | Known::Empty))
            .count()
    }
}
