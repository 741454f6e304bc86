//! Stores and erases capsules, and opens none. [B-5]

use cobijo_protocol::{
    Day,
    capsule::{Capsule, capsule_month},
    limits::{CAPSULE_MONTH_DAYS, CAPSULE_SLOTS_MAX, PHRASE_GENERATIONS},
    slot::{Kind, ThreadSecret},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Erasing, Found, erasing, seal};
use crate::{
    core::{
        contest::Contest,
        erasing::ERASES_AT_ONCE,
        phrase::{Generation, PhraseKeys},
        port::{Rng, Seen, Wants},
        thread::Content,
    },
    mls::MlsError,
};

/// Slots of others' that are passed over for one capsule: whoever holds a copy of this profile pays
/// for each.
const PASSED_MAX: u32 = 8;

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
    /// Where whoever came back goes on once she has taken her place.
    next: Option<Box<Next>>,
    /// Gives way where somebody else's stands at the next index.
    yields: bool,
    /// Slots of others' that it has passed over.
    passed: u32,
    /// Month of the last capsule that was stored.
    stored: Option<u32>,
    /// The relay's day and the own are too far apart to tell the month.
    #[serde(skip)]
    is_held: bool,
}

/// The generation that no device of hers knew before.
#[derive(Clone, Serialize, Deserialize)]
struct Next {
    find: ThreadSecret,
    public: ByteBuf,
    /// The capsule on its way, sealed for it.
    sealed: Option<ByteBuf>,
}

/// What became of a capsule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stands.
    Stored,
    /// Somebody else who has the phrase, or had it once, was first: it was not stored.
    Overtaken,
    /// The month has no slot left that a finder looks at: it was not stored.
    Full,
    /// The relay's day and the own are too far apart to tell the month: it was not stored.
    WrongDay,
}

impl Keeper {
    /// Keeps what a phrase finds: nothing yet.
    ///
    /// # Errors
    /// [`MlsError`] where the crypto provider fails.
    pub fn new(keys: &PhraseKeys) -> Result<Self, MlsError> {
        Self::of(&keys.generation(0))
    }

    fn of(keys: &Generation) -> Result<Self, MlsError> {
        Ok(Self {
            find: keys.find().clone(),
            public: ByteBuf::from(keys.pair()?.public),
            at: None,
            sealed: None,
            standing: Vec::new(),
            old: Erasing::new(),
            next: None,
            yields: false,
            passed: 0,
            stored: None,
            is_held: false,
        })
    }

    /// Goes on where a finder has ended, and from [`Self::move_on`] in the next generation.
    ///
    /// # Errors
    /// [`MlsError`] where the crypto provider fails.
    pub fn after(keys: &PhraseKeys, found: &Found) -> Result<Self, MlsError> {
        let mut keeper = Self::of(&keys.generation(found.generation))?;
        let number = found.generation + 1;
        if number < PHRASE_GENERATIONS {
            let next = keys.generation(number);
            keeper.next = Some(Box::new(Next {
                find: next.find().clone(),
                public: ByteBuf::from(next.pair()?.public),
                sealed: None,
            }));
        }
        let (month, index) = found.free;
        let contest = Contest::at(keeper.find.clone(), Kind::Capsule, month, index);
        keeper.at = Some((month, contest));
        let oldest_first = found.capsules.iter().rev();
        keeper.standing = oldest_first.map(|found| found.erasing.clone()).collect();
        Ok(keeper)
    }

    /// Wants a capsule to stand; the older ones stay until [`Self::forget_older`]. One that yields gives
    /// way to whatever else is stored next, others pass over some of it.
    ///
    /// # Errors
    /// [`MlsError`] where it can't be sealed.
    pub fn store(
        &mut self,
        capsule: &Capsule,
        yields: bool,
        rng: &mut Rng,
    ) -> Result<(), MlsError> {
        let sealed = seal(&self.public, capsule)?;
        if let Some(next) = &mut self.next {
            next.sealed = Some(ByteBuf::from(seal(&next.public, capsule)?));
        }
        (self.yields, self.passed) = (yields, 0);
        if let Some((_, contest)) = &mut self.at {
            contest.contend(sealed.clone(), rng).map_err(|_| MlsError)?;
        }
        self.sealed = Some(ByteBuf::from(sealed));
        Ok(())
    }

    /// Stores the last capsule in the next generation, of which an older device of hers knows nothing.
    pub fn move_on(&mut self, rng: &mut Rng) {
        // Whoever came back later, by what stands here, stores hers there too.
        self.yields = false;
        self.begin_next(rng);
    }

    fn begin_next(&mut self, rng: &mut Rng) {
        let Some(next) = self.next.take() else {
            return;
        };
        self.give_up();
        (self.find, self.public, self.sealed) = (next.find, next.public, next.sealed);
        self.passed = 0;
        if let Some((month, _)) = self.at.take() {
            self.begin(month, rng);
        }
    }

    /// Whether what stands is in a month that has not come: nobody looks there.
    pub fn lies_ahead(&self) -> bool {
        let month = self.at.as_ref().map(|(month, _)| *month);
        self.stored > month
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
    pub fn handle_seen(&mut self, seen: &Seen, today: Day, rng: &mut Rng) -> Option<Kept> {
        match seen {
            Seen::Connected(relay) => self.enter_month(relay.day, today, rng),
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
        if self.is_held {
            self.give_up();
            return Some(Kept::WrongDay);
        }
        if self.is_full() {
            return self.handle_full(rng);
        }
        let (month, contest) = self.at.as_mut()?;
        let candidate = contest.handle_seen(seen)?;
        if candidate.mine {
            self.stored = Some(*month);
            self.remember_own();
            self.give_up();
            self.skip(rng);
            return Some(Kept::Stored);
        }
        if !matches!(candidate.content, Content::Void | Content::Gone) {
            // Nothing of it stands: its bodies, if any, are of no use to anybody.
            self.forget_own();
            self.passed += 1;
            if self.yields || self.passed > PASSED_MAX {
                self.give_up();
                self.skip(rng);
                return Some(Kept::Overtaken);
            }
        }
        self.skip(rng);
        if self.is_full() {
            return self.handle_full(rng);
        }
        None
    }

    /// No finder looks at index 256 [B-3].
    fn is_full(&self) -> bool {
        let contest = self.at.as_ref().map(|(_, contest)| contest);
        contest.is_some_and(|contest| contest.index() >= CAPSULE_SLOTS_MAX)
    }

    fn handle_full(&mut self, rng: &mut Rng) -> Option<Kept> {
        if self.next.is_some() {
            // She alone has the next generation, so it has room.
            self.begin_next(rng);
            return None;
        }
        self.give_up();
        Some(Kept::Full)
    }

    /// A new month has a thread of its own: what is on its way goes there. A wrong day of the relay's
    /// sends nothing where nobody looks. [B-3]
    fn enter_month(&mut self, day: Day, today: Day, rng: &mut Rng) {
        // Whoever comes back goes on where her finder has looked.
        let is_finders = self.next.is_some() || self.yields;
        self.is_held = !is_finders && day.abs_diff(today) > CAPSULE_MONTH_DAYS;
        let own = if is_finders {
            day
        } else {
            today.saturating_add(1)
        };
        let month = capsule_month(day.min(own));
        let known = self.at.as_ref().map(|(month, _)| *month);
        if self.is_held || known == Some(month) {
            return;
        }
        // It may stand in the old one all the same.
        self.remember_own();
        self.begin(month, rng);
    }

    fn begin(&mut self, month: u32, rng: &mut Rng) {
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
