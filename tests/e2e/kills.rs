//! Power cuts at random points, for clients and for the relay. A failure names its seed.

use std::{collections::BTreeMap, time::Duration};

use cobijo_tests::{
    harness::{Client, Done, Relay},
    journey::{ALIASES, Team, race},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng},
};

/// Longest life of a command that is going to be killed: most take less.
const LIFE_MILLIS_MAX: u64 = 1_500;
/// Messages of one run.
const MESSAGES: u64 = 12;

/// Somebody in the conversation, and its number there.
struct Member<'a> {
    client: &'a Client,
    number: String,
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_comes_twice_whoever_is_killed() {
    let seed = 1;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut relay = Relay::start().unwrap();
    let mut team = gather(&relay);
    let person = relay.client("asha").unwrap();
    person.write(&team.desk.link, "hola").unwrap();
    let (first, number) = race(&mut team.shifts).unwrap();
    let second = 1 - first;
    let propose = format!("propose {number} \"{}\" --reason ayuda", ALIASES[second]);
    team.shifts[first].type_line(&propose).unwrap();
    team.shifts[first].expect("done").unwrap();
    person.succeed(&["yes"]).unwrap();
    let joined = team.shifts[second].expect("conversation-joined").unwrap();
    let numbers = [number.to_string(), joined["conversation"].to_string()];
    end_shifts(&mut team);
    let members = [
        Member {
            client: &person,
            number: "1".to_owned(),
        },
        Member {
            client: &team.accompaniers[first],
            number: numbers[0].clone(),
        },
        Member {
            client: &team.accompaniers[second],
            number: numbers[1].clone(),
        },
    ];
    let mut acknowledged = Vec::new();
    for message in 0..MESSAGES {
        let member = &members[pick(&mut rng, members.len())];
        let text = format!("mensaje-{message}");
        let mut saying = member
            .client
            .start_with(&["say", &member.number], &text)
            .unwrap();
        let life = Duration::from_millis(rng.next_u64() % LIFE_MILLIS_MAX);
        let ended = match rng.next_u64() % 3 {
            0 => {
                let ended = saying.kill_after(life).unwrap();
                ended.map(|status| (!status.success()).then(String::new))
            }
            1 => {
                saying.outlive(life).unwrap();
                relay.kill().unwrap();
                relay.restart().unwrap();
                Some(saying.end().unwrap())
            }
            _ => Some(saying.end().unwrap()),
        };
        if let Some(problem) = ended {
            let name = member.client.name();
            assert_eq!(problem, None, "seed {seed}: {text} by {name}");
            acknowledged.push(text);
        }
    }
    agree(&members, &acknowledged, seed);
}

#[test]
fn whoever_is_killed_while_answering_or_being_answered_is_not_stuck() {
    let seed = 2;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let relay = Relay::start().unwrap();
    let mut team = gather(&relay);
    end_shifts(&mut team);
    let luz = &team.accompaniers[0];
    let all = ["shift", "start", "--capacity", "3"];
    luz.succeed(&all).unwrap();
    for round in 1..=3_u64 {
        let person = relay.client("asha").unwrap();
        person.write(&team.desk.link, "hola").unwrap();
        let queue = luz.succeed(&["queue"]).unwrap();
        let row = queue.event("queue").unwrap()["rows"][0]["row"].to_string();
        let life = Duration::from_millis(rng.next_u64() % LIFE_MILLIS_MAX);
        luz.start(&["claim", &row])
            .unwrap()
            .kill_after(life)
            .unwrap();
        let life = Duration::from_millis(rng.next_u64() % LIFE_MILLIS_MAX);
        person.start(&["wait"]).unwrap().kill_after(life).unwrap();
        // What was begun goes on by itself; what was not is asked for again.
        let is_there = || conversations(luz) == round;
        if !is_there() {
            let claimed = luz.run(&["claim", &row]).unwrap();
            assert!(
                claimed.status.success() || is_there(),
                "seed {seed}: {claimed:?}"
            );
        }
        person.succeed(&["wait"]).unwrap();
        person.succeed_with(&["say", "1"], "aquí estoy").unwrap();
        let read = luz.succeed(&["read", &round.to_string()]).unwrap();
        let texts: Vec<_> = history(&read).collect();
        assert_eq!(texts, ["hola", "aquí estoy"], "seed {seed}, round {round}");
    }
}

fn gather(relay: &Relay) -> Team {
    Team::gather(relay, &mut |_, _| {}).unwrap()
}

fn end_shifts(team: &mut Team) {
    for shift in &mut team.shifts {
        shift.type_line("exit").unwrap();
        shift
            .expect_that("shift", |event| event["on"] == false)
            .unwrap();
        shift.outlive(Duration::from_secs(60)).unwrap();
    }
}

fn conversations(client: &Client) -> u64 {
    let list = client.succeed(&["list"]).unwrap();
    let list = list.event("list").unwrap()["conversations"]
        .as_array()
        .unwrap()
        .len();
    u64::try_from(list).unwrap()
}

/// Everybody reads the same, once each, and all that was acknowledged; and the six words are the same.
fn agree(members: &[Member<'_>], acknowledged: &[String], seed: u64) {
    // One that was killed says the rest as soon as she is back: only then can others read it.
    for member in members {
        member.client.succeed(&["read", &member.number]).unwrap();
    }
    let heard: Vec<BTreeMap<String, usize>> = members.iter().map(|member| heard(member)).collect();
    for (member, heard) in members.iter().zip(&heard) {
        let name = member.client.name();
        assert!(
            heard.values().all(|&times| times == 1),
            "seed {seed}: {name} {heard:?}"
        );
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|text| !heard.contains_key(*text))
            .collect();
        assert!(lost.is_empty(), "seed {seed}: {name} lost {lost:?}");
    }
    assert!(
        heard.windows(2).all(|pair| pair[0] == pair[1]),
        "seed {seed}: {heard:?}"
    );
    let code = |member: &Member<'_>| {
        let code = member.client.succeed(&["code", &member.number]).unwrap();
        code.event("code").unwrap()["code"].clone()
    };
    let codes: Vec<_> = members.iter().map(code).collect();
    assert!(
        codes.windows(2).all(|pair| pair[0] == pair[1]),
        "seed {seed}: a fork"
    );
}

fn heard(member: &Member<'_>) -> BTreeMap<String, usize> {
    let mut heard = BTreeMap::new();
    let read = member.client.succeed(&["read", &member.number]).unwrap();
    for text in history(&read).filter(|text| text.starts_with("mensaje-")) {
        *heard.entry(text.to_owned()).or_default() += 1;
    }
    heard
}

fn history(read: &Done) -> impl Iterator<Item = &str> {
    let history = read
        .events
        .iter()
        .filter(|event| event["event"] == "history");
    history.filter_map(|event| event["text"].as_str())
}

fn pick(rng: &mut ChaCha8Rng, len: usize) -> usize {
    usize::try_from(rng.next_u64()).unwrap() % len
}
