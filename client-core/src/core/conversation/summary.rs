//! The summary: which version is in force, who may not have read it, and what erases the others.
//!
//! What is in force is a function of what was said alone, in whatever order it is read, so that all see
//! the same. Texts of other versions are not kept; their names are, so that they can be erased.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cobijo_protocol::{
    content::MessageId,
    keys::PublicKey,
    limits::{
        SUMMARY_BYTES_MAX, SUMMARY_ERASED_AHEAD, SUMMARY_VERSION_OF_MEMBERS_MAX,
        SUMMARY_VERSION_ORDINARY_MAX,
    },
};
use serde::{Deserialize, Serialize};

use crate::core::{
    client::{EntryState, Speaker, SummaryView},
    port::Now,
};

/// Versions that are remembered by name; the oldest of whoever wrote most give way.
const NAMED_MAX: usize = 512;

/// The summary of a conversation.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Summary {
    in_force: Option<Version>,
    /// The highest that she erased up to.
    erased: Option<Order>,
    named: VecDeque<Named>,
    /// Whom a commit has added since the version in force was said last.
    unread_by: BTreeSet<PublicKey>,
    /// When this member says it again, to a person whose device changed.
    due: Option<Now>,
    /// Whether all that she erased is on its way to be gone from the relay.
    #[serde(skip)]
    is_swept: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Version {
    order: Order,
    /// The message that brought these words: saying them again changes nothing.
    id: MessageId,
    text: String,
    author: Option<Speaker>,
    own: bool,
    state: EntryState,
}

/// What decides which of two is in force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Order {
    version: u32,
    is_hers: bool,
    /// Of hers: what she said last.
    clock: u64,
    id: MessageId,
}

#[derive(Clone, Serialize, Deserialize)]
struct Named {
    author: PublicKey,
    order: Order,
}

/// A version as it was said.
pub(super) struct Told {
    pub(super) id: MessageId,
    pub(super) version: u32,
    pub(super) text: String,
    pub(super) clock: u64,
    /// Key of the leaf that said it.
    pub(super) key: PublicKey,
    pub(super) author: Option<Speaker>,
    /// Whether this client said it.
    pub(super) own: bool,
    pub(super) state: EntryState,
}

/// Why a summary can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// There is nothing in it, and only the person empties it.
    #[error("nothing in the summary")]
    Empty,
    /// Members' versions are used up.
    #[error("no version is left to members")]
    Full,
    /// Another one stands than the one that was seen.
    #[error("summary that is not the one that stands")]
    Newer,
    /// It is too long.
    #[error("summary that is too long")]
    TooLong,
}

impl Summary {
    /// Takes a version; true where the words in force are others now.
    pub(super) fn hear(&mut self, told: Told) -> bool {
        let is_hers = told.author == Some(Speaker::Person);
        let of_member = !told.text.is_empty() && told.version <= SUMMARY_VERSION_OF_MEMBERS_MAX;
        if told.text.len() > SUMMARY_BYTES_MAX || !(is_hers || of_member) {
            return false;
        }
        let order = Order {
            version: told.version,
            is_hers,
            clock: if is_hers { told.clock } else { 0 },
            id: told.id,
        };
        self.name(told.key, order);
        if told.text.is_empty() {
            self.erased = self.erased.max(Some(order));
        }
        match &mut self.in_force {
            Some(standing)
                if standing.order.version == order.version && standing.text == told.text =>
            {
                standing.order = standing.order.max(order);
                self.is_said();
                false
            }
            Some(standing) if order < standing.order => false,
            _ => {
                self.in_force = Some(Version {
                    order,
                    id: told.id,
                    text: told.text,
                    author: told.author,
                    own: told.own,
                    state: told.state,
                });
                self.is_said();
                true
            }
        }
    }

    /// Whoever is here can read what is in force.
    fn is_said(&mut self) {
        self.unread_by.clear();
        self.due = None;
    }

