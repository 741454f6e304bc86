//! What can be typed about circles.

use clap::Subcommand;

/// Tasks about circles.
#[derive(Subcommand, Clone)]
pub(crate) enum CircleCommand {
    /// Creates a circle, for several persons: asks what it is for.
    Create {
        /// What it is called, as people will see it.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// A colleague who facilitates it with you.
        #[arg(long, value_name = "ALIAS")]
        with: Option<String>,
        /// What it is for, in a live view.
        #[arg(long, hide = true)]
        about: Option<String>,
    },
    /// Asks the person of a conversation into a circle that you facilitate; she decides.
    Invite {
        /// The circle's number in the list.
        circle: u32,
        /// The conversation's number in the list.
        conversation: u32,
    },
    /// Says yes to an invitation: asks for the name that you want in the circle.
    Accept {
        /// What the circle is called, where you are invited to several.
        circle: Option<String>,
        /// Your name there, in a live view.
        #[arg(long = "as", hide = true)]
        alias: Option<String>,
    },
    /// Says no to an invitation; nobody is told.
    Refuse {
        /// What the circle is called, where you are invited to several.
        circle: Option<String>,
    },
    /// Lets somebody in again who has come back, once you know that it is she.
    LetIn {
        /// The circle's number in the list.
        circle: u32,
        /// Her name there.
        alias: String,
    },
    /// Takes somebody out of a circle that you facilitate.
    Remove {
        /// The circle's number in the list.
        circle: u32,
        /// Her name there.
        alias: String,
    },
}
