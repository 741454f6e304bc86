//! A helpline's team: a desk, a coordinator, and two accompaniers on shift.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::harness::{Client, Live, Needle, Relay};

pub(super) const COORDINATOR: &str = "Coordinación Amapola";
pub(super) const FIRST: &str = "Luz Bugambilia";
pub(super) const SECOND: &str = "Mar Cempasúchil";

/// What the accompaniers are called, in the order of [`Team::accompaniers`].
pub const ALIASES: [&str; 2] = [FIRST, SECOND];

/// Told of every step that went as it should.
pub type Report<'a> = &'a mut dyn FnMut(&str, Value);

/// A desk and its two accompaniers, on shift.
pub struct Team {
    /// What people are given.
    pub link: String,
    /// Who created the desk.
    pub coordinator: Client,
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
        let coordinator = relay.client("coordinator")?;
        let created = coordinator.succeed(&[
            "desk",
            "create",
            "--relay",
            relay.url(),
            "--name",
            "Mesa",
            "--alias",
            COORDINATOR,
        ])?;
        let created = created.event("desk-created")?;
        let desk = created["desk"].as_str().context("desk")?;
        let link = created["link"].as_str().context("link")?.to_owned();
        report("a desk is created", json!({ "link": link }));
        relay.host(desk)?;
        coordinator
            .succeed(&["shift", "start"])?
            .event("card-published")?;
        report(
            "its card is published once the operator hosts it",
            json!({}),
        );
        let accompaniers = [relay.client("first")?, relay.client("second")?];
        let mut secrets = Vec::new();
        for (accompanier, alias) in accompaniers.iter().zip([FIRST, SECOND]) {
            let secret = admit(&coordinator, accompanier, alias)?;
            secrets.push(Needle::text(&secret));
            report(
                "an accompanier joins after comparing six words",
                json!({ "alias": alias }),
            );
        }
        coordinator.succeed(&["shift", "end"])?;
        let mut shifts = [
            accompaniers[0].start(&["shift"])?,
            accompaniers[1].start(&["shift"])?,
        ];
        for shift in &mut shifts {
            shift.expect_that("shift", |event| event["on"] == true)?;
        }
        report("both accompaniers begin their shift", json!({}));
        Ok(Self {
            link,
            coordinator,
            accompaniers,
            shifts,
            secrets,
        })
    }
}

/// Invites, joins and admits; returns the invitation's secret.
fn admit(coordinator: &Client, newcomer: &Client, alias: &str) -> anyhow::Result<String> {
    let invited = coordinator.succeed(&["desk", "invite"])?;
    let invite = invited.event("invited")?["invite"]
        .as_str()
        .context("invite")?
        .to_owned();
    let mut joining = newcomer.start(&["desk", "join", &invite, "--alias", alias])?;
    let words = joining.expect("invite-words")?;
    let words = words["words"]["es"].as_str().context("words")?;
    coordinator
        .succeed(&["desk", "admit", "--words", words])?
        .event("newcomer-joined")?;
    joining.expect("joined-desk")?;
    ensure!(joining.wait()?.success(), "joining ends well");
    let (_, secret) = invite.split_once("#i.").context("secret")?;
    Ok(secret.to_owned())
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
