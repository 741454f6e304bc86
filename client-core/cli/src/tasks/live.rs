//! Live views: what happens is shown as it happens, and what is typed is done.

use clap::Parser;
use cobijo_client_core::core::client::{
    Capacity, Command, ConversationId, Event, PersonCommand, TeamCommand,
};
use cobijo_client_core::driver::Notice;

use super::{Task, asking::is_waiting, check, erasing::Erase};
use crate::{app::App, args, catalogue::Key, input, problem::Problem};

/// Where a line goes that is no command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    /// Every line is a command.
    Shift,
    /// Lines are said; commands begin with "/".
    Talk(Option<ConversationId>),
}

/// A line as a command.
#[derive(Parser)]
#[command(
    no_binary_name = true,
    disable_help_flag = true,
    disable_version_flag = true
)]
struct Line {
    #[command(subcommand)]
    command: args::Command,
}

/// What follows from a line.
enum Next {
    Line,
    End,
}

impl App {
    pub(super) async fn shift(
        &mut self,
        capacity: Option<Capacity>,
        buddy: Option<&str>,
    ) -> Result<(), Problem> {
        self.start_shift(capacity, buddy)?;
        self.is_live = true;
        let shown = self.live(View::Shift).await;
        if shown.is_ok() {
            self.command(Command::Team(TeamCommand::EndShift))?;
        }
        shown
    }

    pub(super) async fn talk(&mut self, number: Option<u32>) -> Result<(), Problem> {
        let conversation = match (number, is_waiting(&self.client().standing())) {
            (None, true) => None,
            (number, _) => Some(self.pick(number)?),
        };
        self.is_live = true;
        match conversation {
            Some(conversation) => self.show_history(conversation),
            None => self.screen.progress(Key::Waiting),
        }
        self.screen.progress(Key::TalkHint);
        self.live(View::Talk(conversation)).await
    }

    /// Goes on until the lines end, "exit", Ctrl+C, or a problem that nothing can be done about here.
    async fn live(&mut self, mut view: View) -> Result<(), Problem> {
        let mut lines = input::lines();
        loop {
            let line = tokio::select! {
                notice = self.driver.next() => {
                    let notice = notice?;
                    self.show(&notice);
                    view = self.follow(view, &notice);
                    continue;
                }
                line = lines.recv() => line,
                _ = tokio::signal::ctrl_c() => None,
            };
            let Some(line) = line else {
                return Ok(());
            };
            match self.handle_line(view, &line).await {
                Ok(Next::Line) => {}
                Ok(Next::End) => return Ok(()),
                Err(problem) if problem.is_fatal => return Err(problem),
                Err(problem) => self.screen.problem(problem),
            }
        }
    }

    /// Somebody has answered: from now on lines go to that conversation.
    fn follow(&self, view: View, notice: &Notice) -> View {
        match (view, notice) {
            (View::Talk(_), Notice::Event(Event::Answered(conversation))) => {
                View::Talk(Some(*conversation))
            }
            (view, _) => view,
        }
    }

    async fn handle_line(&mut self, view: View, line: &str) -> Result<Next, Problem> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(Next::Line);
        }
        if let Some(end) = input::cut_after(line) {
            self.screen.note(Key::LineCut, &end);
        }
        let typed = match (view, line.strip_prefix('/')) {
            (View::Talk(_), Some(typed)) => typed,
            (View::Shift, typed) => typed.unwrap_or(line),
            (View::Talk(Some(conversation)), None) => {
                self.command(Command::Say {
                    conversation,
                    text: line.to_owned(),
                })?;
                return Ok(Next::Line);
            }
            (View::Talk(None), None) => {
                self.command(Command::Person(PersonCommand::Add(line.to_owned())))?;
                return Ok(Next::Line);
            }
        };
        let mistake = if view == View::Shift {
            Key::BadLine
        } else {
            Key::TalkHint
        };
        let typed = Line::try_parse_from(input::split(typed)).map_err(|_| mistake)?;
        let task = check(&typed.command)?;
        self.perform_here(view, task).await
    }

    /// Does what can be done without leaving the view.
    async fn perform_here(&mut self, view: View, task: Task) -> Result<Next, Problem> {
        let here = match view {
            View::Talk(conversation) => conversation.map(ConversationId::number),
            View::Shift => None,
        };
        if matches!(task, Task::Exit) {
            return Ok(Next::End);
        }
        if is_elsewhere(&task) {
            return Err(Key::NotHere.into());
        }
        let task = here_by_default(task, here);
        Box::pin(self.perform(task)).await?;
        Ok(Next::Line)
    }
}

/// What begins something else, or asks on the terminal that the view reads.
fn is_elsewhere(task: &Task) -> bool {
    matches!(
        task,
        Task::Write(_)
            | Task::Wait
            | Task::Talk(_)
            | Task::Shift { .. }
            | Task::CreateDesk { .. }
            | Task::LeaveDesk
            | Task::Join { .. }
            | Task::Admit { words: None, .. }
            | Task::Phrase { .. }
            | Task::Return(_)
    ) || matches!(task, Task::People(people) if people.must_ask())
}

/// Without a number, the conversation that is shown is meant.
fn here_by_default(task: Task, here: Option<u32>) -> Task {
    if matches!(task, Task::Who(None)) {
        Task::Who(here)
    } else if matches!(task, Task::Code(None)) {
        Task::Code(here)
    } else if matches!(task, Task::Read(None)) {
        Task::Read(here)
    } else if matches!(task, Task::Leave(None)) {
        Task::Leave(here)
    } else if let Task::Summary(None, what) = task {
        Task::Summary(here, what)
    } else if let Task::Erase(what) = task {
        let conversation = what.conversation.or(here);
        Task::Erase(Erase {
            conversation,
            ..what
        })
    } else {
        task
    }
}
