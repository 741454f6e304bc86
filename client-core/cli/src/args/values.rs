//! Values that can be typed behind an option.

use clap::ValueEnum;
use cobijo_protocol::{
    card::Role,
    content::{Purpose, Reads},
};

/// Whether a shift begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShiftChange {
    Start,
    End,
}

/// What a colleague will be able to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReadsArg {
    FromNow,
    Summary,
}

impl From<ReadsArg> for Reads {
    fn from(reads: ReadsArg) -> Self {
        match reads {
            ReadsArg::FromNow => Self::FromNow,
            ReadsArg::Summary => Self::Summary,
        }
    }
}

/// What a colleague is proposed for; to hand over is a command of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurposeArg {
    Accompany,
    Buddy,
    Specialist,
    Supervise,
}

impl From<PurposeArg> for Purpose {
    fn from(purpose: PurposeArg) -> Self {
        match purpose {
            PurposeArg::Accompany => Self::Accompany,
            PurposeArg::Buddy => Self::Buddy,
            PurposeArg::Specialist => Self::Specialist,
            PurposeArg::Supervise => Self::Supervise,
        }
    }
}

/// What a member of a desk may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    Accompanier,
    Coordinator,
    DigitalSecurity,
    Lawyer,
    Psychologist,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Accompanier => Self::Accompanier,
            RoleArg::Coordinator => Self::Coordinator,
            RoleArg::DigitalSecurity => Self::DigitalSecurity,
            RoleArg::Lawyer => Self::Lawyer,
            RoleArg::Psychologist => Self::Psychologist,
        }
    }
}
