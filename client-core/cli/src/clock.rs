//! Times as people tell them, in the zone of this machine.

use cobijo_client_core::core::port::Now;
use cobijo_protocol::content::Minute;
use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::TimeZone,
};

use crate::{catalogue::Language, tasks::opening::DAY_NAMES};

const MONTHS: [[&str; 2]; 12] = [
    ["enero", "January"],
    ["febrero", "February"],
    ["marzo", "March"],
    ["abril", "April"],
    ["mayo", "May"],
    ["junio", "June"],
    ["julio", "July"],
    ["agosto", "August"],
    ["septiembre", "September"],
    ["octubre", "October"],
    ["noviembre", "November"],
    ["diciembre", "December"],
];

/// A clock in a zone.
pub(crate) struct Clock {
    zone: TimeZone,
    now: Timestamp,
}

impl Clock {
    /// The one of this machine.
    pub(crate) fn here() -> Self {
        Self::new(TimeZone::system(), cobijo_client_core::driver::now())
    }

    fn new(zone: TimeZone, now: Now) -> Self {
        let millis = i64::try_from(now.millis()).unwrap_or(i64::MAX);
        Self {
            zone,
            now: Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }

    /// "20:00", today or else tomorrow, or "2026-11-26 16:00": what is still to come.
    pub(crate) fn parse(&self, typed: &str) -> Option<Minute> {
        let today = self.now.to_zoned_datetime(self.zone.clone()).date();
        let at = |moment: DateTime| moment.to_zoned_datetime(self.zone.clone()).ok();
        let typed = typed.trim();
        let moment = match Time::strptime("%H:%M", typed) {
            Ok(time) => {
                let is_over = |moment: &jiff::ZonedDateTime| moment.timestamp() < self.now;
                let moment = at(DateTime::from_parts(today, time))?;
                if is_over(&moment) {
                    at(DateTime::from_parts(today.tomorrow().ok()?, time))?
                } else {
                    moment
                }
            }
            Err(_) => at(DateTime::strptime("%Y-%m-%d %H:%M", typed).ok()?)?,
        };
        let is_to_come = moment.timestamp() >= self.now;
        let minute = u32::try_from(moment.timestamp().as_second() / 60).ok()?;
        is_to_come.then_some(Minute::from_number(minute))
    }

    /// "20:00", and which day where it isn't today.
    pub(crate) fn time(&self, minute: Minute, language: Language) -> String {
        let Some(moment) = self.moment(minute) else {
            return "—".to_owned();
        };
        let time = format!("{:02}:{:02}", moment.hour(), moment.minute());
        if moment.date() == self.now.to_zoned_datetime(self.zone.clone()).date() {
            return time;
        }
        format!("{time} ({})", date(&moment, language))
    }

    /// "jueves 26 de noviembre, 16:00".
    pub(crate) fn day(&self, minute: Minute, language: Language) -> String {
        let Some(moment) = self.moment(minute) else {
            return "—".to_owned();
        };
        let date = date(&moment, language);
        format!("{date}, {:02}:{:02}", moment.hour(), moment.minute())
    }

    fn moment(&self, minute: Minute) -> Option<jiff::ZonedDateTime> {
        let moment = Timestamp::from_second(i64::from(minute.number()) * 60).ok()?;
        Some(moment.to_zoned_datetime(self.zone.clone()))
    }
}

fn date(moment: &jiff::ZonedDateTime, language: Language) -> String {
    let index = |at: i8| usize::try_from(at).unwrap_or_default();
    let weekday = DAY_NAMES.get(index(moment.weekday().to_monday_zero_offset()));
    // "el jueves", "on Thursday"
    let weekday = weekday.and_then(|day| day.text(language).split(' ').next_back());
    let weekday = weekday.unwrap_or_default();
    let month = MONTHS.get(index(moment.month() - 1));
    let month = month.map_or("", |[es, en]| match language {
        Language::Es => es,
        Language::En => en,
    });
    let day = moment.day();
    match language {
        Language::Es => format!("{weekday} {day} de {month}"),
        Language::En => format!("{weekday} {day} {month}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon in Mexico City on a Tuesday.
    fn noon() -> Clock {
        let zone = TimeZone::fixed(jiff::tz::offset(-6));
        Clock::new(zone, Now::from_millis(1_795_543_200_000))
    }

    #[test]
    fn a_time_is_the_next_one_and_is_told_in_the_readers_zone() {
        let clock = noon();
        let tell = |typed: &str| {
            let minute = clock.parse(typed).unwrap();
            [
                clock.time(minute, Language::Es),
                clock.day(minute, Language::En),
            ]
        };
        assert_eq!(tell("20:00"), ["20:00", "Tuesday 24 November, 20:00"]);
        assert_eq!(
            tell("08:30"),
            [
                "08:30 (miércoles 25 de noviembre)",
                "Wednesday 25 November, 08:30"
            ]
        );
        assert_eq!(
            tell(" 2026-11-26 16:00 "),
            [
                "16:00 (jueves 26 de noviembre)",
                "Thursday 26 November, 16:00"
            ]
        );
    }

    #[test]
    fn what_is_no_time_or_over_is_not_taken() {
        for typed in [
            "",
            "25:00",
            "8",
            "2026-11-24 11:00",
            "2026-13-01 10:00",
            "mañana",
        ] {
            assert_eq!(noon().parse(typed), None, "{typed}");
        }
        assert_eq!(
            noon().time(Minute::from_number(u32::MAX), Language::Es),
            "—"
        );
    }
}
