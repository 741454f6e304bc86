//! Files in a conversation: told of like anything else that is said, once their bytes stand. [F-4], [F-5]

use std::collections::BTreeSet;

use cobijo_protocol::{
    content::{Content, MessageId},
    file::{File, FileBodies, Fingerprint},
    keys::PublicKey,
    slot::ThreadSecret,
};

use super::{Conversation, ConversationError};
use crate::core::{
    client::{
        ChannelId, ConversationEvent, Entry, EntryContent, EntryState, FileId, FileNumber,
        FileView, FileWork, OutgoingFile, PartDone,
    },
    contest::random,
    erasing::Erasing,
    port::{Now, Rng, Seen, Wants},
};

impl Conversation {
    /// Begins to send a file, whose bytes the shell has kept.
    ///
    /// # Errors
    /// [`ConversationError`] where nobody can be told any more, or too many wait.
    pub fn send_file(
        &mut self,
        outgoing: OutgoingFile,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ConversationError> {
        self.check_open()?;
        let bodies = FileBodies {
            size: outgoing.size,
            secret: ThreadSecret::from_bytes(random(rng)),
        };
        self.files.send(outgoing, bodies)?;
        self.go_on_files(now, rng);
        Ok(())
    }

    /// Tells of a file that stays here.
    ///
    /// # Errors
    /// [`ConversationError`] where nobody can be told any more.
    pub fn tell_fingerprint(
        &mut self,
        fingerprint: Fingerprint,
        now: Now,
        rng: &mut Rng,
    ) -> Result<MessageId, ConversationError> {
        self.send(Content::Fingerprint(fingerprint), now, rng)
    }

    /// Begins to fetch a file.
    ///
    /// # Errors
    /// [`ConversationError::File`] where it can't be had.
    pub fn open_file(
        &mut self,
        file: FileNumber,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ConversationError> {
        self.files.open(file, FileId::from_bytes(random(rng)))?;
        self.go_on_files(now, rng);
        Ok(())
    }

    /// Its files, where they may be seen.
    pub fn files(&self) -> Vec<FileView> {
        if self.is_returning() {
            return Vec::new();
        }
        self.files.views()
    }

    /// What the shell keeps of them.
    pub fn local_files(&self) -> impl Iterator<Item = FileId> {
        self.files.local()
    }

    /// The channel of its files, once they have one.
    pub fn files_channel(&self) -> Option<ChannelId> {
        self.files.channel()
    }

    /// Gives its files a channel, where they need one.
    pub fn give_files_channel(&mut self, channel: impl FnOnce() -> ChannelId) {
        self.files.give_channel(channel);
    }

    /// What its files want, and on which channel.
    pub fn files_line(&self) -> Option<(ChannelId, Wants)> {
        self.files.line()
    }

    /// Takes what the relay said on the channel of its files.
    pub fn handle_files_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        self.files.handle_seen(seen, now);
        self.go_on_files(now, rng);
    }

    /// The shell has done something for its files.
    pub fn handle_part(&mut self, done: &PartDone, now: Now, rng: &mut Rng) {
        self.files.handle_part(done, now);
        self.go_on_files(now, rng);
    }

    /// What the shell has to do for its files.
    pub fn poll_file_work(&mut self) -> Option<FileWork> {
        self.files.poll_work()
    }

    /// Where all of its files stand; none is left here. [F-9]
    pub(crate) fn take_files(&mut self) -> (Vec<FileBodies>, Erasing) {
        std::mem::take(&mut self.files).take()
    }

    pub(super) fn go_on_files(&mut self, now: Now, rng: &mut Rng) {
        self.files.go_on(now);
        if self.is_open() {
            for (number, local, file) in self.files.take_stored() {
                self.say_file((number, local), file, now, rng);
            }
        } else if !self.is_returning() {
            self.files.stop_sending(now);
        }
        if !self.files.ended().is_empty() {
            let slots = self.group.withdraw(self.files.ended());
            self.files.erase_ended(slots, now, rng);
        }
        self.keep_file_lines();
        while let Some(view) = self.files.poll_changed() {
            self.history.set_file(&view);
            if !self.is_returning() {
                self.events.push_back(ConversationEvent::File(view));
            }
        }
    }

    /// All of it stands: it is told of.
    fn say_file(&mut self, sent: (FileNumber, FileId), file: File, now: Now, rng: &mut Rng) {
        let content = Content::File(Box::new(file.clone()));
        let Ok(id) = self.group.send(content, rng) else {
            self.files.take_back(file, sent.0, now);
            return;
        };
        let key = self.group.own_key();
        let view = self.files.tell(&file, id, key, Some(sent), true, now);
        let entry = Entry {
            id: Some(id),
            clock: self.group.clock(),
            at: now,
            author: self.own_speaker(),
            own: true,
            content: EntryContent::File(Box::new(view.clone())),
            state: EntryState::Sending,
        };
        self.insert(entry);
        self.events.push_back(ConversationEvent::File(view));
    }

    /// Somebody tells of a file: nothing of it is fetched.
    pub(super) fn hear_file(&mut self, file: &File, author: PublicKey, entry: Entry) {
        let Some(id) = entry.id.filter(|id| !self.history.has(*id)) else {
            return;
        };
        let view = self.files.tell(file, id, author, None, entry.own, entry.at);
        self.insert(Entry {
            content: EntryContent::File(Box::new(view)),
            ..entry
        });
    }

    /// What has no line any more is not shown, and not kept.
    fn keep_file_lines(&mut self) {
        if !self.files.has_shown() {
            return;
        }
        let number = |entry: &Entry| {
            let EntryContent::File(view) = &entry.content else {
                return None;
            };
            Some(view.number)
        };
        let lines: BTreeSet<_> = self.history.entries().iter().filter_map(number).collect();
        self.files.keep_lines(&lines);
    }
}
