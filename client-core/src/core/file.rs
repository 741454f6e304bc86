//! The files of a conversation: which are told of, where each is on its way, and what erases them. [F-4]–[F-9]
//!
//! No byte of a file stands in the state: the shell keeps parts, sealed, under names that only this profile
//! knows. A part is read or kept, then the next; a restart begins the part again. One file goes each way at a time, on a
//! connection of its own: the relay is not shown whose conversation it is, and no text waits behind it.

mod receiving;
mod sending;
mod sweeping;
mod told;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cobijo_protocol::{
    content::MessageId,
    file::{File, FileBodies},
    keys::PublicKey,
    limits::FILES_MAX,
};
use serde::{Deserialize, Serialize};

use self::{sending::Outgoing, told::Told};
use super::{
    client::{
        ChannelId, FileId, FileNumber, FileState, FileView, FileWork, OutgoingFile, PartDone,
    },
    erasing::{Erasing, Pace, Sweep},
    port::{Now, RelayFacts, Rng, Seen, Wants},
};

pub(crate) use sweeping::FileSweep;
pub(crate) use told::view_of;

/// Files that wait to be sent: their bytes are all on this disk.
const SENDING_MAX: usize = 8;

/// All files of a conversation.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Files {
    channel: Option<ChannelId>,
    last_number: u32,
    sending: Vec<Outgoing>,
    told: Vec<Told>,
    sweep: FileSweep,
    /// Own messages of which nothing is left to be said.
    ended: BTreeSet<MessageId>,
    heads: Sweep,
    #[serde(skip)]
    work: VecDeque<FileWork>,
    #[serde(skip)]
    changed: VecDeque<FileView>,
}

/// Why a file can't be sent or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileRefused {
    /// Its time is over.
    #[error("file whose time is over")]
    Expired,
    /// Something of it is missing, or it was altered.
    #[error("file that can't be had")]
    Gone,
    /// As many wait as may.
    #[error("as many files as may wait")]
    TooMany,
    /// There is no such file.
    #[error("no such file")]
    Unknown,
}

impl Files {
    /// Begins to send a file, whose bytes the shell has kept.
    pub(crate) fn send(
        &mut self,
        outgoing: OutgoingFile,
        bodies: FileBodies,
    ) -> Result<FileNumber, FileRefused> {
        if self.sending.len() >= SENDING_MAX {
            return Err(FileRefused::TooMany);
        }
        let number = self.next_number();
        let outgoing = Outgoing::new(number, outgoing, bodies);
        self.changed.push_back(outgoing.view());
        self.sending.push(outgoing);
        Ok(number)
    }

    /// Begins to fetch a file, to be kept under that name. [F-5]
    pub(crate) fn open(&mut self, number: FileNumber, local: FileId) -> Result<(), FileRefused> {
        let shown = |told: &&mut Told| told.view.number == number && !told.is_hidden;
        let told = self.told.iter_mut().find(shown);
        let told = told.ok_or(FileRefused::Unknown)?;
        told.open(local)?;
        self.note_progress();
        Ok(())
    }

    /// A message tells of a file: how it is shown. One of the own has just been sent from what is kept here.
    pub(crate) fn tell(
        &mut self,
        file: &File,
        id: MessageId,
        author: PublicKey,
        sent: Option<(FileNumber, FileId)>,
        own: bool,
        now: Now,
    ) -> FileView {
        let number = sent.map_or_else(|| self.next_number(), |(number, _)| number);
        let local = sent.map(|(_, local)| local);
        self.told
            .push(Told::new(number, file, id, author, local, own, now));
        self.expire(now);
        self.make_room();
        let told = self.told.iter().find(|told| told.view.number == number);
        told.map_or_else(|| view_of(file, number), |told| told.view.clone())
    }

    /// Files whose bytes all stand, so that they can be told of.
    pub(crate) fn take_stored(&mut self) -> Vec<(FileNumber, FileId, File)> {
        let is_stored = |outgoing: &mut Outgoing| outgoing.sending.is_stored();
        let stored = self.sending.extract_if(.., is_stored);
        stored
            .map(|outgoing| {
                let (local, file) = outgoing.sending.into_parts();
                (outgoing.number, local, file)
            })
            .collect()
    }

    /// Sends nothing more; what stands of it goes.
    pub(crate) fn stop_sending(&mut self, now: Now) {
        let all = std::mem::take(&mut self.sending);
        for outgoing in all {
            self.give_up(outgoing, now);
        }
    }

    /// A file could not be told of: what stands of it goes.
    pub(crate) fn take_back(&mut self, file: File, number: FileNumber, now: Now) {
        let view = FileView {
            own: true,
            state: FileState::NotSent,
            ..view_of(&file, number)
        };
        self.changed.push_back(view);
        self.sweep.add(vec![file.bodies], Pace::AtOnce, now);
    }

