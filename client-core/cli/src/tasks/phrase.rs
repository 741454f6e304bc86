//! A phrase to come back with: shown once, one word asked back, and used on another device.

use std::io::{self, IsTerminal};

use cobijo_client_core::{
    core::{
        client::{
            Client, Command, ConversationEvent, Entry, EntryContent, Event, Locked, PersonCommand,
            PersonStage, Standing,
        },
        phrase::{Phrase, PhraseError, PhraseKeys, WordList},
    },
    driver,
};
use cobijo_protocol::{capsule::Shows, link::DeskLink};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Task, asking::may_keep_phrase};
use crate::{
    app::{App, Patience},
    catalogue::{Key, Language},
    input,
    problem::Problem,
    render::locked_key,
    screen::Screen,
};

/// Draws a phrase, shows it, and asks one word back. Whoever answers nothing wants none.
pub(super) fn offer(screen: Screen, client: &Client, whole: bool) -> Result<Task, Problem> {
    may_keep_phrase(&client.standing())?;
    let list = match screen.language {
        Language::Es => WordList::Spanish,
        Language::En => WordList::English,
    };
    let mut rng = driver::fresh_rng()?;
    let phrase = Phrase::draw(list, &mut rng);
    let asked = phrase.word_to_ask(&mut rng);
    show(screen, &phrase, asked);
    let is_terminal = io::stdin().is_terminal();
    loop {
        if is_terminal {
            screen.ask_with(Key::PhraseCheck, &asked.to_string());
        }
        let typed = input::line()?;
        if typed.trim().is_empty() {
            return Err(Key::PhraseRefused.into());
        }
        if phrase.is_word(asked, &typed) {
            let phrase = Some(phrase);
            return Ok(Task::Phrase { whole, phrase });
        }
        if !is_terminal {
            return Err(Key::PhraseWrongWord.into());
        }
        screen.problem(Key::PhraseWrongWord.into());
    }
}

fn show(screen: Screen, phrase: &Phrase, asked: usize) {
    let words = phrase.words();
    let numbered = (1..).zip(words);
    let lines = numbered.map(|(number, word)| format!("  {number}. {word}"));
    let lines = Zeroizing::new(lines.collect::<Vec<_>>().join("\n"));
    let text = Zeroizing::new(screen.fill(Key::PhraseShown, &[&lines]));
    let object = json!({ "event": "phrase", "words": words, "asked": asked });
    screen.show(&object, &text);
}

/// The phrase that she has, typed without showing it.
pub(super) fn typed(screen: Screen) -> Result<Phrase, Problem> {
    if !io::stdin().is_terminal() {
        let typed = Zeroizing::new(input::line()?);
        return Phrase::parse(&typed).map_err(not_a_phrase);
    }
    loop {
        let typed = rpassword::prompt_password(screen.text(Key::PhraseAsk));
        let typed = Zeroizing::new(typed.map_err(|_| Problem::from(Key::PassphraseNoTerminal))?);
        match Phrase::parse(&typed) {
            Ok(phrase) => return Ok(phrase),
            Err(_) if typed.is_empty() => return Err(Key::PhraseCount.into()),
            Err(error) => screen.problem(not_a_phrase(error)),
        }
    }
}

fn not_a_phrase(error: PhraseError) -> Problem {
    Problem::from(match error {
        PhraseError::Count => Key::PhraseCount,
        PhraseError::Ambiguous => Key::PhraseAmbiguous,
        PhraseError::Word(_) => Key::PhraseNoWord,
        PhraseError::Memory => Key::PhraseMemory,
    })
}

impl App {
    pub(super) async fn keep_phrase(
        &mut self,
        phrase: &Phrase,
        whole: bool,
    ) -> Result<(), Problem> {
        let keys = self.derive(phrase)?;
        let shows = if whole { Shows::All } else { Shows::New };
        self.command(Command::Person(PersonCommand::KeepPhrase { keys, shows }))?;
        self.screen.progress(Key::Sending);
        self.until(Patience::Relay, |_, event| match event {
            Some(Event::PhraseKept) => Some(Ok(())),
            Some(Event::Locked(why)) => Some(Err(after_lock(*why))),
            Some(_) | None => None,
        })
        .await
    }

    /// Comes back by her phrase, or goes on with what an earlier run began.
    pub(super) async fn return_by(
        &mut self,
        way: Option<(DeskLink, Phrase)>,
    ) -> Result<(), Problem> {
        match way {
            None => self.has_come_back().await,
            Some((link, phrase)) => self.come_back(link, &phrase).await,
        }
    }

    async fn come_back(&mut self, link: DeskLink, phrase: &Phrase) -> Result<(), Problem> {
        let keys = self.derive(phrase)?;
        self.command(Command::Person(PersonCommand::Return { link, keys }))?;
        self.screen.progress(Key::Returning);
        self.has_come_back().await
    }

    pub(super) fn stop_returning(&mut self) -> Result<(), Problem> {
        self.command(Command::Person(PersonCommand::StopReturning))?;
        self.say_done(Key::ReturnStopped);
        Ok(())
    }

    /// Waits until she has taken her place, also where an earlier run had begun it.
    pub(super) async fn has_come_back(&mut self) -> Result<(), Problem> {
        let conversation = self
            .until(Patience::Relay, |_, event| match event {
                Some(Event::CameBack(conversation)) => Some(Ok(*conversation)),
                Some(Event::Locked(why)) => Some(Err(after_lock(*why))),
                Some(Event::NothingFound) => Some(Err(Key::NothingFound.into())),
                // The event has told what may help.
                Some(Event::Conversation(_, ConversationEvent::Stopped(_))) => {
                    Some(Err(Key::NotNow.into()))
                }
                Some(_) | None => None,
            })
            .await?;
        if let Some(conversation) = conversation {
            let lines = self.client().history(conversation);
            let count = lines.iter().filter(|entry| is_text(entry)).count();
            let object = json!({ "event": "new-messages", "count": count });
            let text = self.screen.fill(Key::ReturnNew, &[&count.to_string()]);
            self.screen.show(&object, &text);
        }
        Ok(())
    }

    fn derive(&self, phrase: &Phrase) -> Result<PhraseKeys, Problem> {
        self.screen.progress(Key::DerivingPhrase);
        phrase.derive().map_err(not_a_phrase)
    }
}

/// What ends a command, behind what the event has told already.
pub(super) fn after_lock(why: Locked) -> Problem {
    Problem::from(match why {
        Locked::Elsewhere => Key::NotNow,
        Locked::Stopped | Locked::Unjoinable => locked_key(why),
    })
}

/// A message of somebody else's.
fn is_text(entry: &Entry) -> bool {
    !entry.own && matches!(entry.content, EntryContent::Text(_))
}

/// Whether she was on her way back when the program ended.
pub(super) fn is_on_her_way(standing: &Standing) -> bool {
    match standing {
        Standing::Returning => true,
        Standing::Person(person) => person.stage == PersonStage::Returning,
        Standing::Fresh | Standing::Joining(_) | Standing::Member(_) | Standing::Removed => false,
    }
}
