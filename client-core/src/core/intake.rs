//! A person's contact with a desk, until it is stored: her side of (r, waiting), and the intake. [I-1]–[I-5]
//!
//! Her KeyPackage stands in the waiting thread before the intake is dropped, so that whoever opens it
//! can answer at once. What doesn't fit the intake, and what she adds, goes there too, sealed to the
//! same intake key.

mod ending;
mod event;
mod package;
mod reason;
mod returning;
mod text;

use std::{collections::VecDeque, time::Duration};

use cobijo_protocol::{
    card::{Card, CardVersion},
    cbor,
    cell::Cell,
    commit::{Statement, sign_person_rescue},
    credential::PersonLeaf,
    intake::{ENCAPSULATION_BYTES, Intake, IntakeKind, Waiting, intake_info, waiting_info},
    keys::{PublicKey, SecretKey},
    link::DeskId,
    mailbox::MailboxKey,
    opening::Opening,
    parts::PAYLOAD_BYTES_MAX,
    slot::{Kind, ThreadSecret},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    contest::{Contest, random},
    erasing::Erasing,
    port::{Dropped, Now, Rng, Seen, Wants},
    thread::Content,
};
use crate::mls::{MlsError, Suite, hpke};
use reason::begin;

pub use event::{ContactError, ContactEvent};
pub use reason::{PersonPackage, Reason};

/// Time after which a full mailbox, or a card that names no mailbox, is tried again.
pub const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Bytes of one text: what a payload holds, sealed.
pub const TEXT_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - ENCAPSULATION_BYTES - 64;

/// A contact with a desk.
#[derive(Clone, Serialize, Deserialize)]
pub struct Contact {
    desk: DeskId,
    r: ThreadSecret,
    person: SecretKey,
    language: String,
    kind: IntakeKind,
    /// What goes into the intake.
    first: String,
    /// What goes on in the waiting thread.
    more: Vec<String>,
    package: Option<PersonPackage>,
    /// KeyPackages of hers before that: somebody may be answering with one of them.
    #[serde(default)]
    older: VecDeque<PersonPackage>,
    card: Option<SealedTo>,
    /// Not yet standing in the waiting thread, in order.
    pending: VecDeque<Part>,
    thread: Contest,
    /// What erases the bodies of what was put there.
    #[serde(default)]
    bodies: Erasing,
    /// Where her KeyPackage stands, and for a rescue the statement.
    package_at: Option<u64>,
    /// The highest serial of hers that was given out, or seen in the waiting thread.
    serial: u32,
    /// A return phrase is kept: another device of hers may come into the waiting thread.
    is_kept: bool,
    /// It has.
    is_replaced: bool,
    #[serde(default)]
    rescue_at: Option<u64>,
    stage: Stage,
    /// When it was last seen to stand there, on this connection.
    #[serde(skip)]
    looked: Option<Now>,
    #[serde(skip)]
    events: VecDeque<ContactEvent>,
}

/// What the intake is sealed to.
#[derive(Clone, Serialize, Deserialize)]
struct SealedTo {
    version: CardVersion,
    root: PublicKey,
    mailbox: MailboxKey,
    intake_key: ByteBuf,
    opening: Opening,
    wait_minutes: (u16, u16),
    cell: Cell,
}

/// Something that is to stand in the waiting thread.
#[derive(Clone, Serialize, Deserialize)]
enum Part {
    KeyPackage(ByteBuf),
    Rescue(Statement),
    /// Position in `more`.
    More(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// A card is needed, from then on.
    NeedsCard { from: Now },
    /// The waiting thread, then the drop.
    Going,
    /// The mailbox is full: tried again then.
    Full { until: Now },
    /// The intake is stored.
    Stored,
    /// She took it back; slots of the waiting thread below this index are still to be erased.
    TakenBack { below: u64 },
}

impl Contact {
    /// Begins: makes `r`, and for a first contact the person key. A card is needed next.
    ///
    /// # Errors
    /// [`ContactError::TooLong`], or [`ContactError::Mls`].
    pub fn new(
        suite: Suite,
        desk: DeskId,
        reason: Reason,
        language: &str,
        text: &str,
        rng: &mut Rng,
    ) -> Result<Self, ContactError> {
        let r = ThreadSecret::from_bytes(random(rng));
        let (person, kind, serial) = begin(&r, reason.clone(), rng);
        let package = serial
            .map(|serial| PersonPackage::new(suite, &person, serial, PersonLeaf::Device, rng))
            .transpose()?;
        let mut contact = Self {
            desk,
            thread: Contest::new(r.clone(), Kind::Waiting, 0),
            bodies: Erasing::new(),
            r,
            person,
            language: language.to_owned(),
            kind,
            first: String::new(),
            more: Vec::new(),
            pending: package
                .iter()
                .map(|own| Part::KeyPackage(ByteBuf::from(own.package.message())))
                .collect(),
            package,
            older: VecDeque::new(),
            card: None,
            package_at: None,
            serial: serial.unwrap_or(0),
            is_kept: false,
            is_replaced: false,
            rescue_at: None,
            stage: Stage::NeedsCard {
                from: Now::default(),
            },
            looked: None,
            events: VecDeque::new(),
        };
        if let (Reason::Rescue { group, person, .. }, Some(own)) = (&reason, &contact.package) {
            let statement = sign_person_rescue(person, group, &own.key.public());
            contact.pending.push_back(Part::Rescue(statement));
        }
        contact.write(text)?;
        Ok(contact)
    }

