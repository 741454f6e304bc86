//! SPEC.md, section 14, and the constants.

use std::{collections::BTreeMap, time::Duration};

use cobijo_protocol::{file::FILE_BYTES_MAX, limits::*, parts::PAYLOAD_BYTES_MAX};

/// Rows that the relay's settings decide.
const OF_THE_RELAY: [&str; 1] = ["frames, bytes of a connection"];

#[test]
fn every_row_of_the_text_is_its_constant() {
    let text = include_str!("../../SPEC.md");
    let (_, section) = text.split_once("\n## 15 Limits\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| {
        let (limit, value) = line.strip_prefix("| ")?.split_once(" | ")?;
        Some((limit, value.strip_suffix(" |")?))
    });
    let said: BTreeMap<_, _> = rows
        .filter(|(limit, _)| *limit != "limit" && !OF_THE_RELAY.contains(limit))
        .collect();
    let constants = [
        of_the_relay(),
        of_clients(),
        of_groups(),
        of_desks(),
        of_circles(),
        of_talk(),
    ]
    .concat();
    let known: BTreeMap<_, _> = constants
        .iter()
        .map(|(limit, value)| (*limit, value.as_str()))
        .collect();
    assert_eq!(said, known);
}

fn of_the_relay() -> Vec<(&'static str, String)> {
    vec![
        ("cell", format!("{} bytes", grouped(CELL_BYTES))),
        (
            "frame",
            format!(
                "1–{FRAME_OPERATIONS_MAX} units of {} bytes; {FRAME_OPERATIONS_MAX} operations",
                grouped(FRAME_UNIT_BYTES)
            ),
        ),
        (
            "addresses of a watch; registered a connection",
            format!(
                "{WATCH_ADDRESSES_MAX}; {}",
                grouped(REGISTERED_ADDRESSES_MAX)
            ),
        ),
        (
            "frames a client sends before the first is answered",
            FRAMES_IN_FLIGHT_MAX.to_string(),
        ),
        (
            "credits of a connection",
            grouped(CONNECTION_CREDITS as usize),
        ),
        (
            "mailboxes open a connection; items of a mailbox",
            format!("{OPEN_MAILBOXES_MAX}; {}", grouped(MAILBOX_ITEMS_MAX)),
        ),
    ]
}

fn of_clients() -> Vec<(&'static str, String)> {
    vec![
        (
            "bodies of a head; payload",
            format!("{HEAD_BODIES_MAX}; {} bytes", grouped(PAYLOAD_BYTES_MAX)),
        ),
        (
            "card; posters; alias",
            format!(
                "{} bytes; {CARD_POSTERS_MAX}; {ALIAS_BYTES_MAX} bytes",
                grouped(CARD_BYTES_MAX)
            ),
        ),
        (
            "spans of a week; time zone",
            format!("{OPEN_SPANS_MAX}; {ZONE_BYTES_MAX} bytes"),
        ),
    ]
}

fn of_groups() -> Vec<(&'static str, String)> {
    let hours = |time: Duration| time.as_secs() / 3600;
    vec![
        (
            "messages of a leaf in one epoch (count of a cut)",
            CUT_MESSAGES_MAX.to_string(),
        ),
        ("clock ahead", format!("2^{}", LAMPORT_AHEAD_MAX.ilog2())),
        (
            "retention",
            format!(
                "{RETENTION_DAYS_MIN}–{RETENTION_DAYS_MAX} days, {RETENTION_DAYS_DEFAULT} by default"
            ),
        ),
        (
            "desk key; attestation",
            format!("{DESK_KEY_DAYS} days; {ATTESTATION_DAYS} days"),
        ),
        (
            "invite; intake key; claim",
            format!(
                "{} h; {} h at least; {} minutes",
                hours(INVITE_LIFETIME),
                hours(INTAKE_KEY_LIFETIME),
                CLAIM_LIFETIME.as_secs() / 60
            ),
        ),
        (
            "KeyPackages a colleague keeps in the desk",
            POOL_KEY_PACKAGES.to_string(),
        ),
        (
            "indices of a welcome thread; of a taking thread",
            format!("{WELCOME_INDICES_MAX}; {TAKING_INDICES_MAX}"),
        ),
        (
            "texts kept from one waiting thread",
            WAITING_TEXTS_MAX.to_string(),
        ),
        (
            "bodies of a file, at least; bytes; label; time shown; files remembered",
            format!(
                "{}, {FILE_BODIES_MIN}; {} bytes; {FILE_LABEL_BYTES_MAX} bytes; {} h; {FILES_MAX}",
                grouped(FILE_BODIES_MAX),
                grouped(FILE_BYTES_MAX),
                hours(FILE_SHOWN_MAX)
            ),
        ),
        (
            "month of capsules; its slots; bodies, leaves of a capsule; generations of a phrase",
            format!(
                "{CAPSULE_MONTH_DAYS} days; {CAPSULE_SLOTS_MAX}; {CAPSULE_BODIES_MAX}, {CAPSULE_LEAVES_MAX}; {PHRASE_GENERATIONS}"
            ),
        ),
        (
            "stale margin",
            format!("{STALE_MARGIN_DAYS} days before the end of retention"),
        ),
    ]
}

fn of_desks() -> Vec<(&'static str, String)> {
    vec![
        (
            "line of the board; of notes; a version ahead",
            format!(
                "{BOARD_TEXT_BYTES_MAX} bytes; {} bytes; 2^{}",
                grouped(NOTE_TEXT_BYTES_MAX),
                VERSIONS_AHEAD_MAX.ilog2()
            ),
        ),
        (
            "a word before it is sealed; unclaimed",
            format!(
                "{} bytes; {} minutes",
                grouped(WORD_BYTES),
                UNCLAIMED_AFTER.as_secs() / 60
            ),
        ),
    ]
}

fn of_circles() -> Vec<(&'static str, String)> {
    vec![(
        "members, facilitators of a circle; what it says of itself; circles of a capsule",
        format!(
            "{CIRCLE_MEMBERS_MAX}, {CIRCLE_FACILITATORS_MAX}; {} bytes; {CAPSULE_CIRCLES_MAX}",
            grouped(CIRCLE_ABOUT_BYTES_MAX)
        ),
    )]
}

fn of_talk() -> Vec<(&'static str, String)> {
    vec![
        (
            "summary; reason of a proposal",
            format!(
                "{} bytes; {} bytes",
                grouped(SUMMARY_BYTES_MAX),
                grouped(REASON_BYTES_MAX)
            ),
        ),
        (
            "versions of a summary: of members; above which a going renumbers; that erasing leaves",
            format!(
                "2^{}; 2^{}; {SUMMARY_ERASED_AHEAD}",
                SUMMARY_VERSION_OF_MEMBERS_MAX.ilog2(),
                SUMMARY_VERSION_ORDINARY_MAX.ilog2()
            ),
        ),
    ]
}

/// With a comma before each three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
