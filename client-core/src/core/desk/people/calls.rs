//! Calls for a coordinator: help in a conversation, and somebody who has waited for long.

use cobijo_protocol::{
    Day, content::MessageId, handover::Unclaimed, keys::PublicKey, limits::UNCLAIMED_AFTER,
    slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};

use super::Said;
use crate::core::port::Now;

/// Calls of one member that are kept.
const HELPS_OF_AUTHOR_MAX: usize = 8;
/// Answers whose call has not come yet.
const EARLY_MAX: usize = 64;
/// People of whom one member says, within the time between two words, that they wait.
const UNCLAIMED_OF_AUTHOR_MAX: usize = 16;

/// All calls that still count.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Calls {
    helps: Vec<Help>,
    /// Who comes, to calls that were not read yet.
    early: Vec<(MessageId, String)>,
    unclaimed: Vec<Waits>,
}

/// Somebody needs a coordinator now.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Help {
    /// Name of the message.
    pub(crate) id: MessageId,
    /// Who asks.
    pub(crate) by: PublicKey,
    /// Her name.
    pub(crate) alias: String,
    /// Names the conversation.
    pub(crate) person: PublicKey,
    /// When this client learnt of it.
    pub(crate) at: Now,
    /// Name of the coordinator who comes.
    pub(crate) taken_by: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Waits {
    r: ThreadSecret,
    by: PublicKey,
    minutes: u32,
    at: Now,
}

impl Calls {
    /// Somebody asks for help in a conversation; gives who comes, where that was read before.
    pub(crate) fn ask(&mut self, said: &Said<'_>, person: PublicKey, now: Now) -> Option<String> {
        let by = said.author.key;
        self.helps
            .retain(|help| help.by != by || help.person != person);
        let of_author = |help: &&Help| help.by == by;
        if self.helps.iter().filter(of_author).count() >= HELPS_OF_AUTHOR_MAX
            && let Some(oldest) = self.helps.iter().position(|help| help.by == by)
        {
            self.helps.remove(oldest);
        }
        let early = self.early.iter().position(|(help, _)| *help == said.id);
        let taken_by = early.map(|position| self.early.swap_remove(position).1);
        self.helps.push(Help {
            id: said.id,
            by,
            alias: said.author.alias.clone(),
            person,
            at: now,
            taken_by: taken_by.clone(),
        });
        taken_by
    }

    /// A coordinator comes; gives the call that she answers first.
    pub(crate) fn come(&mut self, id: MessageId, alias: &str) -> Option<&Help> {
        let Some(help) = self.helps.iter_mut().find(|help| help.id == id) else {
            if self.early.len() >= EARLY_MAX {
                self.early.remove(0);
            }
            self.early.push((id, alias.to_owned()));
            return None;
        };
        let is_first = help.taken_by.is_none();
        help.taken_by.get_or_insert_with(|| alias.to_owned());
        is_first.then_some(&*help)
    }

    /// The calls, those that nobody has answered first.
    pub(crate) fn helps(&self) -> Vec<Help> {
        let mut helps = self.helps.clone();
        helps.sort_by_key(|help| (help.taken_by.is_some(), help.at));
        helps
    }

    /// Whether nobody has answered that call.
    pub(crate) fn is_open(&self, id: &MessageId) -> bool {
        let mut helps = self.helps.iter();
        helps.any(|help| help.id == *id && help.taken_by.is_none())
    }

    /// A conversation is over.
    pub(crate) fn end(&mut self, person: &PublicKey) {
        self.helps.retain(|help| help.person != *person);
    }

    /// A call whose message never counted.
    pub(crate) fn withdraw(&mut self, id: &MessageId) {
        self.helps.retain(|help| help.id != *id);
    }

    /// Somebody has waited for long; whether that is news.
    pub(crate) fn note_unclaimed(&mut self, by: PublicKey, told: Unclaimed, now: Now) -> bool {
        let of_author = |waits: &&Waits| waits.by == by && is_recent(waits, now);
        if self.unclaimed.iter().filter(of_author).count() >= UNCLAIMED_OF_AUTHOR_MAX {
            return false;
        }
        let is_news = self.may_tell(&told.r, now);
        let Unclaimed { r, minutes } = told;
        self.unclaimed
            .retain(|waits| (waits.r != r || waits.by != by) && is_recent(waits, now));
        let at = now;
        self.unclaimed.push(Waits { r, by, minutes, at });
        is_news
    }

