//! She erases: shows how far it is, and ends only when nothing is left to be erased.

use cobijo_client_core::core::client::{
    Client, Command, CommandError, Event, PersonCommand, Standing,
};

use super::{
    asking::{is_waiting, yes_or_no},
    room::pick,
};
use crate::{
    app::{App, Patience},
    catalogue::Key,
    input,
    problem::Problem,
    screen::Screen,
};

/// What is to be erased.
#[derive(Clone, Copy)]
pub(crate) struct Erase {
    pub(crate) conversation: Option<u32>,
    pub(crate) at_once: bool,
    pub(crate) is_sure: bool,
}

impl Erase {
    /// Says what is erased, and what stays where; asks once.
    pub(super) fn ask(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        let is_sure = self.is_sure || {
            let question = question(client, self.conversation)?;
            input::answer(screen, question, Key::NotYesOrNo, yes_or_no)?
        };
        if is_sure {
            Ok(Self { is_sure, ..self })
        } else {
            Err(Key::NotErased.into())
        }
    }
}

/// What is erased, and what stays where.
fn question(client: &Client, conversation: Option<u32>) -> Result<Key, Problem> {
    match client.standing() {
        Standing::Person(person) if person.conversation.is_none() && conversation.is_none() => {
            Ok(Key::EraseWaitingAsk)
        }
        Standing::Person(_) => pick(client, conversation).map(|_| Key::EraseAsk),
        Standing::Fresh
        | Standing::Returning
        | Standing::Joining(_)
        | Standing::Member(_)
        | Standing::Removed => Err(CommandError::NotNow.into()),
    }
}

impl App {
    pub(super) async fn erase(&mut self, what: Erase) -> Result<(), Problem> {
        let Erase {
            conversation: number,
            at_once,
            is_sure,
        } = what;
        if !is_sure {
            return Err(Key::EraseSure.into());
        }
        if number.is_none() && is_waiting(&self.client().standing()) {
            self.command(Command::Person(PersonCommand::StopWaiting))?;
            self.until_erased().await?;
            self.say_done(Key::ErasedLetter);
            return Ok(());
        }
        let conversation = self.pick(number)?;
        let view = self.view(conversation)?;
        let (is_going_on, is_circle) = (view.erased.is_some(), view.circle.is_some());
        if !is_going_on {
            self.command(Command::Person(PersonCommand::Erase {
                conversation,
                at_once,
            }))?;
        }
        let is_told = self.until_erased().await?;
        self.say_done(if is_circle {
            Key::ErasedCircle
        } else if is_told {
            Key::Erased
        } else {
            Key::ErasedUntold
        });
        Ok(())
    }

    /// Waits until nothing is left to be erased; gives whether the others were told.
    async fn until_erased(&mut self) -> Result<bool, Problem> {
        self.screen.progress(Key::Erasing);
        let mut is_told = true;
        let waited = self
            .until(Patience::Erasing, |client, event| {
                if let Some(Event::Erased { told, .. }) = event {
                    is_told = *told;
                }
                let Standing::Person(person) = client.standing() else {
                    return Some(Ok(()));
                };
                (person.left_to_erase == 0).then_some(Ok(()))
            })
            .await;
        // The reason is of no help: what counts is what is left.
        waited.map_err(|_| Problem::from(Key::NotErasedYet))?;
        // What was told last may still be on its way to this screen.
        while let Some(notice) = self.driver.poll_notice() {
            if let cobijo_client_core::driver::Notice::Event(Event::Erased { told, .. }) = &notice {
                is_told = *told;
            }
            self.show(&notice);
        }
        Ok(is_told)
    }
}