    fn name(&mut self, author: PublicKey, order: Order) {
        self.is_swept = false;
        self.named.push_back(Named { author, order });
        if self.named.len() <= NAMED_MAX {
            return;
        }
        let mut written: BTreeMap<PublicKey, usize> = BTreeMap::new();
        for named in &self.named {
            *written.entry(named.author).or_default() += 1;
        }
        let most = written.into_iter().max_by_key(|(_, count)| *count);
        let is_of_most = |named: &Named| most.is_some_and(|(author, _)| author == named.author);
        if let Some(oldest) = self.named.iter().position(is_of_most) {
            self.named.remove(oldest);
        }
    }

    /// What stands, where there is anything.
    fn standing(&self) -> Option<&Version> {
        self.in_force.as_ref().filter(|one| !one.text.is_empty())
    }

    /// Version and words of what stands.
    pub(super) fn words(&self) -> Option<(u32, String)> {
        let standing = self.standing()?;
        Some((standing.order.version, standing.text.clone()))
    }

    pub(super) fn view(&self) -> Option<SummaryView> {
        let standing = self.standing()?;
        Some(SummaryView {
            id: standing.id,
            version: standing.order.version,
            text: standing.text.clone(),
            author: standing.author.clone(),
            own: standing.own,
            state: standing.state,
        })
    }

