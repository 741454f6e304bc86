//! When a desk is open: as a coordinator types it, and whether that is now.

use cobijo_protocol::opening::{Door, OpenSpan, Opening};
use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

use crate::catalogue::{Key, Language};

/// Names of the days as they are typed: the first three letters, in Spanish without accents, and in English.
const DAYS: [[&str; 2]; 7] = [
    ["lun", "mon"],
    ["mar", "tue"],
    ["mie", "wed"],
    ["jue", "thu"],
    ["vie", "fri"],
    ["sab", "sat"],
    ["dom", "sun"],
];
/// From Monday on.
pub(crate) const DAY_NAMES: [Key; 7] = [
    Key::Monday,
    Key::Tuesday,
    Key::Wednesday,
    Key::Thursday,
    Key::Friday,
    Key::Saturday,
    Key::Sunday,
];

/// A week as it is typed: `mon-fri 9:00-22:00, sat 10:00-14:00`; nothing is a desk that doesn't say.
pub(crate) fn parse_week(text: &str) -> Option<Vec<OpenSpan>> {
    let mut week = Vec::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let (days, hours) = part.trim().split_once(char::is_whitespace)?;
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (day(first)?, day(last)?);
        let (from, to) = hours.trim().split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        let count = (last + 7 - first) % 7 + 1;
        for day in (0..count).map(|more| (first + more) % 7) {
            week.extend(spans(day, from, to));
        }
    }
    week.sort_unstable();
    Some(week)
}

/// Hours that end after midnight go on the next day.
fn spans(day: u8, from: u16, to: u16) -> Vec<OpenSpan> {
    let span = |day, from, to| OpenSpan { day, from, to };
    if from < to {
        return vec![span(day, from, to)];
    }
    let rest = (to > 0).then(|| span((day + 1) % 7, 0, to));
    std::iter::once(span(day, from, 24 * 60))
        .chain(rest)
        .collect()
}

fn day(text: &str) -> Option<u8> {
    let small = text.trim().to_lowercase();
    let plain: String = { small.chars() }
        .map(|c| match c {
            'á' => 'a',
            'é' => 'e',
            other => other,
        })
        .take(3)
        .collect();
    let at = DAYS
        .iter()
        .position(|names| names.contains(&plain.as_str()))?;
    u8::try_from(at).ok()
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour.checked_mul(60)? + minute)
}

/// Whether this machine knows the zone.
pub(crate) fn is_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// Whether somebody answers now; unknown where this machine doesn't know the desk's zone.
pub(crate) fn door_now(opening: &Opening) -> Door {
    let zone = TimeZone::get(&opening.zone).unwrap_or(TimeZone::UTC);
    let is_known = opening.paused || is_zone(&opening.zone);
    if is_known {
        door_at(opening, &Timestamp::now().to_zoned_datetime(zone))
    } else {
        Door::Unknown
    }
}

fn door_at(opening: &Opening, now: &ZonedDateTime) -> Door {
    let day = now.weekday().to_monday_zero_offset();
    let minute = i16::from(now.hour()) * 60 + i16::from(now.minute());
    match (u8::try_from(day), u16::try_from(minute)) {
        (Ok(day), Ok(minute)) => opening.at(day, minute),
        _ => Door::Unknown,
    }
}

/// When a closed desk opens, in words: in its own zone, which the sentence names.
pub(crate) fn when(opening: &Opening, in_days: u8, minute: u16, language: Language) -> String {
    let zone = TimeZone::get(&opening.zone).unwrap_or(TimeZone::UTC);
    let today = Timestamp::now().to_zoned_datetime(zone).weekday();
    let day = today
        .wrapping_add(i64::from(in_days))
        .to_monday_zero_offset();
    let day = usize::try_from(day).ok().and_then(|day| DAY_NAMES.get(day));
    let day = match in_days {
        0 => Key::Today,
        1 => Key::Tomorrow,
        _ => day.copied().unwrap_or(Key::Monday),
    };
    let hour = format!("{}:{:02}", minute / 60, minute % 60);
    let city = opening.zone.rsplit('/').next().unwrap_or_default();
    let text = Key::When.text(language);
    [day.text(language), &hour, &city.replace('_', " ")]
        .iter()
        .fold(text.to_owned(), |text, value| text.replacen("{}", value, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(day: u8, from: u16, to: u16) -> OpenSpan {
        OpenSpan { day, from, to }
    }

    #[test]
    fn a_week_is_taken_in_both_languages_and_over_midnight() {
        let expected = vec![span(0, 540, 1320), span(1, 540, 1320), span(5, 600, 840)];
        for text in [
            "mon-tue 9:00-22:00, sat 10-14",
            "lun-mar 9-22,sábado 10:00-14:00",
        ] {
            assert_eq!(parse_week(text).unwrap(), expected, "{text}");
        }
        let night = vec![span(0, 0, 120), span(6, 1200, 1440)];
        assert_eq!(parse_week("dom 20-2").unwrap(), night);
        assert_eq!(parse_week("sun 20-24").unwrap(), [span(6, 1200, 1440)]);
        assert_eq!(parse_week("fri-mon 8-9").unwrap().len(), 4);
        assert_eq!(parse_week(" ").unwrap(), []);
        for text in [
            "mon",
            "mon 9",
            "xyz 9-10",
            "mon 9-25",
            "mon 9:60-10",
            "mon 99999-2",
        ] {
            assert!(parse_week(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_door_follows_the_desks_own_zone() {
        let opening = Opening {
            zone: "America/Mexico_City".to_owned(),
            week: vec![span(0, 540, 1320)],
            paused: false,
        };
        assert!(is_zone(&opening.zone));
        let at = |time: &str| {
            let time: Timestamp = time.parse().unwrap();
            door_at(
                &opening,
                &time.to_zoned_datetime(TimeZone::get(&opening.zone).unwrap()),
            )
        };
        // 2026-11-23 is a Monday; Mexico City is six hours behind UTC.
        assert_eq!(
            at("2026-11-23T14:59:00Z"),
            Door::Closed {
                in_days: 0,
                minute: 540
            }
        );
        assert_eq!(at("2026-11-23T15:00:00Z"), Door::Open);
        assert_eq!(at("2026-11-24T03:59:00Z"), Door::Open);
        assert_eq!(
            at("2026-11-24T04:00:00Z"),
            Door::Closed {
                in_days: 7,
                minute: 540
            }
        );
        let unknown = Opening {
            zone: "America/Nowhere".to_owned(),
            ..opening
        };
        assert_eq!(door_now(&unknown), Door::Unknown);
    }

    #[test]
    fn when_it_opens_is_said_in_words() {
        let opening = Opening {
            zone: "America/Mexico_City".to_owned(),
            ..Opening::default()
        };
        let today = when(&opening, 0, 545, Language::Es);
        assert_eq!(today, "hoy a las 9:05 (hora de Mexico City)");
        let tomorrow = when(&opening, 1, 0, Language::En);
        assert_eq!(tomorrow, "tomorrow at 0:00 (Mexico City time)");
    }
}
