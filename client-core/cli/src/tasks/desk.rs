//! What a coordinator does, and who joins a desk.

use cobijo_client_core::core::client::{
    CardRefusal, Command, CommandError, Description, Event, InviteEnd, InviteId, InviteView,
    Standing, TeamCommand,
};
use cobijo_client_core::driver::Notice;
use cobijo_protocol::{
    card::Role,
    keys::SecretKey,
    link::{Invite, RelayUrl},
    words::WordIndices,
};

use super::{asking::yes_or_no, person::same};
use crate::{
    app::{App, Patience},
    catalogue::{Key, Language, words},
    input,
    problem::Problem,
};

impl App {
    pub(super) async fn create_desk(
        &mut self,
        relay: RelayUrl,
        alias: String,
        description: Description,
    ) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::CreateDesk {
            relay,
            alias,
            description,
        }))?;
        self.card_answered().await
    }

    pub(super) async fn show_desk(&mut self) -> Result<(), Problem> {
        self.settle().await?;
        let Standing::Member(desk) = self.client().standing() else {
            return Err(CommandError::NotMember.into());
        };
        let (mut object, text) = self.screen.desk(&desk);
        object["event"] = "desk".into();
        self.screen.show(&object, &text);
        Ok(())
    }

    pub(super) async fn invite(&mut self) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::Invite))?;
        self.until(Patience::Relay, |_, event| {
            matches!(event, Some(Event::Invited { .. })).then_some(Ok(()))
        })
        .await?;
        self.screen.progress(Key::InviteHint);
        Ok(())
    }

    pub(super) async fn admit(
        &mut self,
        number: Option<u32>,
        told: Option<String>,
        role: Role,
    ) -> Result<(), Problem> {
        self.screen.progress(Key::WaitingForNewcomer);
        let is_meant = |view: &InviteView| number.is_none_or(|number| view.id.number() == number);
        if !invites(self.client().standing()).iter().any(is_meant) {
            return Err(self.no_invite().into());
        }
        let mut is_announced = false;
        let (id, alias, words) = self
            .until(Patience::Person, |client, event| {
                is_announced |= matches!(event, Some(Event::NewcomerArrived { .. }));
                if let Some(Event::InviteEnded { id, .. }) = event
                    && number.is_none_or(|number| number == id.number())
                {
                    return Some(Err(CommandError::InviteExpired.into()));
                }
                let arrived = invites(client.standing()).into_iter().filter(is_meant);
                let mut arrived = arrived.filter_map(|view| {
                    let (alias, words) = view.newcomer?;
                    (!view.admitted).then_some((view.id, alias, words))
                });
                arrived.next().map(Ok)
            })
            .await?;
        if !is_announced {
            let (object, text) = self.screen.newcomer(id.number(), &alias, &words);
            self.screen.show(&object, &text);
        }
        self.compare(id, &words, told)?;
        self.command(Command::Team(TeamCommand::Admit { invite: id, role }))?;
        self.until(Patience::Person, |_, event| match event {
            Some(Event::NewcomerJoined(joined)) if *joined == id => Some(Ok(())),
            Some(Event::InviteEnded { id: ended, .. }) if *ended == id => {
                Some(Err(CommandError::InviteExpired.into()))
            }
            Some(_) | None => None,
        })
        .await
    }

    /// Why there is nobody to admit: it may have become too late just now.
    fn no_invite(&mut self) -> Key {
        let mut why = Key::NoInvite;
        while let Some(notice) = self.driver.poll_notice() {
            let expired = InviteEnd::Expired;
            if matches!(&notice, Notice::Event(Event::InviteEnded { reason, .. }) if *reason == expired)
            {
                why = Key::JoinExpired;
            }
            self.show(&notice);
        }
        why
    }

    /// Goes on only where the newcomer sees the same words. Else the invitation is taken back: somebody
    /// else has used it.
    fn compare(
        &mut self,
        id: InviteId,
        indices: &WordIndices,
        told: Option<String>,
    ) -> Result<(), Problem> {
        let is_same = match told {
            Some(told) => are_same(&told, indices),
            None => {
                let question = (Key::NewcomerAsk, Key::NotYesOrNo);
                input::answer(self.screen, question.0, question.1, |told| {
                    is_yes(told, indices)
                })?
            }
        };
        if is_same {
            return Ok(());
        }
        self.command(Command::Team(TeamCommand::Revoke(id)))?;
        Err(Key::WordsDiffer.into())
    }

    pub(super) fn revoke(&mut self, invite: u32) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::Revoke(InviteId::from_number(
            invite,
        ))))
    }

    pub(super) async fn join(
        &mut self,
        invite: Option<Invite>,
        alias: Option<String>,
    ) -> Result<(), Problem> {
        match (self.client().standing(), invite, alias) {
            (Standing::Joining(view), None, _) => {
                if let Some(words) = view.words {
                    let event = Event::InviteWords(words);
                    self.show(&Notice::Event(event));
                }
            }
            (_, Some(invite), Some(alias)) => {
                self.command(Command::Team(TeamCommand::JoinDesk { invite, alias }))?;
            }
            (_, _, _) => return Err(CommandError::InUse.into()),
        }
        self.screen.progress(Key::WaitingForAdmission);
        self.until(Patience::Person, |client, event| {
            match (client.standing(), event) {
                (_, Some(Event::JoinFailed(failure))) => Some(Err((*failure).into())),
                (Standing::Member(_), _) => Some(Ok(())),
                (_, _) => None,
            }
        })
        .await?;
        self.settle().await
    }

    pub(super) async fn remove_colleague(&mut self, alias: &str) -> Result<(), Problem> {
        self.settle().await?;
        let key = self.colleague(alias)?;
        self.command(Command::Team(TeamCommand::RemoveMember(key)))?;
        self.until(Patience::Relay, |client, _| {
            let Standing::Member(desk) = client.standing() else {
                return None;
            };
            let is_gone = desk.colleagues.iter().all(|colleague| colleague.key != key);
            is_gone.then_some(Ok(()))
        })
        .await?;
        self.say_done(Key::Removed);
        Ok(())
    }

    pub(super) async fn make_successor(&mut self, without: &[String]) -> Result<(), Problem> {
        self.settle().await?;
        let keys = without.iter().map(|alias| self.colleague(alias));
        let keys = keys.collect::<Result<_, _>>()?;
        self.command(Command::Team(TeamCommand::MakeSuccessor(keys)))?;
        self.screen.progress(Key::MakingSuccessor);
        self.until(Patience::Relay, |_, event| {
            matches!(event, Some(Event::SuccessorMade)).then_some(Ok(()))
        })
        .await?;
        self.card_answered().await
    }

    pub(super) async fn leave_desk(&mut self) -> Result<(), Problem> {
        self.settle().await?;
        self.command(Command::Team(TeamCommand::LeaveDesk))?;
        self.screen.progress(Key::Sending);
        self.until(Patience::Relay, |_, event| {
            matches!(event, Some(Event::LeftDesk | Event::RemovedFromDesk)).then_some(Ok(()))
        })
        .await
    }

    pub(super) async fn renew_key(&mut self) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::RenewDeskKey))?;
        self.card_answered().await?;
        self.say_done(Key::DeskKeyRenewed);
        Ok(())
    }

    pub(super) async fn export_root(&mut self) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::ExportRoot))?;
        self.until(Patience::Relay, |_, event| {
            matches!(event, Some(Event::RootKey(_))).then_some(Ok(()))
        })
        .await
    }

    pub(super) fn drop_root(&mut self) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::DropRoot))?;
        self.say_done(Key::RootDropped);
        Ok(())
    }

    pub(super) fn import_root(&mut self, key: SecretKey) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::ImportRoot(key)))?;
        self.say_done(Key::RootImported);
        Ok(())
    }

    /// Waits until the relay has taken the card, or has said why not yet: the desk exists either way.
    pub(super) async fn card_answered(&mut self) -> Result<(), Problem> {
        self.until(Patience::Relay, |_, event| match event {
            Some(Event::CardPublished(_)) => Some(Ok(())),
            Some(Event::CardRefused(CardRefusal::Unreachable)) => None,
            Some(Event::CardRefused(_)) => Some(Ok(())),
            Some(_) | None => None,
        })
        .await
    }
}

