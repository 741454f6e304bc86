//! The team tells each other what the next one needs to know, calls a coordinator, and closes.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::team::Report;
use crate::harness::{Needle, Relay};

const STATE: &str = "Más tranquila, azucena";
const NEXT: &str = "Hablar el jueves, jilguero";
const SAFETY: &str = "Escribe solo de noche, tulipán";
const NOTE: &str = "Me quedé con su voz, magnolia";

/// What no relay may keep.
const TOLD: [&str; 4] = [STATE, NEXT, SAFETY, NOTE];

/// Plays it at a desk of its own.
///
/// # Errors
/// Says which step did not go as it should.
pub(super) fn play(report: Report<'_>) -> anyhow::Result<()> {
    let mut relay = Relay::start().context("the relay starts")?;
    let desk = relay.open_desk("Sol Girasol")?;
    let (sol, mar) = (&desk.coordinator, relay.client("mar")?);
    desk.admit(&mar, "Mar Clavel")?;
    let person = relay.client("ada")?;
    person.write(&desk.link, "¿Hay alguien?")?;
    mar.succeed(&["shift", "start"])?;
    mar.succeed(&["queue"])?;
    mar.succeed(&["claim", "1"])?;
    person.succeed(&["wait"])?;
    mar.succeed_with(&["board", "1"], &format!("{STATE}\n{NEXT}\n{SAFETY}\n"))?;
    let board = sol.succeed(&["desk", "board"])?;
    let row = &board.event("board")?["rows"][0];
    ensure!(row["row"]["state"] == STATE, "{board:?}");
    report(
        "whoever comes next reads where things are, under a name that says nothing of her",
        json!({ "whose": row["whose"] }),
    );
    let mut watching = sol.start(&["shift"])?;
    mar.succeed(&["help-now", "1"])?;
    watching.expect("help-asked")?;
    watching.type_line("desk come")?;
    watching.expect("help-comes")?;
    report("help is asked for, and a coordinator comes", json!({}));
    mar.succeed(&["close", "1", "--reason", "agreed"])?;
    let read = person.succeed(&["read"])?;
    let is_closing = |event: &&Value| event["kind"] == "closing";
    let closing = read.events.iter().find(is_closing).context("closing")?;
    report(
        "she reads that it is closed for now, and not why",
        json!({ "days": closing["days"] }),
    );
    let list = mar.succeed(&["list"])?;
    let first = &list.event("list")?["conversations"][0];
    ensure!(
        first["closed"] == true && first["alias"].is_null(),
        "{list:?}"
    );
    report("the accompanier keeps nothing of it", json!({}));
    watching.type_line("desk board")?;
    watching.expect_that("board", |board| board["rows"] == json!([]))?;
    report("nor does the team", json!({}));
    mar.succeed(&["shift", "end"])?.event("check-out")?;
    mar.succeed_with(&["debrief"], NOTE)?;
    mar.succeed(&["check-out", "talk"])?;
    watching.expect("wants-to-talk")?;
    report(
        "after her shift she wants to talk, and only a coordinator is told",
        json!({}),
    );
    watching.finish()?;
    let needles: Vec<_> = TOLD.iter().map(|text| Needle::text(text)).collect();
    let findings = relay.search(&needles)?;
    ensure!(findings.is_empty(), "the relay kept {findings:?}");
    relay.stop()
}
