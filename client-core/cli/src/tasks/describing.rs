//! Changing what a desk's card says.

use cobijo_client_core::core::client::{Command, CommandError, Description, Standing, TeamCommand};
use cobijo_protocol::{
    card::Text,
    opening::{OpenSpan, Opening},
};

use super::{
    opening::{is_zone, parse_week},
    parse_wait,
};
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
    week: Option<Vec<OpenSpan>>,
    paused: Option<bool>,
}

impl Changes {
    pub(super) fn check(wanted: Describe) -> Result<Self, Problem> {
        let wait = match &wanted.wait {
            Some(wait) => Some(parse_wait(wait).ok_or(Key::BadWait)?),
            None => None,
        };
        let week = match &wanted.week {
            Some(week) => Some(parse_week(week).ok_or(Key::BadWeek)?),
            None => None,
        };
        if let Some(zone) = &wanted.zone
            && !is_zone(zone)
        {
            return Err(Key::BadZone.into());
        }
        Ok(Self {
            wanted,
            wait,
            week,
            paused: None,
        })
    }

    /// Whether the desk answers, and nothing else.
    pub(super) fn pause(paused: bool) -> Self {
        Self {
            wanted: Describe::default(),
            wait: None,
            week: None,
            paused: Some(paused),
        }
    }

    fn apply(&self, mut to: Description) -> Result<Description, Problem> {
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
        self.open(&mut to.opening)?;
        Ok(to)
    }

    fn open(&self, opening: &mut Opening) -> Result<(), Problem> {
        if let Some(zone) = &self.wanted.zone {
            opening.zone.clone_from(zone);
        }
        if let Some(week) = &self.week {
            opening.week.clone_from(week);
        }
        if opening.week.is_empty() {
            opening.zone.clear();
        } else if opening.zone.is_empty() {
            return Err(Key::NoZone.into());
        }
        opening.paused = self.paused.unwrap_or(opening.paused);
        if opening.is_valid() {
            Ok(())
        } else {
            Err(Key::BadWeek.into())
        }
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
        let wanted = changes.apply(says.clone())?;
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
            opening: Opening::default(),
            wait_minutes: (10, 20),
            languages: vec!["es".to_owned()],
        };
        let wanted = Describe {
            name: None,
            about: Some("We listen".to_owned()),
            wait: Some("5-10".to_owned()),
            only: Some(Language::En),
            ..Describe::default()
        };
        let changes = Changes::check(wanted.clone()).unwrap_or_else(|_| unreachable!());
        let after = changes
            .apply(before.clone())
            .unwrap_or_else(|_| unreachable!());
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
        assert_eq!(
            changes
                .apply(before)
                .unwrap_or_else(|_| unreachable!())
                .about,
            text("We listen", "We listen")
        );
    }
    #[test]
    fn hours_need_a_zone_and_a_pause_keeps_them() {
        let silent = Description {
            name: Text {
                es: String::new(),
                en: String::new(),
            },
            about: Text {
                es: String::new(),
                en: String::new(),
            },
            hours: Text {
                es: String::new(),
                en: String::new(),
            },
            opening: Opening::default(),
            wait_minutes: (10, 20),
            languages: Vec::new(),
        };
        let week = |week: &str, zone: Option<&str>| Describe {
            week: Some(week.to_owned()),
            zone: zone.map(str::to_owned),
            ..Describe::default()
        };
        let apply = |wanted: Describe, to: &Description| {
            Changes::check(wanted).and_then(|changes| changes.apply(to.clone()))
        };
        let key = |refused: Result<Description, Problem>| refused.err().map(|problem| problem.key);
        assert_eq!(
            key(apply(week("mon 9-10", None), &silent)),
            Some(Key::NoZone)
        );
        assert_eq!(
            key(apply(week("mon 9-10", Some("Mars/Base")), &silent)),
            Some(Key::BadZone)
        );
        assert_eq!(
            key(apply(week("mon 9-11, mon 10-12", Some("UTC")), &silent)),
            Some(Key::BadWeek)
        );
        let open = apply(week("mon 9-10", Some("UTC")), &silent).unwrap_or_else(|_| unreachable!());
        let paused = Changes::pause(true)
            .apply(open.clone())
            .unwrap_or_else(|_| unreachable!());
        assert!(paused.opening.paused && paused.opening.week == open.opening.week);
        let resumed = Changes::pause(false)
            .apply(paused)
            .unwrap_or_else(|_| unreachable!());
        assert_eq!(resumed, open);
        let cleared = apply(week("", None), &open).unwrap_or_else(|_| unreachable!());
        assert_eq!(cleared, silent);
    }
}