    fn give_up(&mut self, outgoing: Outgoing, now: Now) {
        let (_, file) = outgoing.sending.into_parts();
        self.take_back(file, outgoing.number, now);
    }

    /// Forgets all; gives what stands at the relay of it: bodies, and messages that were being erased. [F-9]
    pub(crate) fn take(&mut self) -> (Vec<FileBodies>, Erasing) {
        let Self {
            sending,
            told,
            sweep,
            heads,
            ..
        } = std::mem::take(self);
        let sending = sending
            .into_iter()
            .map(|one| one.sending.into_parts().1.bodies);
        let told = told.into_iter().filter_map(|told| told.bodies);
        let swept = sweep.into_files();
        let bodies = swept.into_iter().chain(sending).chain(told);
        (bodies.collect(), heads.into_slots())
    }

    /// Only these lines are left: other files are no longer shown.
    pub(crate) fn keep_lines(&mut self, lines: &BTreeSet<FileNumber>) {
        for told in &mut self.told {
            if !lines.contains(&told.view.number) {
                told.hide();
            }
        }
    }

    /// Whether any is told of and shown.
    pub(crate) fn has_shown(&self) -> bool {
        self.told.iter().any(|told| !told.is_hidden)
    }

    /// Those on their way, and those that are told of.
    pub(crate) fn views(&self) -> Vec<FileView> {
        let told = self.told.iter().filter(|told| !told.is_hidden);
        let told = told.map(|told| told.view.clone());
        told.chain(self.sending.iter().map(Outgoing::view))
            .collect()
    }

    /// What the shell keeps for them.
    pub(crate) fn local(&self) -> impl Iterator<Item = FileId> {
        let sending = self.sending.iter().map(|one| one.sending.local);
        let receiving = self.told.iter().filter_map(|told| told.receiving.as_ref());
        let told = self.told.iter().filter_map(|told| told.view.local);
        sending.chain(receiving.map(|one| one.local)).chain(told)
    }

    /// The channel, once one is needed.
    pub(crate) fn channel(&self) -> Option<ChannelId> {
        self.channel
    }

    /// Gives them a channel, where they need one and have none.
    pub(crate) fn give_channel(&mut self, channel: impl FnOnce() -> ChannelId) {
        if self.channel.is_none() && self.is_busy() {
            self.channel = Some(channel());
        }
    }

    fn is_busy(&self) -> bool {
        let is_receiving = self.told.iter().any(|told| told.receiving.is_some());
        let is_erasing = !self.sweep.is_over() || !self.heads.is_over();
        !self.sending.is_empty() || is_receiving || is_erasing
    }

    /// What is wanted, and on which channel.
    pub(crate) fn line(&self) -> Option<(ChannelId, Wants)> {
        let channel = self.channel.filter(|_| self.is_busy())?;
        let mut wants = Wants::default();
        if let Some(outgoing) = self.sending.first() {
            outgoing.sending.wants(&mut wants);
        }
        let mut receiving = self.told.iter().filter_map(|told| told.receiving.as_ref());
        if let Some(receiving) = receiving.next() {
            receiving.wants(&mut wants);
        }
        self.heads.wants(&mut wants);
        self.sweep.wants(&mut wants);
        Some((channel, wants))
    }

    /// Takes what the relay said on their channel.
    pub(crate) fn handle_seen(&mut self, seen: &Seen, now: Now) {
        if let Some(outgoing) = self.sending.first_mut() {
            let done = outgoing.sending.done();
            outgoing.sending.handle_seen(seen);
            if outgoing.sending.done() > done {
                self.changed.push_back(outgoing.view());
            }
        }
        for told in &mut self.told {
            if let Some(receiving) = &mut told.receiving {
                receiving.handle_seen(seen);
                break;
            }
        }
        self.heads.handle_seen(seen, now);
        self.sweep.handle_seen(seen, now);
        self.go_on(now);
    }

    /// The shell has done something.
    pub(crate) fn handle_part(&mut self, done: &PartDone, now: Now) {
        match done {
            PartDone::Read { file, part, bytes } => {
                let bytes = bytes.as_ref().map(|bytes| bytes.as_slice());
                self.handle_read(*file, *part, bytes);
            }
            PartDone::Kept { file, part } => self.handle_kept(*file, *part),
        }
        self.go_on(now);
    }

    fn handle_read(&mut self, file: FileId, part: u32, bytes: Option<&[u8]>) {
        for outgoing in &mut self.sending {
            if outgoing.sending.local == file {
                outgoing.sending.handle_read(part, bytes);
            }
        }
        for told in &mut self.told {
            if let Some(receiving) = &mut told.receiving
                && receiving.local == file
            {
                self.work.extend(receiving.handle_read(part, bytes));
            }
        }
    }

