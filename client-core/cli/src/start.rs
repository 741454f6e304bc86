//! From what was typed to a running client.

use std::{
    env,
    ffi::OsString,
    path::{Component, Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, error::ErrorKind};
use cobijo_client_core::{
    core::client::Client,
    driver::{Driver, Network, Proxy},
    profile::{Profile, ProfileFolder},
};

use crate::{
    app::{App, Outcome},
    args::{Cli, Command, DeskCommand, General},
    catalogue::{Key, Language, help},
    passphrase,
    problem::Problem,
    screen::Screen,
    tasks::{self, Task},
};

/// Exit status where what was typed isn't understood.
const STATUS_USE: u8 = 2;
/// Exit status where all was done, and there is something to worry about.
const STATUS_WARNED: u8 = 3;

/// Runs the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let environment =
        ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| env::var(name).unwrap_or_default());
    let language =
        typed_language(&arguments).unwrap_or_else(|| Language::of_environment(environment));
    let cli = match parse(&arguments, language) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, language),
    };
    let screen = Screen {
        language,
        json: cli.general.json,
    };
    quiet_panics(screen);
    match perform(&cli, screen) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Warned) => ExitCode::from(STATUS_WARNED),
        Err(problem) => {
            screen.problem(problem);
            ExitCode::FAILURE
        }
    }
}

/// What a panic says could be about people: one sentence and its place in the code are told instead.
fn quiet_panics(screen: Screen) {
    std::panic::set_hook(Box::new(move |panic| {
        let (file, line) = panic
            .location()
            .map_or(("", 0), |at| (at.file(), at.line()));
        screen.broken(file, line);
    }));
}

fn perform(cli: &Cli, screen: Screen) -> Result<Outcome, Problem> {
    let general = &cli.general;
    if cli.command.tells_a_secret() {
        return Err(Key::SecretTyped.into());
    }
    let network = network(general)?;
    let task = tasks::check(&cli.command)?;
    let folder = folder(general, &cli.command)?;
    let (task, client, profile) = open(folder, task, general, screen)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| Problem::from(Key::Unexpected))?;
    runtime.block_on(async {
        let driver = Driver::start(client, profile, network)?;
        let mut app = App::new(driver, screen, general.timeout);
        let mut done = app.perform(task).await;
        if done.is_ok() {
            // What the client still has to do by itself: a commit, a KeyPackage, a card.
            done = app.finish().await;
        }
        let outcome = app.outcome();
        app.stop().await;
        done.map(|()| outcome)
    })
}

/// Opens the profile, or makes one, and asks for what the task still needs.
fn open(
    folder: ProfileFolder,
    task: Task,
    general: &General,
    screen: Screen,
) -> Result<(Task, Client, Profile), Problem> {
    let file = general.passphrase_file.as_deref();
    if !folder.is_new() {
        let passphrase = passphrase::existing(screen, file)?;
        screen.progress(Key::Deriving);
        let (profile, state) = folder.open(passphrase.as_bytes())?;
        let client = Client::restore(&state)?;
        return Ok((task.ask(screen, &client)?, client, profile));
    }
    // Nothing is left of a profile that did not begin anything.
    let passphrase = passphrase::new(screen, file)?;
    let client = Client::new();
    let task = task.ask(screen, &client)?;
    screen.progress(Key::Deriving);
    let profile = folder.create(passphrase.as_bytes(), &client.snapshot())?;
    Ok((task, client, profile))
}

fn network(general: &General) -> Result<Network, Problem> {
    let proxy = match &general.proxy {
        Some(proxy) => Some(proxy.parse::<Proxy>().map_err(|_| Key::BadProxy)?),
        None => None,
    };
    Ok(Network::new(general.trust.as_deref(), proxy)?)
}