    /// Secret of the threads she waits in.
    pub fn r(&self) -> &ThreadSecret {
        &self.r
    }

    /// Her key.
    pub fn person(&self) -> &SecretKey {
        &self.person
    }

    /// Root key of the desk, once a card was given.
    pub fn root(&self) -> Option<PublicKey> {
        self.card.as_ref().map(|card| card.root)
    }

    /// What the intake is sealed to, once a card was given.
    pub fn intake_key(&self) -> Option<&[u8]> {
        self.card.as_ref().map(|card| card.intake_key.as_slice())
    }

    /// The leaf that is to be added; none where she is a member and follows.
    pub fn package(&self) -> Option<&PersonPackage> {
        self.package.as_ref()
    }

    /// All that she wrote, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first)
            .chain(&self.more)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// Whether the intake is stored.
    pub fn is_stored(&self) -> bool {
        self.stage == Stage::Stored
    }

    /// Whether a card is to be fetched and given to [`Self::handle_card`].
    pub fn needs_card(&self, now: Now) -> bool {
        matches!(self.stage, Stage::NeedsCard { from } if from <= now)
    }

    /// Whether it can't go on without a card, now or later.
    pub fn lacks_card(&self) -> bool {
        matches!(self.stage, Stage::NeedsCard { .. })
    }