    /// The version of an edit that builds on the one that was `seen`.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub(super) fn next(
        &self,
        seen: Option<MessageId>,
        text: &str,
        is_hers: bool,
    ) -> Result<u32, Unwritable> {
        if text.trim().is_empty() {
            return Err(Unwritable::Empty);
        }
        if text.len() > SUMMARY_BYTES_MAX {
            return Err(Unwritable::TooLong);
        }
        if seen != self.standing().map(|standing| standing.id) {
            return Err(Unwritable::Newer);
        }
        let version = self.version().saturating_add(1);
        if is_hers || version <= SUMMARY_VERSION_OF_MEMBERS_MAX {
            Ok(version)
        } else {
            Err(Unwritable::Full)
        }
    }

    /// The version of her erasing it.
    ///
    /// # Errors
    /// [`Unwritable::Empty`] where nothing stands.
    pub(super) fn erasure(&self) -> Result<u32, Unwritable> {
        let standing = self.standing().ok_or(Unwritable::Empty)?;
        Ok(standing.order.version.saturating_add(SUMMARY_ERASED_AHEAD))
    }

    fn version(&self) -> u32 {
        self.in_force.as_ref().map_or(0, |one| one.order.version)
    }

    pub(super) fn set_state(&mut self, id: MessageId, state: EntryState) {
        if let Some(standing) = self.in_force.as_mut().filter(|one| one.id == id) {
            standing.state = state;
        }
        // It may have come to the relay after it was erased.
        self.is_swept = false;
    }

    /// A member goes: nobody keeps others from writing by a number that nothing follows.
    pub(super) fn renumber(&mut self) {
        if self.version() <= SUMMARY_VERSION_ORDINARY_MAX {
            return;
        }
        let orders = self.named.iter_mut().map(|named| &mut named.order);
        let orders = orders.chain(self.in_force.iter_mut().map(|one| &mut one.order));
        for order in orders.chain(&mut self.erased) {
            if order.version > SUMMARY_VERSION_ORDINARY_MAX {
                order.version = 0;
            }
        }
    }

    /// Somebody came in who can't have read it.
    pub(super) fn add(&mut self, newcomer: PublicKey) {
        if self.standing().is_some() {
            self.unread_by.insert(newcomer);
        }
    }

    /// Somebody went.
    pub(super) fn remove(&mut self, member: &PublicKey) {
        self.unread_by.remove(member);
    }

    /// Who may not have read it.
    pub(super) fn unread_by(&self) -> &BTreeSet<PublicKey> {
        &self.unread_by
    }

    /// Her device changed: this member says it again at that time, unless somebody has.
    pub(super) fn owe(&mut self, due: Now) {
        if self.standing().is_some() {
            self.due = Some(due);
        }
    }

    /// When this member is to say it again: never to anybody who was not meant to read it.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        self.due.filter(|_| self.unread_by.is_empty())
    }

    /// Names of what she erased, of one author or of all; nothing where nothing has changed since.
    pub(super) fn take_erased(&mut self, author: Option<PublicKey>) -> BTreeSet<MessageId> {
        if std::mem::replace(&mut self.is_swept, true) {
            return BTreeSet::new();
        }
        let is_erased = |named: &&Named| {
            self.erased.is_some_and(|erased| named.order < erased)
                && author.is_none_or(|author| author == named.author)
        };
        let erased = self.named.iter().filter(is_erased);
        erased.map(|named| named.order.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{card::Role, keys::SecretKey};
    use proptest::prelude::*;

    use super::*;

    /// Who says something.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum By {
        Her,
        Luz,
        Eva,
    }

    fn told(by: By, version: u32, text: &str, name: u8) -> Told {
        let member = |alias: &str| Speaker::Member {
            alias: alias.to_owned(),
            role: Role::Accompanier,
        };
        let (author, key) = match by {
            By::Her => (Speaker::Person, 1),
            By::Luz => (member("Luz"), 2),
            By::Eva => (member("Eva"), 3),
        };
        Told {
            id: MessageId::from_bytes([name; 16]),
            version,
            text: text.to_owned(),
            clock: u64::from(name),
            key: SecretKey::from_bytes([key; 32]).public(),
            author: Some(author),
            own: false,
            state: EntryState::Stored,
        }
    }

    fn heard(all: impl IntoIterator<Item = Told>) -> Summary {
        let mut summary = Summary::default();
        for told in all {
            summary.hear(told);
        }
        summary
    }

    fn words(summary: &Summary) -> Option<String> {
        summary.words().map(|(_, text)| text)
    }

    proptest! {
        ///
        #[test]
        fn in_whatever_order_versions_are_read_all_see_the_same(
            said in proptest::collection::vec((0_u8..3, 0_u32..4, 0_u8..3), 1..12),
            turn in 0_usize..12,
        ) {
            let one = |at: usize| {
                let (by, version, text) = said[at];
                let by = [By::Her, By::Luz, By::Eva][usize::from(by)];
                told(by, version, ["", "a", "b"][usize::from(text)], u8::try_from(at).unwrap())
            };
            let forwards = heard((0..said.len()).map(one));
            let turn = turn.min(said.len());
            // Of one author all read the same order.
            let (late, early): (Vec<_>, Vec<_>) = (0..said.len()).partition(|at| said[*at].0 == said[turn % said.len()].0);
            let turned = heard(early.into_iter().chain(late).map(one));
            prop_assert_eq!(words(&forwards), words(&turned));
            prop_assert_eq!(forwards.version(), turned.version());
        }
    }

    ///
    #[test]
    fn only_the_person_empties_it() {
        let mut summary = heard([told(By::Luz, 1, "a", 1)]);
        assert!(!summary.hear(told(By::Eva, 2, "", 2)));
        assert_eq!(words(&summary).unwrap(), "a");
        assert!(summary.hear(told(By::Her, 65, "", 3)));
        assert_eq!(words(&summary), None);
        // What Luz was just writing does not bring it back.
        assert!(!summary.hear(told(By::Luz, 3, "a, b", 4)));
        assert_eq!(words(&summary), None);
    }

    ///
    #[test]
    fn what_is_too_long_is_not_taken() {
        let long = "x".repeat(SUMMARY_BYTES_MAX + 1);
        for by in [By::Luz, By::Her] {
            assert_eq!(words(&heard([told(by, 1, &long, 1)])), None);
        }
        let refused = Summary::default().next(None, &long, true);
        assert_eq!(refused, Err(Unwritable::TooLong));
    }

    ///
    #[test]
    fn a_member_who_claims_the_highest_version_takes_it_from_nobody() {
        let mut summary = heard([told(By::Luz, 1, "a", 1)]);
        assert!(!summary.hear(told(By::Eva, u32::MAX, "mine", 2)));
        let highest = SUMMARY_VERSION_OF_MEMBERS_MAX;
        assert!(summary.hear(told(By::Eva, highest, "mine", 3)));
        let seen = summary.view().map(|view| view.id);
        assert_eq!(summary.next(seen, "a", false), Err(Unwritable::Full));
        let version = summary.next(seen, "a", true).unwrap();
        assert!(summary.hear(told(By::Her, version, "a", 4)));
        // Once Eva is gone, Luz writes again.
        summary.renumber();
        assert_eq!(words(&summary).unwrap(), "a");
        let seen = summary.view().map(|view| view.id);
        assert_eq!(summary.next(seen, "b", false), Ok(1));
        assert!(summary.hear(told(By::Luz, 1, "b", 5)));
    }

    ///
    #[test]
    fn of_the_highest_version_that_there_is_she_can_still_erase_and_write() {
        let mut summary = heard([told(By::Her, u32::MAX, "a", 1)]);
        assert_eq!(summary.erasure(), Ok(u32::MAX));
        assert!(summary.hear(told(By::Her, u32::MAX, "", 2)));
        assert_eq!(summary.next(None, "b", true), Ok(u32::MAX));
        assert!(summary.hear(told(By::Her, u32::MAX, "b", 3)));
    }

    ///
    #[test]
    fn nobody_writes_over_what_she_has_not_seen() {
        let mut summary = heard([told(By::Luz, 1, "a", 1)]);
        let seen = summary.view().map(|view| view.id);
        assert_eq!(summary.next(None, "b", true), Err(Unwritable::Newer));
        assert!(summary.next(seen, "b", true).is_ok());
        // The same words again are what she saw.
        assert!(!summary.hear(told(By::Her, 1, "a", 2)));
        assert!(summary.next(seen, "b", true).is_ok());
        assert!(summary.hear(told(By::Eva, 2, "c", 3)));
        assert_eq!(summary.next(seen, "b", true), Err(Unwritable::Newer));
    }

    ///
    #[test]
    fn whoever_floods_it_drives_out_no_name_of_others_and_keeps_no_text() {
        let mut summary = heard([told(By::Luz, 1, "zarzamora", 1)]);
        for version in 2..2_000 {
            summary.hear(told(By::Eva, version, "x", 2));
        }
        assert!(summary.named.len() <= NAMED_MAX);
        summary.hear(told(By::Her, 3_000, "", 3));
        let luz = told(By::Luz, 1, "", 1);
        assert_eq!(summary.take_erased(Some(luz.key)), BTreeSet::from([luz.id]));
        let mut saved = Vec::new();
        ciborium::into_writer(&summary, &mut saved).unwrap();
        assert!(!saved.windows(9).any(|part| part == b"zarzamora"));
    }

    ///
    #[test]
    fn it_is_said_again_to_nobody_who_was_not_meant_to_read_it() {
        let newcomer = SecretKey::from_bytes([9; 32]).public();
        let mut summary = heard([told(By::Luz, 1, "a", 1)]);
        summary.add(newcomer);
        summary.owe(Now::default());
        assert_eq!(summary.poll_timeout(), None);
        // An older one that was agreed on is not the one that stands.
        summary.hear(told(By::Her, 0, "older", 2));
        assert_eq!(summary.poll_timeout(), None);
        summary.remove(&newcomer);
        assert_eq!(summary.poll_timeout(), Some(Now::default()));
        summary.hear(told(By::Eva, 1, "a", 3));
        assert_eq!(summary.poll_timeout(), None);
    }
}
