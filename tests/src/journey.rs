//! The whole journey with the real programs: a desk, its team, two people who write to it.

mod evidence;
mod handover;
mod team;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

pub use self::team::{ALIASES, Report, Team, race};
use self::team::{COORDINATOR, FIRST, SECOND};
use crate::harness::{Client, Live, Needle, PEOPLE_IP, Relay};

const FIRST_TEXT: &str = "Me siento fatal, por favor, ¿están ahí? zarzamora";
const ADDED_TEXT: &str = "Se me olvidó decir algo más, golondrina";
const ANSWER: &str = "Hola, soy Luz. Este es un espacio seguro, manzanilla";
const HER_REPLY: &str = "Gracias por contestar, yerbabuena";
const AFTER_KILL: &str = "Sigo aquí después del apagón, colibrí";
const SECOND_HELLO: &str = "Hola, vengo a ayudar con lo legal, jacaranda";
const REASON: &str = "Que te explique la denuncia, obsidiana";
const OTHER_TEXT: &str = "I am writing for the first time, marigold";
const ASK_TEXT: &str = "Is anybody still there, wisteria";
const NEW_ANSWER: &str = "I am here instead of her, kingfisher";
const OTHER_ANSWER: &str = "We are here with you, hummingbird";

/// Plays it.
///
/// # Errors
/// Says which step did not go as it should.
pub fn play(report: Report<'_>) -> anyhow::Result<()> {
    let mut relay = Relay::start().context("the relay starts")?;
    report("the relay starts", json!({ "url": relay.url() }));
    let mut team = Team::gather(&relay, report)?;
    let mut room = first_contact(&mut relay, &mut team, report)?;
    second_accompanier(&mut relay, &mut team, &mut room, report)?;
    let mut other = second_person(&relay, &mut team, report)?;
    evidence::evidence(&mut team, &mut other, report)?;
    nobody_answers(&mut team, &mut other, report)?;
    goodbye(&mut team, room, other, report)?;
    relay.stop()?;
    report("the relay stops when it is told to", json!({}));
    nothing_is_found(&relay, &team, report)?;
    handover::play(report)
}

/// A conversation with one person.
struct Room {
    person: Client,
    talk: Live,
    /// Which of the accompaniers answers her, and under which number.
    answering: usize,
    number: u64,
}

fn first_contact(relay: &mut Relay, team: &mut Team, report: Report<'_>) -> anyhow::Result<Room> {
    let person = relay.client("asha")?;
    let written = person.write(&team.desk.link, FIRST_TEXT)?;
    written.event("intake-stored")?;
    report(
        "a person writes with nothing but the link, and is told that it arrived",
        json!({}),
    );
    relay.kill()?;
    relay.restart()?;
    report("the relay is killed and comes back", json!({}));
    person
        .succeed_with(&["add"], ADDED_TEXT)?
        .event("addition-stored")?;
    report(
        "she comes back before anyone answered, and adds to it",
        json!({}),
    );
    let mut talk = person.start(&["talk"])?;
    let (answering, number) = race(&mut team.shifts)?;
    report(
        "both accompaniers race for her, and exactly one gets her",
        json!({ "who": answering }),
    );
    talk.expect("answered")?;
    let shift = &mut team.shifts[answering];
    shift.expect_that("entry", |event| event["text"] == FIRST_TEXT)?;
    shift.expect_that("entry", |event| event["text"] == ADDED_TEXT)?;
    report("whoever got her reads what she wrote", json!({}));
    shift.type_line(&format!("say {number} \"{ANSWER}\""))?;
    talk.expect_that("entry", |event| event["text"] == ANSWER)?;
    talk.type_line(HER_REPLY)?;
    shift.expect_that("entry", |event| event["text"] == HER_REPLY)?;
    report("they talk", json!({}));
    let room = Room {
        person,
        talk,
        answering,
        number,
    };
    same_code(team, &[answering], room, report)
}

/// Everybody in the room sees the same six words.
fn same_code(
    team: &mut Team,
    inside: &[usize],
    mut room: Room,
    report: Report<'_>,
) -> anyhow::Result<Room> {
    let mut codes = BTreeSet::new();
    room.talk.type_line("/code")?;
    codes.insert(room.talk.expect("code")?["code"].to_string());
    for &at in inside {
        let number = if at == room.answering { room.number } else { 1 };
        team.shifts[at].type_line(&format!("code {number}"))?;
        codes.insert(team.shifts[at].expect("code")?["code"].to_string());
    }
    ensure!(
        codes.len() == 1 && !codes.contains("null"),
        "codes differ: {codes:?}"
    );
    report(
        "everybody in the room sees the same six words",
        json!({ "people": inside.len() + 1 }),
    );
    Ok(room)
}