fn invites(standing: Standing) -> Vec<InviteView> {
    match standing {
        Standing::Member(desk) => desk.invites,
        Standing::Fresh
        | Standing::Joining(_)
        | Standing::Removed
        | Standing::Returning
        | Standing::Person(_) => Vec::new(),
    }
}

/// What she answered: yes, no, or the words that the newcomer told her.
fn is_yes(told: &str, indices: &WordIndices) -> Option<bool> {
    let is_words = told.split_whitespace().count() == indices.len();
    yes_or_no(told).or_else(|| is_words.then(|| are_same(told, indices)))
}

/// Whether these are the words, in either language.
fn are_same(told: &str, indices: &WordIndices) -> bool {
    [Language::Es, Language::En]
        .iter()
        .any(|&language| same_words(told, &words(indices, language)))
}

/// Compares words as people tell them: without case, whatever stands between.
fn same_words(told: &str, expected: &str) -> bool {
    let told: Vec<&str> = told.split_whitespace().collect();
    same(&told.join(" "), expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_lets_somebody_in_or_takes_the_invitation_back() {
        let indices = [0, 1, 2, 3, 4, 5];
        let spanish = words(&indices, Language::Es);
        for (told, is_same) in [
            ("Sí", Some(true)),
            ("yes", Some(true)),
            ("no", Some(false)),
            (spanish.as_str(), Some(true)),
            ("uno dos tres cuatro cinco seis", Some(false)),
            ("sii", None),
            ("", None),
        ] {
            assert_eq!(is_yes(told, &indices), is_same, "{told}");
        }
    }

    #[test]
    fn words_are_the_same_however_they_are_spaced_and_written() {
        assert!(same_words(" Uno  dos tres ", "uno dos tres"));
        assert!(!same_words("uno dos", "uno dos tres"));
    }
}
