//! Changing what a desk's card says.

use cobijo_client_core::core::client::{Command, CommandError, Description, Standing, TeamCommand};
use cobijo_protocol::card::Text;

use super::parse_wait;
use crate::{
    app::App,
    args::Describe,
    catalogue::{Key, Language},
    problem::Problem,
};

/// What is to change; the rest stays as it is.
pub(crate) struct Changes {
    wanted: Describe,
    wait: Option<(u16, u16)>,
}

impl Changes {
    pub(super) fn check(wanted: Describe) -> Result<Self, Problem> {
        let wait = match &wanted.wait {
            Some(wait) => Some(parse_wait(wait).ok_or(Key::BadWait)?),
            None => None,
        };
        Ok(Self { wanted, wait })
    }

    fn apply(&self, mut to: Description) -> Description {
        let wanted = &self.wanted;
        for (text, new) in [
            (&mut to.name, &wanted.name),
            (&mut to.about, &wanted.about),
            (&mut to.hours, &wanted.hours),
        ] {
            if let Some(new) = new {
                set(text, wanted.only, new);
            }
        }
        to.wait_minutes = self.wait.unwrap_or(to.wait_minutes);
        if let Some(languages) = &wanted.languages {
            to.languages.clone_from(languages);
        }
        to
    }
}

fn set(text: &mut Text, only: Option<Language>, new: &str) {
    if only != Some(Language::En) {
        new.clone_into(&mut text.es);
    }
    if only != Some(Language::Es) {
        new.clone_into(&mut text.en);
    }
}

impl App {
    pub(super) async fn describe(&mut self, changes: &Changes) -> Result<(), Problem> {
        self.settle().await?;
        let Standing::Member(desk) = self.client().standing() else {
            return Err(CommandError::NotMember.into());
        };
        // Without the card, what is not to change is not known.
        let says = desk.description.ok_or(Key::CardUnreachable)?;
        let wanted = changes.apply(says.clone());
        if wanted != says {
            self.command(Command::Team(TeamCommand::Describe(wanted)))?;
            self.card_answered().await?;
        }
        self.say_done(Key::Done);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        let text = |es: &str, en: &str| Text {
            es: es.to_owned(),
            en: en.to_owned(),
        };
        let before = Description {
            name: text("Mesa", "Desk"),
            about: text("Acompañamos", "We accompany"),
            hours: text("9–22", "9–22"),
            wait_minutes: (10, 20),
            languages: vec!["es".to_owned()],
        };
        let wanted = Describe {
            name: None,
            about: Some("We listen".to_owned()),
            hours: None,
            wait: Some("5-10".to_owned()),
            languages: None,
            only: Some(Language::En),
        };
        let changes = Changes::check(wanted.clone()).unwrap_or_else(|_| unreachable!());
        let after = changes.apply(before.clone());
        let expected = Description {
            about: text("Acompañamos", "We listen"),
            wait_minutes: (5, 10),
            ..before.clone()
        };
        assert_eq!(after, expected);
        let both = Describe {
            only: None,
            wait: None,
            ..wanted
        };
        let changes = Changes::check(both).unwrap_or_else(|_| unreachable!());
        assert_eq!(changes.apply(before).about, text("We listen", "We listen"));
    }
}