fn second_accompanier(
    relay: &mut Relay,
    team: &mut Team,
    room: &mut Room,
    report: Report<'_>,
) -> anyhow::Result<()> {
    let (answering, joining) = (room.answering, 1 - room.answering);
    let alias = ALIASES[joining];
    let number = room.number;
    team.shifts[answering].type_line(&format!(
        "propose {number} \"{alias}\" --reason \"{REASON}\""
    ))?;
    let proposal = room
        .talk
        .expect_that("entry", |event| event["kind"] == "proposal")?;
    ensure!(
        proposal["proposal"]["alias"] == alias,
        "another colleague is proposed"
    );
    report(
        "a colleague is proposed to her, with a reason",
        json!({ "alias": alias }),
    );
    room.talk.type_line("/who")?;
    let members = room.talk.expect("who")?["members"]
        .as_array()
        .context("members")?
        .len();
    ensure!(members == 2, "somebody came in without her yes");
    room.talk.type_line("/yes")?;
    let joined = team.shifts[joining].expect("conversation-joined")?;
    let joined = joined["conversation"].as_u64().context("conversation")?;
    report("her yes lets the colleague in", json!({}));
    relay.kill()?;
    room.talk.type_line(AFTER_KILL)?;
    relay.restart()?;
    report(
        "the relay is killed in the middle of a conversation, and comes back",
        json!({}),
    );
    for shift in &mut team.shifts {
        shift.expect_that("entry", |event| event["text"] == AFTER_KILL)?;
    }
    team.shifts[joining].type_line(&format!("say {joined} \"{SECOND_HELLO}\""))?;
    room.talk
        .expect_that("entry", |event| event["text"] == SECOND_HELLO)?;
    team.shifts[answering].expect_that("entry", |event| event["text"] == SECOND_HELLO)?;
    report(
        "nothing that was written is lost, and all three read it",
        json!({}),
    );
    team.shifts[joining].type_line(&format!("read {joined}"))?;
    team.shifts[joining].expect_that("history", |event| event["text"] == SECOND_HELLO)?;
    let earlier = team.shifts[joining].unread("history", |event| event["text"] == FIRST_TEXT);
    ensure!(earlier.is_none(), "a newcomer reads what was said before");
    report("the newcomer reads nothing of the past", json!({}));
    Ok(())
}

fn second_person(relay: &Relay, team: &mut Team, report: Report<'_>) -> anyhow::Result<Room> {
    let person = relay.client("bo")?.in_english();
    person
        .write(&team.desk.link, OTHER_TEXT)?
        .event("intake-stored")?;
    let mut waiting = person.start(&["wait"])?;
    let (answering, number) = race(&mut team.shifts)?;
    waiting.expect("talking")?;
    ensure!(waiting.wait()?.success(), "waiting ends well");
    report(
        "a second person is answered while she waits",
        json!({ "who": answering }),
    );
    let mut talk = person.start(&["talk"])?;
    team.shifts[answering].type_line(&format!("say {number} \"{OTHER_ANSWER}\""))?;
    talk.expect_that("entry", |event| event["text"] == OTHER_ANSWER)?;
    report("and talks", json!({}));
    Ok(Room {
        person,
        talk,
        answering,
        number,
    })
}