    /// Whether nobody has said it lately.
    pub(crate) fn may_tell(&self, r: &ThreadSecret, now: Now) -> bool {
        let mut unclaimed = self.unclaimed.iter();
        !unclaimed.any(|waits| waits.r == *r && is_recent(waits, now))
    }

    /// For how many minutes those wait of whom it was said lately.
    pub(crate) fn unclaimed(&self, now: Now) -> Vec<u32> {
        let mut waits: Vec<(&ThreadSecret, u32)> = Vec::new();
        for one in self.unclaimed.iter().filter(|one| is_recent(one, now)) {
            match waits.iter_mut().find(|(r, _)| **r == one.r) {
                Some((_, minutes)) => *minutes = one.minutes.max(*minutes),
                None => waits.push((&one.r, one.minutes)),
            }
        }
        waits.into_iter().map(|(_, minutes)| minutes).collect()
    }

    /// Somebody answers her.
    pub(crate) fn claimed(&mut self, r: &ThreadSecret) {
        self.unclaimed.retain(|waits| waits.r != *r);
    }

    /// Forgets what was asked before that day.
    pub(crate) fn forget_before(&mut self, day: Day) {
        self.helps.retain(|help| help.at.day() >= day);
    }
}

fn is_recent(waits: &Waits, now: Now) -> bool {
    now.since(waits.at) < UNCLAIMED_AFTER
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        card::{Attestation, Role},
        keys::SecretKey,
    };

    use super::*;

    const NOW: Now = Now::from_millis(20_000 * 86_400_000);

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    fn member(seed: u8) -> Attestation {
        Attestation {
            alias: format!("member {seed}"),
            role: Role::Accompanier,
            key: key(seed),
            not_after: 30_000,
            serial: 1,
        }
    }

    fn said(id: u8, author: &Attestation) -> Said<'_> {
        Said {
            id: MessageId::from_bytes([id; 16]),
            clock: 1,
            author,
        }
    }

    fn waits(r: u8) -> Unclaimed {
        Unclaimed {
            r: ThreadSecret::from_bytes([r; 32]),
            minutes: 60,
        }
    }

    ///
    #[test]
    fn the_first_coordinator_who_comes_is_shown_also_where_her_word_comes_before_the_call() {
        let luz = member(1);
        let mut calls = Calls::default();
        let id = |id| MessageId::from_bytes([id; 16]);
        assert!(calls.come(id(5), "Mar").is_none());
        assert_eq!(
            calls.ask(&said(5, &luz), key(9), NOW).as_deref(),
            Some("Mar")
        );
        assert_eq!(calls.ask(&said(6, &luz), key(8), NOW), None);
        assert!(calls.is_open(&id(6)) && !calls.is_open(&id(5)));
        assert!(calls.come(id(6), "Sol").is_some());
        assert!(calls.come(id(6), "Mar").is_none());
        let helps = calls.helps();
        assert_eq!(helps[1].taken_by.as_deref(), Some("Sol"));
        calls.end(&key(8));
        assert_eq!(calls.helps().len(), 1);
    }

    ///
    #[test]
    fn a_flood_of_calls_leaves_those_of_others_and_the_latest_of_ones_own() {
        let (luz, eva) = (member(1), member(2));
        let mut calls = Calls::default();
        calls.ask(&said(1, &luz), key(9), NOW);
        for id in 10..60 {
            calls.ask(&said(id, &eva), key(id), NOW);
        }
        let helps = calls.helps();
        assert_eq!(helps.len(), 1 + HELPS_OF_AUTHOR_MAX);
        assert!(helps.iter().any(|help| help.by == luz.key));
        assert!(helps.iter().any(|help| help.person == key(59)));
    }

    ///
    #[test]
    fn that_somebody_waits_is_news_once_in_an_hour_and_a_liar_is_heard_of_a_few_only() {
        let mut calls = Calls::default();
        assert!(calls.note_unclaimed(key(1), waits(9), NOW));
        assert!(!calls.note_unclaimed(key(1), waits(9), NOW));
        assert!(!calls.note_unclaimed(key(2), waits(9), NOW));
        let later = NOW.plus(UNCLAIMED_AFTER);
        assert!(calls.note_unclaimed(key(2), waits(9), later));
        let news = (10..200).filter(|r| calls.note_unclaimed(key(3), waits(*r), later));
        assert_eq!(news.count(), UNCLAIMED_OF_AUTHOR_MAX);
        assert!(calls.note_unclaimed(key(1), waits(200), later));
        calls.claimed(&waits(9).r);
        assert_eq!(calls.unclaimed(later).len(), UNCLAIMED_OF_AUTHOR_MAX + 1);
    }
}
