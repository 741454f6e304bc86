//! The three verdicts on what stands in a commit slot. [G-8]
//!
//! Void is the same for everyone and the next index follows. Broken for me means stop: a later index
//! is never followed. The order of checks is gate, public group, policy, and only then the own secrets,
//! so that a commit which policy voids can't break anybody by a garbled path.

use cobijo_protocol::{
    card::DeskKey,
    commit::{CommitData, POLICY, Statement},
    keys::Signed,
    limits::COMMIT_VOIDS_REPORTED,
    slot::ThreadSecret,
};

use super::{Author, Group, GroupEvent, Stop, close::Closing, silence::Replaced};
use crate::{
    core::{
        contest::Candidate,
        policy::{self, Change, Presence, Refusal, Standing},
        port::Rng,
        thread::Content,
        welcome::WelcomeHead,
    },
    mls::{commit::Examined, verdict::Fault},
};

/// Bytes of the two tags that end a PublicMessage of a member's commit (RFC 9420 §6.2), with their
/// lengths, in suites with SHA-256.
const TAGS_BYTES: usize = 2 * (1 + 32);

enum Verdict {
    Valid(Box<Closing>),
    Void { author: Option<Author> },
    Stop(Stop),
}

impl Group {
    /// Judges the cell at the contest's index.
    pub(super) fn judge(&mut self, candidate: Candidate, rng: &mut Rng) {
        let verdict = match candidate.content {
            Content::Payload(payload) => self.verdict(payload, candidate.mine, rng),
            Content::Void => Verdict::Void { author: None },
            // Commit slots can't be erased by anyone: the relay lies, on this connection at least.
            Content::Gone => return self.doubt_for(Stop::Broken),
        };
        match verdict {
            Verdict::Valid(closing) => self.closing = Some(*closing),
            Verdict::Stop(stop) => self.stop_for(stop),
            Verdict::Void { author } => {
                self.events
                    .extend(author.map(|author| GroupEvent::VoidCommit { author }));
                let voids = candidate.index + 1;
                if voids == COMMIT_VOIDS_REPORTED + 1 {
                    self.events.push_back(GroupEvent::Blocking { voids });
                }
                if candidate.mine {
                    self.refuse_built(rng);
                }
                self.contest.skip(rng);
            }
        }
    }

    fn verdict(&mut self, payload: Vec<u8>, mine: bool, rng: &mut Rng) -> Verdict {
        if self.terms.policy != POLICY {
            return Verdict::Stop(Stop::Policy);
        }
        let examined = match self.mls.examine(&payload, &self.terms.root, rng) {
            Ok(examined) => examined,
            Err(Fault::Void) => return Verdict::Void { author: None },
            Err(Fault::Broken) => return Verdict::Stop(Stop::Broken),
        };
        let author = self.author(examined.author);
        if self.is_own_with_other_tags(&payload) {
            return Verdict::Void { author: None };
        }
        let Ok(data) = CommitData::decode(&examined.data) else {
            return Verdict::Void { author };
        };
        let change = Change {
            author: examined.author,
            path: examined.path,
            adds: &examined.adds,
            removes: &examined.removes,
            data: &data,
        };
        let effect = match policy::judge(&self.standing(), &change) {
            Ok(effect) => effect,
            Err(Refusal::UnknownPolicy) => return Verdict::Stop(Stop::Policy),
            Err(Refusal::Void(_)) => return Verdict::Void { author },
        };
        if effect.presence == Presence::Wiped {
            // Nothing more is read: she wants it gone. Whoever came back from an older disk can't even follow
            // what she committed herself. [E-3]
            self.keep_unread_erase_keys(&data.cut);
            return Verdict::Stop(Stop::Wiped);
        }
        let Some(welcomes) = welcome_heads(&examined, &data) else {
            return Verdict::Void { author };
        };
        let checked = self.mls.check(&payload, rng);
        let replaced = (!mine && self.replaces(&examined, &effect, checked))
            .then(|| Replaced::of(&payload, &examined));
        let removes_me = match checked {
            _ if replaced.is_some() => false,
            Ok(checked) => checked.removes_me,
            Err(Fault::Void) => return Verdict::Void { author },
            Err(Fault::Broken) => return Verdict::Stop(Stop::Broken),
        };
        if removes_me {
            return Verdict::Stop(self.removal(&effect, examined.author));
        }
        let cut = data
            .cut
            .into_iter()
            .map(|(leaf, count)| (leaf, u64::from(count)))
            .collect();
        let added = examined
            .adds
            .into_iter()
            .filter_map(|add| add.identity)
            .collect();
        let author = examined.author;
        let desk_keys = data.statements.iter().filter_map(desk_key).collect();
        Verdict::Valid(Box::new(Closing {
            desk_keys,
            payload: payload.into(),
            mine,
            author,
            cut,
            added,
            effect,
            welcomes,
            replaced,
        }))
    }

    /// A commit of one's own that is void would be put again for ever.
    fn refuse_built(&mut self, rng: &mut Rng) {
        if let Some(built) = self.built.take() {
            self.refuse(built.origin, None, rng);
        }
    }

    /// The group as the policy sees it.
    pub(super) fn standing(&self) -> Standing<'_> {
        Standing {
            group: self.mls.group(),
            epoch: self.facts.epoch,
            terms: &self.terms,
            leaves: &self.facts.leaves,
            desk_serial: self.desk_serial,
            presence: self.presence,
            renewed: &self.renewed,
        }
    }

    /// Whether it is the own pending commit with another confirmation or membership tag, which no
    /// signature covers: void for everyone else by the tag, so here too.
    fn is_own_with_other_tags(&self, payload: &[u8]) -> bool {
        let Some(own) = self.contest.own_payload().filter(|own| *own != payload) else {
            return false;
        };
        let signed = |commit: &[u8]| {
            commit
                .len()
                .checked_sub(TAGS_BYTES)
                .map(|len| commit[..len].to_vec())
        };
        own.len() == payload.len() && signed(own) == signed(payload)
    }

    fn removal(&self, effect: &policy::Effect, author: u32) -> Stop {
        match self.cause(effect) {
            Some(policy::Cause::Author) if self.is_own_person(author) => Stop::Returned,
            Some(policy::Cause::Leave) => Stop::Left,
            Some(policy::Cause::Wipe) => Stop::Wiped,
            Some(policy::Cause::Author | policy::Cause::Removal | policy::Cause::Rescue) | None => {
                Stop::Removed
            }
        }
    }
}

/// The desk key that a statement shows; the policy has verified it.
pub(super) fn desk_key(statement: &Statement) -> Option<(u32, Signed<DeskKey>)> {
    match statement {
        Statement::Removal { desk_key, .. } | Statement::MemberRescue { desk_key, .. } => {
            Some((desk_key.unverified().ok()?.serial, desk_key.clone()))
        }
        Statement::Leave { .. } | Statement::Wipe { .. } | Statement::PersonRescue { .. } => None,
    }
}

/// The heads of the Welcomes that a commit names, for the newcomers' threads.
fn welcome_heads(examined: &Examined, data: &CommitData) -> Option<Vec<WelcomeHead>> {
    let threads: Option<Vec<ThreadSecret>> = examined.welcome_secrets.iter().cloned().collect();
    let heads = threads?.into_iter().zip(&data.welcomes);
    Some(
        heads
            .map(|(thread, (total, bodies))| WelcomeHead::new(thread, *total, bodies.clone()))
            .collect(),
    )
}