/// She says no to a colleague; then whoever answered her goes, and she asks the desk for somebody else.
fn nobody_answers(team: &mut Team, room: &mut Room, report: Report<'_>) -> anyhow::Result<()> {
    let (answering, other, number) = (room.answering, 1 - room.answering, room.number);
    let alias = ALIASES[other];
    let propose = format!("propose {number} \"{alias}\" --reason \"{REASON}\"");
    team.shifts[answering].type_line(&propose)?;
    room.talk
        .expect_that("entry", |event| event["kind"] == "proposal")?;
    room.talk.type_line("/no")?;
    team.shifts[answering].expect_that("entry", |event| event["kind"] == "refusal")?;
    report("she says no to a colleague, who stays out", json!({}));
    team.shifts[answering].type_line("exit")?;
    team.shifts[answering].expect_that("shift", |event| event["on"] == false)?;
    room.talk.type_line(&format!("/ask-desk \"{ASK_TEXT}\""))?;
    let is_hers = |event: &Value| event["rows"][0]["reason"] == "came-back";
    let queue = team.shifts[other].expect_that("queue", is_hers)?;
    let row = queue["rows"][0]["row"].as_u64().context("row")?;
    team.shifts[other].type_line(&format!("claim {row}"))?;
    room.talk.expect("desk-offers")?;
    report(
        "nobody answers, she asks the desk, and a colleague offers to come",
        json!({}),
    );
    room.talk.type_line("/yes")?;
    let joined = team.shifts[other].expect_any(&["claim-won", "conversation-joined"])?;
    let number = joined["conversation"].as_u64().context("conversation")?;
    team.shifts[other].type_line(&format!("say {number} \"{NEW_ANSWER}\""))?;
    room.talk
        .expect_that("entry", |event| event["text"] == NEW_ANSWER)?;
    report(
        "her yes lets the colleague in, with nobody else there",
        json!({}),
    );
    team.shifts[answering] = team.accompaniers[answering].start(&["shift"])?;
    team.shifts[answering].expect_that("entry", |event| event["text"] == NEW_ANSWER)?;
    report("whoever was away catches up", json!({}));
    Ok(())
}

fn goodbye(team: &mut Team, room: Room, other: Room, report: Report<'_>) -> anyhow::Result<()> {
    ensure!(room.talk.finish()?.success(), "her view closes well");
    let history = room.person.succeed(&["read"])?;
    for text in [ANSWER, HER_REPLY, AFTER_KILL, SECOND_HELLO] {
        let times = history
            .events
            .iter()
            .filter(|event| event["text"] == text)
            .count();
        ensure!(times == 1, "{text} is there {times} times");
    }
    report(
        "she reads everything once, after closing the window",
        json!({}),
    );
    room.person.succeed(&["leave"])?;
    team.shifts[room.answering].expect_that("entry", |event| {
        event["kind"] == "left" && event["who"]["is"] == "person"
    })?;
    report("she leaves, and those who were with her see it", json!({}));
    ensure!(other.talk.finish()?.success(), "the other view closes well");
    for shift in &mut team.shifts {
        shift.type_line("exit")?;
        shift.expect_that("shift", |event| event["on"] == false)?;
    }
    report("the shift ends", json!({}));
    team.accompaniers[0]
        .succeed(&["desk", "leave"])?
        .event("left-desk")?;
    report("an accompanier leaves the desk by her own wish", json!({}));
    team.desk.coordinator.succeed(&["desk", "remove", SECOND])?;
    let removed = team.accompaniers[1].run(&["shift", "start"])?;
    ensure!(
        removed
            .events
            .iter()
            .any(|event| event["event"] == "removed-from-desk"),
        "{removed:?}"
    );
    report(
        "a coordinator removes a colleague, who learns it",
        json!({}),
    );
    let shown = team.desk.coordinator.succeed(&["desk", "show"])?;
    let colleagues = shown.event("desk")?["colleagues"].as_array();
    ensure!(colleagues.is_some_and(|left| left.len() == 1), "{shown:?}");
    report("nobody is left but the coordinator", json!({}));
    Ok(())
}

fn nothing_is_found(relay: &Relay, team: &Team, report: Report<'_>) -> anyhow::Result<()> {
    let texts = [
        FIRST_TEXT,
        ADDED_TEXT,
        ANSWER,
        HER_REPLY,
        AFTER_KILL,
        SECOND_HELLO,
        REASON,
        OTHER_TEXT,
        OTHER_ANSWER,
        ASK_TEXT,
        NEW_ANSWER,
        COORDINATOR,
        FIRST,
        SECOND,
        "zarzamora",
        "golondrina",
        "Amapola",
        "Bugambilia",
    ];
    let mut needles: Vec<Needle> = texts.iter().map(|text| Needle::text(text)).collect();
    needles.push(Needle::text(&PEOPLE_IP.to_string()));
    needles.push(Needle::bytes("the people's address", &PEOPLE_IP.octets()));
    needles.extend(team.secrets.iter().cloned());
    let findings = relay.search(&needles)?;
    ensure!(findings.is_empty(), "the relay kept {findings:?}");
    report(
        "a search of the relay's data and logs finds nothing",
        json!({ "for": needles.len() }),
    );
    Ok(())
}
