//! What can be typed of people and of oneself.

use clap::{Args, ValueEnum};
use cobijo_client_core::core::client::{CheckOut, ClosingReason};

/// Lines of the board, in a live view.
#[derive(Args, Clone)]
pub(crate) struct BoardLines {
    /// Where she is, in a live view.
    #[arg(long, hide = true)]
    pub(crate) state: Option<String>,
    /// What comes next, in a live view.
    #[arg(long, hide = true)]
    pub(crate) next: Option<String>,
    /// What to take care of, in a live view.
    #[arg(long, hide = true)]
    pub(crate) safety: Option<String>,
}

impl BoardLines {
    pub(crate) fn are_typed(&self) -> bool {
        self.state.is_some() || self.next.is_some() || self.safety.is_some()
    }
}

/// Lines of the team's notes, in a live view.
#[derive(Args, Clone)]
pub(crate) struct NoteLines {
    /// What she needs, in a live view.
    #[arg(long, hide = true)]
    pub(crate) needs: Option<String>,
    /// What was agreed, in a live view.
    #[arg(long, hide = true)]
    pub(crate) agreements: Option<String>,
    /// What may harm her, in a live view.
    #[arg(long, hide = true)]
    pub(crate) risks: Option<String>,
    /// Where she was referred to, in a live view.
    #[arg(long, hide = true)]
    pub(crate) referrals: Option<String>,
    /// What comes next, in a live view.
    #[arg(long, hide = true)]
    pub(crate) next: Option<String>,
}

impl NoteLines {
    pub(crate) fn into_lines(self) -> [Option<String>; 5] {
        let Self {
            needs,
            agreements,
            risks,
            referrals,
            next,
        } = self;
        [needs, agreements, risks, referrals, next]
    }

    pub(crate) fn are_typed(&self) -> bool {
        self.clone().into_lines().iter().any(Option::is_some)
    }
}

/// Why a conversation is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReasonArg {
    Agreed,
    StoppedComing,
    Referred,
    NotOurScope,
    Abuse,
}

impl From<ReasonArg> for ClosingReason {
    fn from(reason: ReasonArg) -> Self {
        match reason {
            ReasonArg::Agreed => Self::Agreed,
            ReasonArg::StoppedComing => Self::StoppedComing,
            ReasonArg::Referred => Self::Referred,
            ReasonArg::NotOurScope => Self::NotOurScope,
            ReasonArg::Abuse => Self::Abuse,
        }
    }
}

/// Whether she carries something hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckOutArg {
    Talk,
    Tomorrow,
    No,
}

impl From<CheckOutArg> for CheckOut {
    fn from(answer: CheckOutArg) -> Self {
        match answer {
            CheckOutArg::Talk => Self::Talk,
            CheckOutArg::Tomorrow => Self::Tomorrow,
            CheckOutArg::No => Self::No,
        }
    }
}
