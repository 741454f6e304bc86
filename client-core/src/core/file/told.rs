//! A file that a message tells of. [F-5], [F-6]

use cobijo_protocol::{
    Day,
    content::MessageId,
    file::{File, FileBodies, Way},
    keys::PublicKey,
    limits::FILE_SHOWN_MAX,
};
use serde::{Deserialize, Serialize};

use super::{
    FileId, FileNumber, FileRefused, FileState, FileView, FileWork,
    receiving::{Received, Receiving},
};
use crate::core::port::{Now, RelayFacts};

#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) view: FileView,
    pub(super) id: MessageId,
    pub(super) author: PublicKey,
    day: Day,
    /// When it ends here, if it is only shown.
    pub(super) until: Option<Now>,
    /// Where it stands at the relay, as long as it may.
    pub(super) bodies: Option<FileBodies>,
    pub(super) receiving: Option<Receiving>,
    /// Its line is gone: it is only remembered to be erased.
    pub(super) is_hidden: bool,
}

impl Told {
    /// One of the own has been sent from `local`, which is kept where it is to be kept.
    pub(super) fn new(
        number: FileNumber,
        file: &File,
        id: MessageId,
        author: PublicKey,
        local: Option<FileId>,
        own: bool,
        now: Now,
    ) -> Self {
        let (until, kept) = match file.way {
            Way::Show { until } => {
                let latest = now.plus(FILE_SHOWN_MAX);
                (Some(Now::from_millis(until.millis()).min(latest)), None)
            }
            Way::Keep => (None, local),
        };
        let state = match (local, kept) {
            (_, Some(_)) => FileState::Here,
            (Some(_), None) => FileState::Sent,
            (None, None) => FileState::Unopened,
        };
        let view = FileView {
            own,
            state,
            local: kept,
            ..view_of(file, number)
        };
        Self {
            view,
            id,
            author,
            day: now.day(),
            until,
            bodies: Some(file.bodies.clone()),
            receiving: None,
            is_hidden: false,
        }
    }

    /// Begins to fetch it.
    pub(super) fn open(&mut self, local: FileId) -> Result<(), FileRefused> {
        match self.view.state {
            FileState::Here | FileState::Opening { .. } => return Ok(()),
            FileState::Unopened | FileState::Sent => {}
            FileState::Expired => return Err(FileRefused::Expired),
            FileState::Gone
            | FileState::Altered
            | FileState::Sending { .. }
            | FileState::NotSent => return Err(FileRefused::Gone),
        }
        let bodies = self.bodies.clone().ok_or(FileRefused::Gone)?;
        self.receiving = Some(Receiving::new(bodies, self.view.sha256, local));
        Ok(())
    }

    /// What the shell has to do.
    pub(super) fn poll_work(&mut self) -> Option<FileWork> {
        self.receiving.as_mut()?.poll_work()
    }

    /// What became of it, once that is known.
    pub(super) fn receive(&mut self) -> Option<FileView> {
        let receiving = self.receiving.as_ref()?;
        let (received, local) = (receiving.received()?, receiving.local);
        self.receiving = None;
        self.view.state = match received {
            Received::Whole => FileState::Here,
            Received::Incomplete => FileState::Gone,
            Received::Altered => FileState::Altered,
            Received::Lost => FileState::Unopened,
        };
        self.view.local = (received == Received::Whole).then_some(local);
        Some(self.view.clone())
    }

    /// How far it is, where that is further than it was.
    pub(super) fn note_progress(&mut self) -> Option<FileView> {
        let state = FileState::Opening {
            done: self.receiving.as_ref()?.done(),
            total: self.view.size.parts(),
        };
        let is_news = std::mem::replace(&mut self.view.state, state) != state;
        is_news.then(|| self.view.clone())
    }

    /// Ends it where its time is over; gives where it stands at the relay. [F-6]
    pub(super) fn expire(&mut self, now: Now) -> Option<impl Iterator<Item = FileBodies> + use<>> {
        self.until.take_if(|until| *until <= now)?;
        self.receiving = None;
        self.view.local = None;
        self.view.state = FileState::Expired;
        Some(self.bodies.take().into_iter())
    }

    /// Forgets where it stands, once the relay has forgotten it.
    pub(super) fn forget(&mut self, relay: &RelayFacts) -> Option<FileView> {
        let lives = u32::from(relay.retention_days) + 1;
        let is_over = self.day.saturating_add(lives) < relay.day;
        self.bodies.take_if(|_| is_over)?;
        self.receiving = None;
        if self.view.state == FileState::Here {
            return None;
        }
        self.view.state = FileState::Gone;
        (!self.is_hidden).then(|| self.view.clone())
    }

    /// Its line is gone.
    pub(super) fn hide(&mut self) {
        self.is_hidden = true;
        self.receiving = None;
        self.view.local = None;
    }
}

/// What a message says of a file of which nothing is known here.
pub(crate) fn view_of(file: &File, number: FileNumber) -> FileView {
    FileView {
        number,
        own: false,
        way: file.way,
        kind: file.kind,
        size: file.bodies.size,
        sha256: file.sha256,
        original: file.original,
        taken: file.taken,
        label: file.label.clone(),
        state: FileState::Gone,
        local: None,
    }
}