    fn handle_kept(&mut self, file: FileId, part: u32) {
        let receiving = self
            .told
            .iter_mut()
            .filter_map(|told| told.receiving.as_mut());
        for receiving in receiving.filter(|receiving| receiving.local == file) {
            receiving.handle_kept(part);
        }
    }

    /// Forgets what the relay no longer has.
    pub(crate) fn forget(&mut self, relay: &RelayFacts) {
        let told = self.told.iter_mut();
        self.changed
            .extend(told.filter_map(|told| told.forget(relay)));
        self.told
            .retain(|told| !told.is_hidden || told.bodies.is_some());
    }

    /// Takes the steps that are possible.
    pub(crate) fn go_on(&mut self, now: Now) {
        if let Some(outgoing) = self.sending.first_mut() {
            self.work.extend(outgoing.sending.poll_work());
        }
        if self
            .sending
            .first()
            .is_some_and(|one| one.sending.has_failed())
        {
            let failed = self.sending.remove(0);
            self.give_up(failed, now);
        }
        self.receive();
        self.note_progress();
        self.expire(now);
        self.heads.advance(now);
        self.sweep.advance(now);
    }

    /// Own messages that are to be erased at the relay, as soon as they stand there. [F-6]
    pub(crate) fn ended(&self) -> &BTreeSet<MessageId> {
        &self.ended
    }

    /// What erases them.
    pub(crate) fn erase_ended(&mut self, slots: Erasing, now: Now, rng: &mut Rng) {
        if !slots.is_empty() {
            self.ended.clear();
            self.heads.add(slots, Pace::AtOnce, now, rng);
            self.heads.advance(now);
        }
    }

    fn receive(&mut self) {
        let Some(told) = self.told.iter_mut().find(|told| told.receiving.is_some()) else {
            return;
        };
        self.work.extend(told.poll_work());
        self.changed.extend(told.receive());
    }

    /// Tells how far each is, where it is further than it was.
    fn note_progress(&mut self) {
        let told = self.told.iter_mut();
        self.changed.extend(told.filter_map(Told::note_progress));
    }

    /// Ends what is only shown, once its time is over; whatever a clock says later. [F-6]
    fn expire(&mut self, now: Now) {
        let mut swept = Vec::new();
        for told in &mut self.told {
            if let Some(bodies) = told.expire(now) {
                if told.view.own {
                    swept.extend(bodies);
                    self.ended.insert(told.id);
                }
                if !told.is_hidden {
                    self.changed.push_back(told.view.clone());
                }
            }
        }
        self.sweep.add(swept, Pace::AtOnce, now);
        let is_late = |one: &mut Outgoing| one.until().is_some_and(|until| until <= now);
        let late: Vec<_> = self.sending.extract_if(.., is_late).collect();
        for outgoing in late {
            self.give_up(outgoing, now);
        }
    }

    /// When [`Self::go_on`] has something to do, although nothing came.
    pub(crate) fn poll_timeout(&self) -> Option<Now> {
        let shown = self.told.iter().filter_map(|told| told.until);
        let sending = self.sending.iter().filter_map(Outgoing::until);
        let sweeps = self.sweep.poll_timeout().into_iter();
        let sweeps = sweeps.chain(self.heads.poll_timeout());
        shown.chain(sending).chain(sweeps).min()
    }

    /// What the shell has to do.
    pub(crate) fn poll_work(&mut self) -> Option<FileWork> {
        self.work.pop_front()
    }

    /// A file that is in another state than was told before.
    pub(crate) fn poll_changed(&mut self) -> Option<FileView> {
        self.changed.pop_front()
    }

    fn next_number(&mut self) -> FileNumber {
        self.last_number = self.last_number.saturating_add(1);
        FileNumber::from_number(self.last_number)
    }

    /// The oldest of whoever told of most give way, so that nobody can drive out what others sent. [F-9]
    fn make_room(&mut self) {
        while self.told.len() > FILES_MAX {
            let mut by_author: BTreeMap<PublicKey, usize> = BTreeMap::new();
            for told in &self.told {
                *by_author.entry(told.author).or_default() += 1;
            }
            let most = by_author.iter().max_by_key(|(_, files)| **files);
            let Some(most) = most.map(|(author, _)| *author) else {
                return;
            };
            let Some(oldest) = self.told.iter().position(|told| told.author == most) else {
                return;
            };
            let mut oldest = self.told.remove(oldest);
            if !oldest.is_hidden && oldest.view.state != FileState::Expired {
                oldest.view.state = FileState::Gone;
                oldest.view.local = None;
                self.changed.push_back(oldest.view);
            }
        }
    }
}

#[cfg(test)]
mod tests;