/// Takes the profile's folder. Only what begins something makes one.
fn folder(general: &General, command: &Command) -> Result<ProfileFolder, Problem> {
    let path = profile_path(&general.profile).ok_or(Key::NoHome)?;
    let begins = matches!(
        command,
        Command::Write { .. }
            | Command::Return { .. }
            | Command::Desk(DeskCommand::Create { .. } | DeskCommand::Join { .. })
    );
    if !begins && !path.exists() {
        return Err(Key::NewProfile.into());
    }
    let folder = ProfileFolder::take(&path)?;
    if !begins && folder.is_new() {
        return Err(Key::NewProfile.into());
    }
    Ok(folder)
}

/// A name stands for a folder in the place for a person's data.
fn profile_path(profile: &Path) -> Option<PathBuf> {
    let mut parts = profile.components();
    let is_name = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    if !is_name || profile.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Some(profile.to_owned());
    }
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
    Some(home.join("cobijo").join(profile))
}

/// `--lang`, looked for before anything is parsed: help and mistakes are told in it too.
fn typed_language(arguments: &[OsString]) -> Option<Language> {
    let texts: Vec<&str> = arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .collect();
    let after = texts
        .windows(2)
        .find(|pair| pair[0] == "--lang")
        .map(|pair| pair[1]);
    let joined = texts.iter().find_map(|text| text.strip_prefix("--lang="));
    <Language as clap::ValueEnum>::from_str(after.or(joined)?, true).ok()
}

fn parse(arguments: &[OsString], language: Language) -> Result<Cli, clap::Error> {
    let command = match language {
        Language::Es => help::in_spanish(Cli::command()),
        Language::En => Cli::command(),
    };
    let matches = command.try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Help is no mistake; a mistake is told in the person's language.
fn refuse(error: &clap::Error, language: Language) -> ExitCode {
    let is_help = [
        ErrorKind::DisplayHelp,
        ErrorKind::DisplayVersion,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ]
    .contains(&error.kind());
    if is_help && language == Language::Es {
        Screen {
            language,
            json: false,
        }
        .show(&serde_json::Value::Null, &help::finish(error));
    } else if language == Language::En {
        let _gone = error.print();
    } else {
        Screen {
            language,
            json: false,
        }
        .problem(Key::BadUse.into());
    }
    let is_asked = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion].contains(&error.kind());
    if is_asked {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(STATUS_USE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is_and_a_name_is_not() {
        for path in ["./here", "a/b", "/abs", "..", "here/"] {
            assert_eq!(profile_path(Path::new(path)).unwrap(), Path::new(path));
        }
        assert_ne!(profile_path(Path::new("luz")), Some(PathBuf::from("luz")));
    }

    /// Set for the process that has to panic.
    const PANICS: &str = "COBIJO_TEST_PANICS_IN";

    #[test]
    fn a_panic_tells_one_sentence_and_nothing_of_what_it_was_about() {
        let said = [(Language::Es, "programa"), (Language::En, "program")];
        if let Ok(language) = env::var(PANICS) {
            let (language, _) = said[usize::from(language == "en")];
            quiet_panics(Screen {
                language,
                json: false,
            });
            panic!("zarzamora");
        }
        for (language, word) in said {
            let test = "start::tests::a_panic_tells_one_sentence_and_nothing_of_what_it_was_about";
            let output = std::process::Command::new(env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture"])
                .env(PANICS, language.tag())
                .output()
                .unwrap();
            assert!(!output.status.success());
            let errors = String::from_utf8(output.stderr).unwrap();
            let told = errors.lines().next().unwrap();
            assert!(
                told.contains(word) && told.contains("start.rs:"),
                "{errors}"
            );
            let printed = String::from_utf8(output.stdout).unwrap();
            assert!(!(errors + &printed).contains("zarzamora"));
        }
    }

    #[test]
    fn the_language_that_was_typed_is_found_anywhere() {
        let of = |arguments: &[&str]| {
            typed_language(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
        };
        assert_eq!(of(&["cobijo", "list", "--lang", "es"]), Some(Language::Es));
        assert_eq!(of(&["cobijo", "--lang=en", "list"]), Some(Language::En));
        assert_eq!(of(&["cobijo", "--lang"]), None);
    }
}
