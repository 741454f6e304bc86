//! A helpline's team: a desk, a coordinator, and two accompaniers on shift.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::harness::{Client, Desk, Live, Needle, Relay};

pub(super) const COORDINATOR: &str = "Coordinación Amapola";
pub(super) const FIRST: &str = "Luz Bugambilia";
pub(super) const SECOND: &str = "Mar Cempasúchil";

/// What the accompaniers are called, in the order of [`Team::accompaniers`].
pub const ALIASES: [&str; 2] = [FIRST, SECOND];

/// Told of every step that went as it should.
pub type Report<'a> = &'a mut dyn FnMut(&str, Value);

/// A desk and its two accompaniers, on shift.
pub struct Team {
    /// The desk, with its coordinator.
    pub desk: Desk,
    /// Who answers.
    pub accompaniers: [Client; 2],
    /// Their shifts, in the same order.
    pub shifts: [Live; 2],
    pub(super) secrets: Vec<Needle>,
}

impl Team {
    /// Makes all of it, with the words compared.
    ///
    /// # Errors
    /// Says which step did not go as it should.
    pub fn gather(relay: &Relay, report: Report<'_>) -> anyhow::Result<Self> {
        let desk = relay.desk(COORDINATOR)?;
        report("a desk is created", json!({ "link": desk.link }));
        relay.host(&desk.id)?;
        desk.coordinator
            .succeed(&["shift", "start"])?
            .event("card-published")?;
        report(
            "its card is published once the operator hosts it",
            json!({}),
        );
        let accompaniers = [relay.client("first")?, relay.client("second")?];
        let mut secrets = Vec::new();
        for (accompanier, alias) in accompaniers.iter().zip([FIRST, SECOND]) {
            let invite = desk.admit(accompanier, alias)?;
            let (_, secret) = invite.split_once("#i.").context("secret")?;
            secrets.push(Needle::text(secret));
            report(
                "an accompanier joins after comparing six words",
                json!({ "alias": alias }),
            );
        }
        desk.coordinator.succeed(&["shift", "end"])?;
        let mut shifts = [
            accompaniers[0].start(&["shift"])?,
            accompaniers[1].start(&["shift"])?,
        ];
        for shift in &mut shifts {
            shift.expect_that("shift", |event| event["on"] == true)?;
        }
        report("both accompaniers begin their shift", json!({}));
        Ok(Self {
            desk,
            accompaniers,
            shifts,
            secrets,
        })
    }
}

/// Both claim at once. Returns who got her, and the conversation's number.
///
/// # Errors
/// Not exactly one of them got her.
pub fn race(shifts: &mut [Live; 2]) -> anyhow::Result<(usize, u64)> {
    let mut rows = Vec::new();
    for shift in shifts.iter_mut() {
        let queue = shift.expect_that("queue", |event| event["rows"][0]["state"] == "waiting")?;
        rows.push(queue["rows"][0]["row"].as_u64().context("row")?);
    }
    for (shift, row) in shifts.iter_mut().zip(&rows) {
        shift.type_line(&format!("claim {row}"))?;
    }
    let mut won = Vec::new();
    for (at, shift) in shifts.iter_mut().enumerate() {
        let ended = shift.expect_any(&["claim-won", "problem"])?;
        ensure!(
            ended["event"] == "claim-won" || ended["problem"] == "claim-lost",
            "a claim ends with {ended}"
        );
        if ended["event"] == "claim-won" {
            won.push((at, ended["conversation"].as_u64().context("conversation")?));
        }
    }
    ensure!(won.len() == 1, "{} accompaniers got her", won.len());
    Ok(won[0])
}
