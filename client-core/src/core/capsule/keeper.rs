//! Stores and erases capsules, and opens none. [B-5]

use cobijo_protocol::{
    capsule::{Capsule, capsule_month},
    limits::CAPSULE_SLOTS_MAX,
    slot::{Kind, ThreadSecret},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Erasing, Found, erasing, seal};
use crate::{
    core::{
        contest::Contest,
        erasing::ERASES_AT_ONCE,
        phrase::PhraseKeys,
        port::{Rng, Seen, Wants},
        thread::Content,
    },
    mls::MlsError,
};

/// Keeps the capsules of one phrase.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keeper {
    find: ThreadSecret,
    /// What capsules are sealed to.
    public: ByteBuf,
    /// The month, and the first slot of it that is not known to be taken.
    at: Option<(u32, Contest)>,
    /// The sealed capsule that is to stand.
    sealed: Option<ByteBuf>,
    /// Capsules that stand, or may; oldest first.
    standing: Vec<Erasing>,
    /// What is still to be erased.
    old: Erasing,
}

/// What became of a capsule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stands.
    Stored,
    /// Somebody else who has the phrase, or had it once, was first: it was not stored.
    Overtaken,
}

impl Keeper {
    /// Keeps what a phrase finds: nothing yet.
    ///
    /// # Errors
    /// [`MlsError`] where the crypto provider fails.
    pub fn new(keys: &PhraseKeys) -> Result<Self, MlsError> {
        Ok(Self {
            find: keys.find().clone(),
            public: ByteBuf::from(keys.pair()?.public),
            at: None,
            sealed: None,
            standing: Vec::new(),
            old: Erasing::new(),
        })
    }

    /// Goes on where a finder has ended.
    ///
    /// # Errors
    /// [`MlsError`] where the crypto provider fails.
    pub fn after(keys: &PhraseKeys, found: &Found) -> Result<Self, MlsError> {
        let mut keeper = Self::new(keys)?;
        let (month, index) = found.free;
        let contest = Contest::at(keeper.find.clone(), Kind::Capsule, month, index);
        keeper.at = Some((month, contest));
        let oldest_first = found.capsules.iter().rev();
        keeper.standing = oldest_first.map(|found| found.erasing.clone()).collect();
        Ok(keeper)
    }

    /// Wants a capsule to stand; the older ones stay until [`Self::forget_older`].
    ///
    /// # Errors
    /// [`MlsError`] where it can't be sealed.
    pub fn store(&mut self, capsule: &Capsule, rng: &mut Rng) -> Result<(), MlsError> {
        let sealed = seal(&self.public, capsule)?;
        if let Some((_, contest)) = &mut self.at {
            contest.contend(sealed.clone(), rng).map_err(|_| MlsError)?;
        }
        self.sealed = Some(ByteBuf::from(sealed));
        Ok(())
    }

    /// Whether a capsule is on its way.
    pub fn is_storing(&self) -> bool {
        self.sealed.is_some()
    }

    /// Whether something is wanted from the relay.
    pub fn is_busy(&self) -> bool {
        self.is_storing() || !self.old.is_empty()
    }

    /// Erases all but the last: what they lead to is superseded.
    pub fn forget_older(&mut self) {
        let last = self.standing.pop();
        self.old.extend(self.standing.drain(..).flatten());
        self.standing.extend(last);
    }

    /// Erases all.
    pub fn forget_all(&mut self) {
        // What is on its way may stand already.
        self.remember_own();
        self.give_up();
        self.old.extend(self.standing.drain(..).flatten());
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        if let (Some((_, contest)), true) = (&self.at, self.is_storing()) {
            contest.wants(wants);
        }
        let old = self.old.iter().take(ERASES_AT_ONCE);
        wants.erases.extend(old.cloned());
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, rng: &mut Rng) -> Option<Kept> {
        match seen {
            Seen::Connected(relay) => self.enter_month(capsule_month(relay.day), rng),
            Seen::Erased(at) => self
                .old
                .retain(|(slot_key, erase_key)| slot_key.address(&erase_key.mark()) != *at),
            Seen::Empty(_)
            | Seen::Full(..)
            | Seen::Gone(_)
            | Seen::Stored(_)
            | Seen::Taken(_)
            | Seen::Dropped(..)
            | Seen::Item(..)
            | Seen::Removed(..) => {}
        }
        if !self.is_storing() {
            return None;
        }
        let (_, contest) = self.at.as_mut()?;
        let candidate = contest.handle_seen(seen)?;
        if candidate.mine {
            self.remember_own();
            self.give_up();
            self.skip(rng);
            return Some(Kept::Stored);
        }
        let is_void = matches!(candidate.content, Content::Void | Content::Gone);
        let is_full = candidate.index + 1 >= CAPSULE_SLOTS_MAX;
        if !is_void || is_full {
            // Nothing of it stands: its bodies, if any, are of no use to anybody.
            self.forget_own();
            self.give_up();
        }
        self.skip(rng);
        (!is_void || is_full).then_some(Kept::Overtaken)
    }

    /// A new month has a thread of its own: what is on its way goes there.
    fn enter_month(&mut self, month: u32, rng: &mut Rng) {
        if self.at.as_ref().is_some_and(|(known, _)| *known >= month) {
            return;
        }
        // It may stand in the old one all the same.
        self.remember_own();
        let mut contest = Contest::new(self.find.clone(), Kind::Capsule, month);
        if let Some(sealed) = &self.sealed {
            // It fitted when it was stored first.
            let _fits = contest.contend(sealed.to_vec(), rng);
        }
        self.at = Some((month, contest));
    }

    fn own(&self) -> Erasing {
        let own = self.at.as_ref().and_then(|(_, contest)| {
            let put = contest.own_chain().last()?;
            Some(erasing(&contest.slot(), &put.cell))
        });
        own.unwrap_or_default()
    }

    fn remember_own(&mut self) {
        let own = self.own();
        if !own.is_empty() {
            self.standing.push(own);
        }
    }

    fn forget_own(&mut self) {
        let own = self.own();
        self.old.extend(own.into_iter().skip(1));
    }

    fn give_up(&mut self) {
        self.sealed = None;
        if let Some((_, contest)) = &mut self.at {
            contest.withdraw();
        }
    }

    fn skip(&mut self, rng: &mut Rng) {
        if let Some((_, contest)) = &mut self.at {
            contest.skip(rng);
        }
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}
