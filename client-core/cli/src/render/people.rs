//! The hand-over board, calls for coordinators, and what is said to one alone.

use cobijo_client_core::core::client::{BoardRowView, BoardView, Event, HelpView, Told};
use cobijo_protocol::handover::{BoardRow, TeamNotes, Word};
use serde_json::{Value, json};

use super::Shown;
use crate::{
    catalogue::{Key, alias},
    screen::{Screen, clean},
};

impl Screen {
    /// What happens with people's conversations at the desk.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Screen::event hands it a part of the events"
    )]
    pub(super) fn people_event(self, event: &Event) -> Option<Shown> {
        let told = |name: &str, key: Key, by: &str, whose: String| {
            let text = self.fill(key, &[&clean(by), &whose]);
            (json!({ "event": name, "alias": by, "whose": whose }), text)
        };
        Some(match event {
            Event::BoardChanged(whose) => {
                let whose = alias(*whose);
                (
                    json!({ "event": "board-changed", "whose": whose }),
                    String::new(),
                )
            }
            Event::SaidOver {
                alias: by,
                conversation,
            } => told("said-over", Key::SaidOver, by, alias(*conversation)),
            Event::HelpAsked {
                alias: by,
                conversation,
            } => told("help-asked", Key::HelpWanted, by, alias(*conversation)),
            Event::HelpComes {
                alias: by,
                conversation,
            } => told("help-comes", Key::HelpComes, by, alias(*conversation)),
            Event::Unclaimed { row, minutes } => (
                json!({ "event": "unclaimed", "row": row.map(|row| row.number()), "minutes": minutes }),
                self.fill(Key::UnclaimedFor, &[&minutes.to_string()]),
            ),
            Event::WantsToTalk { alias: by } => (
                json!({ "event": "wants-to-talk", "alias": by }),
                self.fill(Key::WantsToTalk, &[&clean(by)]),
            ),
            Event::Debrief { alias: by, text } => (
                json!({ "event": "debrief", "alias": by, "text": text }),
                self.fill(Key::DebriefOf, &[&clean(by), &clean(text)]),
            ),
            Event::Blocked {
                alias: by,
                conversation,
                blocked,
            } => {
                let key = if *blocked {
                    Key::Blocked
                } else {
                    Key::Unblocked
                };
                let (mut object, text) = told("blocked", key, by, alias(*conversation));
                object["blocked"] = (*blocked).into();
                (object, text)
            }
            Event::CheckOut => (
                json!({ "event": "check-out" }),
                self.text(Key::CheckOutHint).to_owned(),
            ),
            Event::PauseOver => (
                json!({ "event": "pause-over" }),
                self.text(Key::PauseOver).to_owned(),
            ),
            _ => return None,
        })
    }

    /// The hand-over board.
    pub(crate) fn board(self, board: &BoardView) -> Shown {
        let (helps, mut lines): (Vec<_>, Vec<_>) =
            board.helps.iter().map(|help| self.help(help)).unzip();
        for minutes in &board.unclaimed {
            lines.push(self.fill(Key::UnclaimedFor, &[&minutes.to_string()]));
        }
        let (rows, of_rows): (Vec<_>, Vec<_>) =
            board.rows.iter().map(|row| self.board_row(row)).unzip();
        lines.extend(of_rows);
        let mut blocked = Vec::new();
        for one in &board.blocked {
            let by = self.teller(one.by.as_deref());
            let whose = alias(one.alias);
            lines.push(self.fill(Key::BoardBlocked, &[&whose, &by]));
            blocked.push(json!({ "whose": whose, "by": one.by }));
        }
        if lines.is_empty() {
            lines.push(self.text(Key::BoardEmpty).to_owned());
        }
        let object = json!({
            "event": "board", "rows": rows, "helps": helps, "unclaimed": board.unclaimed, "blocked": blocked,
        });
        (object, lines.join("\n"))
    }

    fn help(self, help: &HelpView) -> Shown {
        let whose = alias(help.alias);
        let text = match &help.taken_by {
            Some(by) => self.fill(Key::HelpComes, &[&clean(by), &whose]),
            None => self.fill(Key::HelpWanted, &[&clean(&help.by), &whose]),
        };
        let object =
            json!({ "alias": help.by, "whose": whose, "taken_by": help.taken_by, "own": help.own });
        (object, text)
    }

    fn board_row(self, view: &BoardRowView) -> Shown {
        let whose = alias(view.alias);
        let number = view.conversation.map(|conversation| conversation.number());
        let title = match number {
            Some(number) => self.fill(Key::Conversation, &[&number.to_string(), &whose]),
            None => whose.clone(),
        };
        let mut lines = vec![title];
        if let Some(row) = &view.row {
            let says = [
                (Key::BoardStateIs, &row.what.state),
                (Key::BoardNextIs, &row.what.next_step),
                (Key::BoardSafetyIs, &row.what.safety),
            ];
            lines.extend(self.lines(&says, row));
        }
        if let Some(notes) = &view.notes {
            let says = [
                (Key::NotesNeedsAre, &notes.what.needs),
                (Key::NotesAgreementsAre, &notes.what.agreements),
                (Key::NotesRisksAre, &notes.what.risks),
                (Key::NotesReferralsAre, &notes.what.referrals),
                (Key::BoardNextIs, &notes.what.next_step),
            ];
            lines.extend(self.lines(&says, notes));
        }
        let object = json!({
            "whose": whose, "conversation": number,
            "row": view.row.as_ref().map(row_object), "notes": view.notes.as_ref().map(notes_object),
        });
        (object, lines.join("\n    "))
    }

    fn lines<T>(self, says: &[(Key, &String)], told: &Told<T>) -> Vec<String> {
        let said = says.iter().filter(|(_, text)| !text.is_empty());
        let mut lines: Vec<_> = said
            .map(|(key, text)| self.fill(*key, &[&clean(text)]))
            .collect();
        let by = self.teller(told.by.as_deref());
        let today = cobijo_client_core::driver::now().day();
        let days = today.saturating_sub(told.day).to_string();
        let key = if told.retold {
            Key::RetoldBy
        } else {
            Key::ToldBy
        };
        lines.push(self.fill(key, &[&by, &days]));
        lines
    }

    fn teller(self, by: Option<&str>) -> String {
        by.map_or_else(|| self.text(Key::Somebody).to_owned(), clean)
    }

    /// What was said to this member alone, and her own notes.
    pub(crate) fn words(self, board: &BoardView) -> Shown {
        let mut lines = Vec::new();
        let mut words = Vec::new();
        for one in &board.words {
            let by = clean(&one.by);
            let (text, said) = match &one.word {
                Word::Talk => (None, self.fill(Key::WantsToTalk, &[&by])),
                Word::Debrief(text) => {
                    let said = self.fill(Key::DebriefOf, &[&by, &clean(text)]);
                    (Some(text), said)
                }
            };
            lines.push(said);
            words.push(json!({ "alias": one.by, "debrief": text }));
        }
        for note in &board.debriefs {
            lines.push(self.fill(Key::DebriefOwn, &[&clean(&note.text)]));
        }
        let own: Vec<&str> = board
            .debriefs
            .iter()
            .map(|note| note.text.as_str())
            .collect();
        if lines.is_empty() {
            lines.push(self.text(Key::WordsEmpty).to_owned());
        }
        let object = json!({ "event": "words", "words": words, "own": own });
        (object, lines.join("\n"))
    }
}

fn row_object(row: &Told<BoardRow>) -> Value {
    json!({
        "version": row.what.version, "state": row.what.state, "next_step": row.what.next_step,
        "safety": row.what.safety, "by": row.by, "retold": row.retold, "day": row.day,
    })
}

fn notes_object(notes: &Told<TeamNotes>) -> Value {
    json!({
        "version": notes.what.version, "needs": notes.what.needs, "agreements": notes.what.agreements,
        "risks": notes.what.risks, "referrals": notes.what.referrals, "next_step": notes.what.next_step,
        "by": notes.by, "retold": notes.retold, "day": notes.day,
    })
}
