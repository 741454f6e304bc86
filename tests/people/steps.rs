//! What moves the machines of everybody: frames, cards and crashes.

use cobijo_client_core::core::{
    claim::{Claim, ClaimEvent, queue::LiveKey},
    client::{ConversationEvent, RowId},
    conversation::Conversation,
    group::Group,
    intake::ContactEvent,
    port::{Seen, Wants},
    waiting::WaitingEvent,
};
use cobijo_tests::memory_relay::Viewer;
use rand_core::Rng as _;

use crate::{
    machine::{Line, Machine, reload, reload_line},
    world::{Actor, Told, World},
};

/// Rounds in which all come to rest.
const ROUNDS: usize = 120;

impl World {
    pub(crate) fn run(&mut self) {
        for _ in 0..ROUNDS {
            let mut is_quiet = true;
            for actor in 0..self.actors.len() {
                is_quiet &= !self.step(actor);
                if self.crashes && self.rng.next_u32().is_multiple_of(4) {
                    self.crash(actor);
                }
            }
            if is_quiet && !self.crashes {
                return;
            }
        }
        assert!(self.crashes, "they never come to rest");
    }

    /// Moves time, and lets everything happen.
    pub(crate) fn pass(&mut self, duration: std::time::Duration) {
        self.now = self.now.plus(duration);
        self.run();
    }

    pub(crate) fn step(&mut self, actor: usize) -> bool {
        let queue = self.step_queue(actor);
        let waiting = self.step_waiting(actor);
        let claim = self.step_claim(actor);
        let joining = self.step_joining(actor);
        let conversation = self.step_conversation(actor);
        queue || waiting || claim || joining || conversation
    }

