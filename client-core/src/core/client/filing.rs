//! What the client does for the files of one conversation, on either side.

use cobijo_protocol::link::RelayUrl;

use super::{ChannelId, CommandError, Context, FileCommand, Line};
use crate::core::{conversation::Conversation, port::Seen};

/// Gives the files what they need of the client and of the shell.
pub(super) fn serve(conversation: &mut Conversation, context: &mut Context<'_>) {
    conversation.give_files_channel(|| context.new_channel());
    while let Some(work) = conversation.poll_file_work() {
        context.file_work(work);
    }
}

/// Does what is asked for.
pub(super) fn handle_command(
    conversation: &mut Conversation,
    command: FileCommand,
    context: &mut Context<'_>,
) -> Result<(), CommandError> {
    let (now, rng) = (context.now, &mut *context.rng);
    match command {
        FileCommand::Send { file, .. } => conversation.send_file(file, now, rng)?,
        FileCommand::Tell { fingerprint, .. } => {
            conversation.tell_fingerprint(fingerprint, now, rng)?;
        }
        FileCommand::Open { file, .. } => conversation.open_file(file, now, rng)?,
    }
    Ok(())
}

/// What the files want, on a channel of their own.
pub(super) fn line(conversation: &Conversation, relay: &RelayUrl) -> Option<Line> {
    let (channel, wants) = conversation.files_line()?;
    Some(Line {
        channel,
        relay: relay.clone(),
        wants,
    })
}

/// Takes what the relay said, if it was said to them.
pub(super) fn handle_seen(
    conversation: &mut Conversation,
    channel: ChannelId,
    seen: &Seen,
    context: &mut Context<'_>,
) {
    if conversation.files_channel() == Some(channel) {
        conversation.handle_files_seen(seen, context.now, context.rng);
    }
}
