//! Closing an epoch: reading every stream to its end, then going on to the next. [G-14]

use std::collections::BTreeMap;

use cobijo_protocol::{
    card::DeskKey, cbor, content::Message, credential::Identity, keys::Signed, slot::Kind,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Group, GroupEvent, Stop, silence::Replaced};
use crate::core::{
    contest::Contest,
    policy::{Cause, Effect},
    port::{Now, Rng},
    welcome::WelcomeHead,
};

/// A commit that won, while what its cut covers is still being read.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Closing {
    /// The commit.
    pub(super) payload: ByteBuf,
    /// Whether it is this member's own.
    pub(super) mine: bool,
    /// Its author's leaf.
    pub(super) author: u32,
    /// For every leaf, how many message slots the author had read.
    pub(super) cut: BTreeMap<u32, u64>,
    /// Whom it adds.
    pub(super) added: Vec<Identity>,
    /// What follows from it.
    pub(super) effect: Effect,
    /// Desk keys that its statements show, with their serials.
    pub(super) desk_keys: Vec<(u32, Signed<DeskKey>)>,
    /// Heads of the Welcomes.
    pub(super) welcomes: Vec<WelcomeHead>,
    /// It is hers, and this leaf can't follow it.
    pub(super) replaced: Option<Replaced>,
}

impl Group {
    /// Reads on; goes to the next epoch where every stream has ended, else gives the closing back.
    pub(super) fn close(&mut self, closing: Closing, now: Now, rng: &mut Rng) -> Option<Closing> {
        let cut = |leaf: u32| closing.cut.get(&leaf).copied().unwrap_or(0);
        let own_cut = cut(self.facts.own_leaf);
        self.outbox.settle(own_cut);
        let mut is_closed = !self.outbox.is_putting();
        for index in 0..self.streams.len() {
            let leaf = self.streams[index].leaf();
            self.streams[index].close(&self.facts.secret, cut(leaf));
            self.read_stream(index, Some(cut(leaf)), now, rng);
            self.streams[index].close(&self.facts.secret, cut(leaf));
            is_closed &= self.streams[index].is_closed(cut(leaf));
        }
        if self.stop.is_some() || !is_closed {
            return Some(closing);
        }
        self.enter_next_epoch(closing, own_cut, now, rng);
        None
    }

    fn enter_next_epoch(&mut self, closing: Closing, own_cut: u64, now: Now, rng: &mut Rng) {
        self.end_streams(&closing);
        let own_end = self.outbox.end(own_cut);
        if let Some(replaced) = closing.replaced {
            // All of the epoch is read; the next one is entered by another leaf.
            let heads = closing.welcomes;
            self.welcomes.extend(heads);
            self.replaced = Some(replaced);
            return;
        }
        if self.mls.merge(&closing.payload, rng).is_err() {
            return self.stop_for(Stop::Broken);
        }
        let Ok(facts) = self.mls.facts(&self.terms.root, rng) else {
            return self.stop_for(Stop::Broken);
        };
        let author = self.author(closing.author);
        self.arrived
            .extend(self.leaf(closing.author).map(|leaf| leaf.key));
        let removed = self.removed(&closing.effect);
        let unsaid = self.outbox.close(own_end);
        self.shown.new_epoch(|id| self.outbox.holds(id));
        self.repeat_lost_leave();
        self.facts = facts;
        self.contest = Contest::new(self.facts.secret.clone(), Kind::Commit, 0);
        self.open_streams();
        for (serial, signed) in &closing.desk_keys {
            self.note_desk_key(*serial, signed);
        }
        let highest = self
            .facts
            .leaves
            .iter()
            .filter_map(|leaf| leaf.identity.desk_serial())
            .max();
        if let (Some(serial), Some(signed)) = (highest, self.facts.desk_key.clone()) {
            self.note_desk_key(serial, &signed);
        }
        self.presence = closing.effect.presence;
        self.renewed = closing.effect.renewed;
        self.welcomes.extend(closing.welcomes);
        if let Some(built) = self.built.take().filter(|_| !closing.mine) {
            self.requests.push_front(built);
        }
        self.hygiene.new_epoch(now, closing.mine);
        self.is_silent &= !closing.mine;
        let epoch = self.facts.epoch;
        self.events.push_back(GroupEvent::Changed {
            epoch,
            by: author,
            added: closing.added,
            removed,
        });
        for (id, message) in unsaid {
            if let Ok(Message { content, .. }) = cbor::decode(&message) {
                self.events.push_back(GroupEvent::NotSaid { id, content });
            }
        }
    }

    /// What was shown from a stream's end on is not confirmed, or withdrawn where its leaf is removed.
    fn end_streams(&mut self, closing: &Closing) {
        for stream in &self.streams {
            let leaf = stream.leaf();
            let end = stream.end(closing.cut.get(&leaf).copied().unwrap_or(0));
            let is_removed = closing
                .effect
                .removed
                .iter()
                .any(|(removed, _)| *removed == leaf);
            for id in stream.shown_from(end) {
                self.events.extend(self.shown.end(id, is_removed));
            }
        }
    }

    fn removed(&self, effect: &Effect) -> Vec<(Identity, Cause)> {
        let identity = |&(leaf, cause)| self.leaf(leaf).map(|leaf| (leaf.identity.clone(), cause));
        effect.removed.iter().filter_map(identity).collect()
    }
}