    /// Seals the intake to a card whose signatures hold. [I-2]
    ///
    /// # Errors
    /// [`ContactError`]: another card is needed.
    pub fn handle_card(
        &mut self,
        card: &Card,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ContactError> {
        if let Some(seen) = &self.card {
            if card.version() < seen.version {
                return Err(ContactError::Lower);
            }
            if card.desk_key.root != seen.root {
                return Err(ContactError::AnotherDesk);
            }
        }
        if card.daily.desk != self.desk {
            return Err(ContactError::AnotherDesk);
        }
        if !matches!(self.stage, Stage::NeedsCard { .. }) {
            return Ok(());
        }
        if self
            .card
            .as_ref()
            .is_some_and(|seen| seen.version == card.version())
        {
            self.postpone_card(now);
            return Ok(());
        }
        if card.is_expired(now.day()) {
            self.events.push_back(ContactEvent::CardExpired);
        }
        self.seal_to(card)?;
        self.stage = Stage::Going;
        self.contend(rng)
    }

    fn seal_to(&mut self, card: &Card) -> Result<(), ContactError> {
        let plaintext = self
            .intake()
            .to_plaintext()
            .map_err(|_| ContactError::TooLong)?;
        let info = intake_info(&self.desk, card.body.version, card.daily.day);
        let sealed = hpke::seal(&card.daily.intake_key, &info, &plaintext)?;
        let key_changed = self
            .card
            .as_ref()
            .is_some_and(|old| old.intake_key != card.daily.intake_key);
        if key_changed {
            // What was sealed to the other key can't be opened by whoever opens this intake.
            self.thread.withdraw();
            self.pending.retain(|part| !matches!(part, Part::More(_)));
            self.pending.extend((0..self.more.len()).map(Part::More));
        }
        self.card = Some(SealedTo {
            version: card.version(),
            root: card.desk_key.root,
            mailbox: card.daily.mailbox,
            intake_key: card.daily.intake_key.clone(),
            opening: card.body.opening.clone(),
            wait_minutes: card.body.wait_minutes,
            cell: Cell::try_from(sealed.as_slice()).map_err(|_| MlsError)?,
        });
        Ok(())
    }

    fn intake(&self) -> Intake {
        Intake {
            r: self.r.clone(),
            person: self.person.public(),
            language: self.language.clone(),
            kind: self.kind.clone(),
            text: self.first.clone(),
        }
    }

    /// Adds to what she wrote. [I-4]
    ///
    /// # Errors
    /// [`ContactError::TooLong`].
    pub fn add(&mut self, text: &str, rng: &mut Rng) -> Result<(), ContactError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ContactError::TooLong);
        }
        self.pending.push_back(Part::More(self.more.len()));
        self.more.push(text.to_owned());
        self.contend(rng)
    }

    /// What is wanted from the relay. Once `answered`, only what is on its way already.
    pub fn wants(&self, wants: &mut Wants) {
        match self.stage {
            Stage::TakenBack { .. } => {
                wants.erases.extend(self.to_erase());
            }
            Stage::NeedsCard { .. } if self.card.is_none() => {}
            Stage::NeedsCard { .. } | Stage::Going | Stage::Full { .. } | Stage::Stored => {
                if self.thread.is_contending() || self.is_kept {
                    self.thread.wants(wants);
                }
                let looks = self.looked.is_none();
                let standing = self.standing().filter(|_| looks);
                wants.watch.extend(standing);
                if let (Stage::Going, true, Some(card)) =
                    (self.stage, self.is_written(), &self.card)
                {
                    wants.drops.push((card.mailbox, card.cell.clone()));
                }
            }
        }
    }

    /// Whether all that must stand before the intake does.
    fn is_written(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        self.look_at_package(seen, now, rng);
        if let Seen::Dropped(mailbox, dropped) = seen {
            self.handle_dropped(*mailbox, *dropped, now);
        }
        if let Seen::Erased(at) = seen {
            self.erased(*at);
        }
        let is_over = matches!(self.stage, Stage::TakenBack { .. });
        if is_over || !(self.thread.is_contending() || self.is_kept) {
            return;
        }
        let Some(candidate) = self.thread.handle_seen(seen) else {
            return;
        };
        if candidate.mine {
            self.thread.withdraw();
            let part = self.pending.pop_front();
            self.note_standing(part.as_ref(), candidate.index);
            if matches!(part, Some(Part::More(_))) && self.is_stored() {
                self.events.push_back(ContactEvent::AdditionStored);
            }
        }
        if let (false, Content::Payload(payload)) = (candidate.mine, &candidate.content) {
            self.read_other(payload);
        }
        self.thread.skip(rng);
        self.keep_bodies();
        // A text that no longer fits its payload can't be: its length was checked when it was taken.
        let _fits = self.contend(rng);
    }

    fn handle_dropped(&mut self, mailbox: MailboxKey, dropped: Dropped, now: Now) {
        let Some(card) = self.card.as_ref().filter(|card| card.mailbox == mailbox) else {
            return;
        };
        if self.stage != Stage::Going {
            return;
        }
        self.stage = match dropped {
            Dropped::Stored => {
                self.events.push_back(ContactEvent::Stored {
                    wait_minutes: card.wait_minutes,
                    opening: card.opening.clone(),
                });
                Stage::Stored
            }
            Dropped::Full => {
                self.events.push_back(ContactEvent::Full);
                Stage::Full {
                    until: now.plus(RETRY_AFTER),
                }
            }
            Dropped::Unknown => Stage::NeedsCard {
                from: Now::default(),
            },
        };
    }

    /// The fetched card is the one whose mailbox is unknown, or there was none: later again.
    pub fn postpone_card(&mut self, now: Now) {
        if let Stage::NeedsCard { from } = &mut self.stage {
            *from = now.plus(RETRY_AFTER);
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Now> {
        match self.stage {
            Stage::Full { until } => Some(until),
            Stage::NeedsCard { from } => Some(from).filter(|&from| from > Now::default()),
            Stage::Stored => self.looked.map(|looked| looked.plus(self.look_again())),
            Stage::Going | Stage::TakenBack { .. } => None,
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        if matches!(self.stage, Stage::Full { until } if until <= now) {
            self.stage = Stage::Going;
        }
        let again = self.look_again();
        self.looked.take_if(|looked| now.since(*looked) >= again);
    }

    /// What she is to be told.
    pub fn poll_event(&mut self) -> Option<ContactEvent> {
        self.events.pop_front()
    }

    /// Puts the next part on its way.
    fn contend(&mut self, rng: &mut Rng) -> Result<(), ContactError> {
        let (Some(card), Some(part)) = (&self.card, self.pending.front()) else {
            return Ok(());
        };
        if self.thread.is_contending() {
            return Ok(());
        }
        let payload = match part {
            Part::KeyPackage(message) => Waiting::KeyPackage(message.clone()),
            Part::Rescue(statement) => Waiting::Rescue(statement.clone()),
            Part::More(position) => {
                let text = self.more.get(*position).map_or("", String::as_str);
                let sealed = hpke::seal(&card.intake_key, &waiting_info(&self.r), text.as_bytes())?;
                Waiting::More(ByteBuf::from(sealed))
            }
        };
        self.thread
            .contend(cbor::encode(&payload), rng)
            .map_err(|_| ContactError::TooLong)?;
        self.keep_bodies();
        Ok(())
    }
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").finish_non_exhaustive()
    }
}
