//! Evidence: a photo that is shown and ends, and one that is kept and taken out.

use std::fs;

use anyhow::{Context, ensure};
use serde_json::json;

use super::{Report, Room, Team};
use crate::harness::{check_export, photo, tells_where};

/// How long the photo is shown.
const SHOWN_FOR: &str = "40s";

/// Plays it in her conversation.
///
/// # Errors
/// Says which step did not go as it should.
pub(super) fn evidence(team: &mut Team, room: &mut Room, report: Report<'_>) -> anyhow::Result<()> {
    let desktop = tempfile::tempdir()?;
    let path = |name: &str| -> anyhow::Result<String> {
        let path = desktop.path().join(name);
        Ok(path.to_str().context("path")?.to_owned())
    };
    let (original, shown, copy) = (path("IMG_1.jpg")?, path("shown.jpg")?, path("copy.zip")?);
    let bytes = photo(7)?;
    fs::write(&original, &bytes)?;
    let (shift, number) = (&mut team.shifts[room.answering], room.number);

    room.talk
        .type_line(&format!("/show 1 \"{original}\" --for {SHOWN_FOR} --sure"))?;
    let line = shift.expect_that("entry", |event| event["kind"] == "file")?;
    ensure!(line["file"]["state"] == "unopened", "{line}");
    report(
        "she shows a photo of three megabytes, and nothing of it is fetched yet",
        json!({ "bytes": bytes.len() }),
    );
    let file = &line["file"]["number"];
    shift.type_line(&format!("open {number} {file} --to \"{shown}\""))?;
    shift.expect_that("done", |event| event["what"] == "file-saved")?;
    let seen = fs::read(&shown)?;
    ensure!(tells_where(&bytes) && !tells_where(&seen), "it tells where");
    report(
        "whoever is with her opens it: place and device are not in it",
        json!({ "bytes": seen.len() }),
    );
    let is_over = |event: &serde_json::Value| event["file"]["state"] == "expired";
    shift.expect_that("file", is_over)?;
    room.talk.expect_that("file", is_over)?;
    report("its time is over, and it is gone on both sides", json!({}));

    room.talk
        .type_line(&format!("/keep 1 \"{original}\" --sure"))?;
    let line = shift.expect_that("entry", |event| event["kind"] == "file")?;
    let file = &line["file"]["number"];
    shift.type_line(&format!("export {number} {file} --to \"{copy}\""))?;
    shift.expect_that("done", |event| event["what"] == "file-exported")?;
    let manifest = check_export(copy.as_ref())?;
    ensure!(manifest["file"]["size"] == bytes.len(), "{manifest}");
    report(
        "she keeps the original with the desk, and it is taken out with a manifest that sha256sum checks",
        json!({ "sha256": manifest["file"]["sha256"] }),
    );
    Ok(())
}