    fn step_queue(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].queue.take() else {
            return false;
        };
        let mut wants = Wants::default();
        wants.mailboxes.push(self.day.mailbox.clone());
        line.machine.wants(&mut wants);
        let all_seen = self.relay.exchange(line.connection, &wants);
        line.machine.handle_timeout(self.now);
        for seen in &all_seen {
            if let Seen::Item(mailbox, item, cell) = seen {
                let keys = [LiveKey {
                    key: &self.day,
                    since: 3,
                    newest: 3,
                }];
                line.machine
                    .handle_item(*mailbox, *item, cell, &keys, self.now);
            }
            line.machine.handle_seen(seen);
        }
        self.actors[actor].queue = Some(line);
        !all_seen.is_empty()
    }

    fn step_waiting(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].waiting.take() else {
            return false;
        };
        let moved = self.exchange(&mut line, actor);
        if line.machine.needs_connection() {
            self.relay.close(line.connection);
            line.connection = self.relay.connect(Viewer(actor as u32));
        }
        let stands = line.machine.lacks_card() && !line.machine.contact().lacks_card();
        if stands && line.machine.needs_card(self.now) {
            let card = self.card();
            line.machine
                .handle_card(&card, self.now, &mut self.rng)
                .unwrap();
        }
        while let Some(event) = line.machine.poll_event() {
            let told = match event {
                WaitingEvent::Contact(ContactEvent::CardExpired) => Told::CardExpired,
                WaitingEvent::Contact(ContactEvent::Stored { .. }) => Told::Stored,
                WaitingEvent::Contact(ContactEvent::Full) => Told::Full,
                WaitingEvent::Contact(ContactEvent::AdditionStored) => Told::AdditionStored,
                WaitingEvent::CouldNotJoin => Told::CouldNotJoin,
                WaitingEvent::Agreed | WaitingEvent::NotAgreed => continue,
                WaitingEvent::Offered(attestation) => Told::Offered(attestation.alias),
                WaitingEvent::Joined => Told::Joined,
            };
            self.actors[actor].said.push(told);
        }
        if let Some(joined) = line.machine.take_group() {
            match &mut self.actors[actor].conversation {
                Some(open) => open.machine.go_on_in(joined.group, self.now),
                None => {
                    let mut conversation = Conversation::of_person(joined.group, joined.person);
                    for text in joined.said {
                        conversation.first_text(text, self.now);
                    }
                    for text in joined.unsaid {
                        conversation.say(&text, self.now, &mut self.rng).unwrap();
                    }
                    self.actors[actor].conversation = Some(self.line(conversation, actor));
                }
            }
            return true;
        }
        self.actors[actor].waiting = Some(line);
        moved
    }

    fn step_claim(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].claim.take() else {
            return false;
        };
        let moved = self.exchange(&mut line, actor);
        while let Some(event) = line.machine.poll_event() {
            self.handle_claim_event(actor, event, &line.machine);
        }
        let has_arrived = line.machine.is_answered()
            && (self.actors[actor].conversation.as_ref())
                .is_some_and(|open| open.machine.person_has_arrived());
        if has_arrived {
            line.machine.person_arrived(self.now);
        }
        if !line.machine.is_over() {
            self.actors[actor].claim = Some(line);
        }
        moved
    }

    fn step_joining(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].joining.take() else {
            return false;
        };
        let mut wants = Wants::default();
        line.machine.wants(&mut wants);
        let all_seen = self.relay.exchange(line.connection, &wants);
        for seen in &all_seen {
            if let Some(group) = line.machine.handle_seen(seen, self.now, &mut self.rng) {
                let conversation = Conversation::of_member(group);
                self.actors[actor].conversation = Some(self.line(conversation, actor));
                return true;
            }
        }
        self.actors[actor].joining = Some(line);
        !all_seen.is_empty()
    }

    fn handle_claim_event(&mut self, actor: usize, event: ClaimEvent, claim: &Claim) {
        let row = self.rows_all(actor, claim);
        let now = self.now;
        let queue = &mut self.actors[actor].queue.as_mut().unwrap().machine;
        let told = match event {
            ClaimEvent::Notice(_) => return,
            ClaimEvent::ClaimedBy {
                alias,
                claimer,
                until,
            } => {
                queue.claimed(row, claimer, until);
                Told::ClaimedBy(alias)
            }
            ClaimEvent::LostTo { alias } => {
                queue.answered(row, false, now);
                Told::LostTo(alias)
            }
            ClaimEvent::Replied => {
                queue.answered(row, true, now);
                Told::Replied
            }
            ClaimEvent::Refused => {
                queue.release(row);
                self.actors[actor].conversation = None;
                Told::Refused
            }
            ClaimEvent::Unanswerable => {
                queue.unanswerable(row);
                Told::Unanswerable
            }
            ClaimEvent::Text(text) => {
                let heard = &mut self.actors[actor];
                match &mut heard.conversation {
                    Some(open) => open.machine.first_text(text, now),
                    None => heard.texts.push(text),
                }
                return;
            }
            ClaimEvent::Began(group) => {
                let first = claim.opened().intake.text.clone();
                self.begin(actor, *group, first);
                Told::Began
            }
        };
        self.actors[actor].said.push(told);
    }

    fn begin(&mut self, actor: usize, group: Group, first: String) {
        if let Some(open) = &mut self.actors[actor].conversation
            && open.machine.goes_on_in(&group)
        {
            return open.machine.go_on_in(group, self.now);
        }
        let mut conversation = Conversation::of_member(group);
        conversation.first_text(first, self.now);
        for text in std::mem::take(&mut self.actors[actor].texts) {
            conversation.first_text(text, self.now);
        }
        self.actors[actor].conversation = Some(self.line(conversation, actor));
    }

    fn rows_all(&self, actor: usize, claim: &Claim) -> RowId {
        let queue = &self.actors[actor].queue.as_ref().unwrap().machine;
        queue.row_of(&claim.opened().intake.r).unwrap()
    }

    fn step_conversation(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].conversation.take() else {
            return false;
        };
        let mut moved = self.exchange(&mut line, actor);
        if line.machine.needs_card(self.now) {
            line.machine.handle_card(&self.card(), self.now);
            moved = true;
        }
        while let Some(event) = line.machine.poll_event() {
            match event {
                ConversationEvent::Proposed(_) => self.actors[actor].said.push(Told::Proposed),
                ConversationEvent::ChangeRefused => {
                    self.actors[actor].said.push(Told::ChangeRefused);
                }
                ConversationEvent::NotAdded => self.actors[actor].said.push(Told::NotAdded),
                _ => {}
            }
        }
        self.actors[actor].conversation = Some(line);
        moved
    }

    fn exchange<M: Machine>(&mut self, line: &mut Line<M>, actor: usize) -> bool {
        line.machine.handle_timeout(self.now, &mut self.rng);
        let mut wants = Wants::default();
        line.machine.wants(&mut wants);
        if self.crashes && self.rng.next_u32().is_multiple_of(4) {
            // Everything was done, and nobody learns of it.
            self.relay.reconcile(line.connection, &wants);
            while self.relay.run_request(line.connection) {}
            reload_line(line, &mut self.relay, Viewer(actor as u32));
            return true;
        }
        let all_seen = self.relay.exchange(line.connection, &wants);
        for seen in &all_seen {
            line.machine.handle_seen(seen, self.now, &mut self.rng);
        }
        !all_seen.is_empty()
    }

    /// Saves, forgets and loads everything of an actor, and connects again.
    pub(crate) fn crash(&mut self, actor: usize) {
        let Actor {
            queue,
            waiting,
            claim,
            conversation,
            joining,
            ..
        } = &mut self.actors[actor];
        let relay = &mut self.relay;
        let viewer = Viewer(actor as u32);
        reload(queue, relay, viewer);
        reload(waiting, relay, viewer);
        reload(claim, relay, viewer);
        reload(conversation, relay, viewer);
        reload(joining, relay, viewer);
    }
}
