//! The command line. Bad input is one line on standard error and exit code 2; work that failed is one line and exit code 1.

mod operate;
mod remote;
mod serve;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::auth::RealmRule;

pub use serve::{Options, Running, start};

/// The sync server of Ebbtide.
#[derive(Parser, Debug)]
#[command(name = "ebbtide-server", version, about = "The sync server of Ebbtide")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Runs the server until it is interrupted.
    Serve(ServeArguments),
    /// Takes a backup of everything.
    Backup {
        #[command(flatten)]
        data: DataArgument,
        /// The backup's name; made of the time if absent.
        #[arg(long)]
        name: Option<String>,
    },
    /// Replaces everything by a backup; what was there is kept in replaced/.
    Restore {
        #[command(flatten)]
        data: DataArgument,
        /// The backup's name.
        #[arg(long)]
        name: String,
    },
    /// Ends sync and enables it again: a new epoch with the same data, no clients known.
    TerminateSync {
        #[command(flatten)]
        data: DataArgument,
        /// The realm, as app/name or name; all if absent.
        #[arg(long)]
        realm: Option<String>,
    },
    /// Drops history; clients that have not seen it must reset.
    TrimHistory {
        #[command(flatten)]
        data: DataArgument,
        /// The realm, as app/name or name; all if absent.
        #[arg(long)]
        realm: Option<String>,
        /// How many of the newest entries to keep.
        #[arg(long, default_value_t = 0)]
        keep: u64,
    },
    /// Changes the schema; destructive changes begin a new epoch.
    Schema {
        #[command(flatten)]
        data: DataArgument,
        /// The realm, as app/name or name; all if absent.
        #[arg(long)]
        realm: Option<String>,
        /// The change as JSON, like {"op":"drop-property","class":"Task","property":"done"}.
        #[arg(long)]
        change: String,
    },
    /// Forgets a client, which then must reset.
    ForgetClient {
        #[command(flatten)]
        data: DataArgument,
        /// The client's id: 32 hexadecimal digits.
        #[arg(long)]
        client: String,
    },
    /// Prints realms, heads, epochs, clients and classes as JSON.
    State {
        #[command(flatten)]
        data: DataArgument,
        /// The realm, as app/name or name; all if absent.
        #[arg(long)]
        realm: Option<String>,
    },
}

#[derive(clap::Args, Debug)]
struct DataArgument {
    /// The server's data directory.
    #[arg(long)]
    data: PathBuf,
}

#[derive(clap::Args, Debug)]
struct ServeArguments {
    /// The data directory; made if it is not there.
    #[arg(long)]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7800")]
    listen: std::net::SocketAddr,
    /// A web origin that may use the server; repeat for more. If absent, every loopback origin may.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// After how many days away a client must reset, and how long history is kept.
    #[arg(long, value_name = "DAYS", default_value_t = 30.0)]
    max_offline: f64,
    /// Refuses clients whose schema has more than the server's.
    #[arg(long)]
    fixed_schema: bool,
    /// Who may open which realm.
    #[arg(long, value_enum, default_value_t = RealmRule::Everyone)]
    realms: RealmRule,
    /// How much to log.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    log: LogLevel,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// What ended a command early.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for makes no sense.
    Input(String),
    /// It made sense and failed.
    Work(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::Work(message)
    }
}

/// Runs the program.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse_arguments(&error),
    };
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Input(message)) => complain(&message, 2),
        Err(Failure::Work(message)) => complain(&message, 1),
    }
}

/// Prints a line. That nobody reads it any more is no reason to stop half-way.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("ebbtide-server: {}", message.replace('\n', " "));
    ExitCode::from(code)
}

fn refuse_arguments(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nobody is left to tell if standard output is closed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let message = paragraph.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    complain(&format!("{message} (--help shows what there is)"), 2)
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Backup { data, name } => operate::backup(&data.data, name),
        Command::Restore { data, name } => operate::restore(&data.data, &name),
        Command::TerminateSync { data, realm } => operate::terminate_sync(&data.data, realm),
        Command::TrimHistory { data, realm, keep } => operate::trim_history(&data.data, realm, keep),
        Command::Schema { data, realm, change } => operate::schema(&data.data, realm, &change),
        Command::ForgetClient { data, client } => operate::forget_client(&data.data, &client),
        Command::State { data, realm } => operate::state(&data.data, realm),
    }
}
