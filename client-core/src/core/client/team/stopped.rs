//! What a member may still ask for who can't follow her desk any more.

use crate::core::client::TeamCommand;

/// Whether a member may still ask for it who can't follow her desk any more.
pub(super) enum WhileStopped {
    /// The root key outlives the group.
    Always,
    /// It helps her, or all, to go on.
    IfItMayGoOn,
    /// It is asked of the group.
    Never,
}

impl TeamCommand {
    pub(super) fn while_stopped(&self) -> WhileStopped {
        match self {
            Self::ExportRoot | Self::DropRoot => WhileStopped::Always,
            Self::ImportRoot(_) | Self::MakeSuccessor(_) | Self::JoinDesk { .. } => {
                WhileStopped::IfItMayGoOn
            }
            Self::CreateDesk { .. }
            | Self::Describe(_)
            | Self::RenewDeskKey
            | Self::Invite
            | Self::Admit { .. }
            | Self::Revoke(_)
            | Self::StartShift
            | Self::Take(_)
            | Self::LearnBeside(_)
            | Self::EndShift
            | Self::Claim(_)
            | Self::Pass(_)
            | Self::Dismiss(_)
            | Self::Propose { .. }
            | Self::Circle(_)
            | Self::HandOver { .. }
            | Self::RemoveMember(_)
            | Self::People(_)
            | Self::LeaveDesk => WhileStopped::Never,
        }
    }
}
