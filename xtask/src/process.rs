//! Children: how they are run, and how none outlives this program.
//!
//! Every child carries a mark in its environment, which its own children inherit. Whoever still carries the mark when
//! this program ends (a browser whose driver died first, say) is ended too.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::failure::{Failure, Outcome, While};

const MARK: &str = "EBBTIDE_XTASK";
const GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

/// How long a tool may take: compiling everything on a slow machine fits well.
const TOOL_PATIENCE: Duration = Duration::from_secs(40 * 60);

/// How long a script in a browser may take.
pub const SCRIPT_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Set once a signal has come: what becomes of the children is then nobody's failure.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Arranges that Ctrl-C and a request to terminate end the children first.
pub fn end_children_on_signals() -> Outcome<()> {
    ctrlc::set_handler(|| {
        ENDING.store(true, Ordering::SeqCst);
        end_children();
        std::process::exit(130);
    })
    .while_doing(|| "watching for Ctrl-C".to_owned())
}

/// Starts a child that will not outlive this program.
pub fn spawn(command: &mut Command) -> Outcome<Child> {
    spawn_marked(command, mark())
}

/// Runs a tool to its end with its output appended to `log`; a failure quotes its output whole.
pub fn run_logged(command: &mut Command, log: &Path) -> Outcome<()> {
    run_logged_within(command, log, TOOL_PATIENCE)
}

/// The same with a limit of its own.
pub fn run_logged_within(command: &mut Command, log: &Path, patience: Duration) -> Outcome<()> {
    let line = command_line(command);
    let file = open_log(log)?;
    let before = file.metadata().map(|data| data.len()).unwrap_or_default();
    let second = file.try_clone().while_doing(|| format!("writing {}", log.display()))?;
    let mut child = spawn(command.stdout(file).stderr(second))?;
    let outcome = wait(&mut child, patience);
    if matches!(&outcome, Ok(status) if status.success()) {
        return Ok(());
    }
    let output = fs::read(log).unwrap_or_default();
    let output = &output[usize::try_from(before).unwrap_or_default().min(output.len())..];
    let end = match outcome {
        Ok(status) => format!("ended with {status}"),
        Err(failure) => failure.to_string(),
    };
    Err(Failure::new(format!("{}\n`{line}` {end}", String::from_utf8_lossy(output).trim_end())))
}

/// Runs a script that limits its own steps to its end, with what it complains of in `log`, and hands over each line of its
/// output as it comes.
pub fn run_listened_to(command: &mut Command, log: &Path, mut listen: impl FnMut(&str)) -> Outcome<()> {
    let line = command_line(command);
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(open_log(log)?))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            listen(&line);
        }
    }
    let status = wait(&mut child, SCRIPT_PATIENCE)?;
    if status.success() {
        return Ok(());
    }
    let complaints = fs::read(log).unwrap_or_default();
    Err(Failure::new(format!("{}\n`{line}` ended with {status}", String::from_utf8_lossy(&complaints).trim_end())))
}

/// Waits for a child to end by itself; one that takes too long is killed.
pub fn wait(child: &mut Child, patience: Duration) -> Outcome<ExitStatus> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().while_doing(|| "waiting for a child".to_owned())? {
            while ENDING.load(Ordering::SeqCst) {
                std::thread::park();
            }
            return Ok(status);
        }
        std::thread::sleep(POLL);
    }
    child.kill().while_doing(|| "killing a child".to_owned())?;
    child.wait().while_doing(|| "waiting for a child".to_owned())?;
    Err(Failure::new(format!("did not end within {} s and was killed", patience.as_secs())))
}

/// What a command prints, if it can be run and succeeds.
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command.env(MARK, mark()).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Opens a log for appending, with its folder.
pub fn open_log(log: &Path) -> Outcome<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).while_doing(|| format!("making {}", folder.display()))?;
    }
    File::options().create(true).append(true).open(log).while_doing(|| format!("opening {}", log.display()))
}

/// Asks a child to end, and waits until it has; one that takes too long is killed.
pub fn terminate(child: &mut Child, patience: Duration) -> Outcome<ExitStatus> {
    let _ = kill(pid_of(child), Signal::SIGTERM);
    wait(child, patience)
}

/// Ends everything that carries this program's mark.
pub fn end_children() {
    end_marked(mark());
}

/// Ends what a killed run of this program left behind: a server there would hold on to its data.
pub fn end_orphans() {
    for (pid, mark) in all_marked() {
        let parent = mark.split_once('-').and_then(|(parent, _)| parent.parse::<u32>().ok());
        if parent.is_some_and(|parent| !Path::new(&format!("/proc/{parent}")).exists()) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

/// The command as one would type it.
pub fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id fits the system's own type"))
}

fn spawn_marked(command: &mut Command, mark: &str) -> Outcome<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.env(MARK, mark).stdin(Stdio::null()).spawn().while_doing(|| format!("starting `{program}`"))
}

fn end_marked(mark: &str) {
    let signal_all = |signal| {
        let pids = marked(mark);
        for pid in &pids {
            let _ = kill(*pid, signal);
        }
        pids.is_empty()
    };
    if signal_all(Signal::SIGTERM) {
        return;
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        if marked(mark).is_empty() {
            return;
        }
        std::thread::sleep(POLL);
    }
    signal_all(Signal::SIGKILL);
}

/// The mark is told apart from that of every other run by the process id and the time of the start.
fn mark() -> &'static str {
    static VALUE: OnceLock<String> = OnceLock::new();
    VALUE.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{}", std::process::id(), now.as_nanos())
    })
}

fn marked(mark: &str) -> Vec<Pid> {
    all_marked().into_iter().filter(|(_, found)| found == mark).map(|(pid, _)| pid).collect()
}

/// All running processes with a mark; a system without /proc shows none, and children there end with their parents.
fn all_marked() -> Vec<(Pid, String)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((Pid::from_raw(pid), mark_of(pid)?))).collect()
}

fn mark_of(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut pairs = environment.split(|byte| *byte == 0);
    pairs.find_map(|pair| std::str::from_utf8(pair).ok()?.strip_prefix(MARK)?.strip_prefix('=').map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_children_end_too() {
        let mark = format!("test-{}", std::process::id());
        let mut shell = Command::new("sh");
        // The inner shell speaks for itself, since between fork and exec a process shows no environment; it ends some day.
        let inner = "echo started; i=0; while [ $i -lt 50000000 ]; do i=$((i+1)); done";
        shell.args(["-c", &format!("sh -c '{inner}' & wait")]).stdout(Stdio::piped());
        let mut child = spawn_marked(&mut shell, &mark).expect("a shell");
        let mut line = String::new();
        let output = child.stdout.take().expect("the output was asked for");
        BufReader::new(output).read_line(&mut line).expect("a line");
        assert_eq!(marked(&mark).len(), 2, "the shell and its child carry the mark");
        end_marked(&mark);
        child.wait().expect("the child has ended");
        assert!(marked(&mark).is_empty());
    }

    #[test]
    fn a_failing_command_shows_its_whole_output() {
        let log = std::env::temp_dir().join(format!("ebbtide-xtask-log-{}", std::process::id()));
        let failure = run_logged(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]), &log)
            .expect_err("the command fails");
        let _ = fs::remove_file(&log);
        let text = failure.to_string();
        assert!(text.contains("one\ntwo"), "{text}");
        assert!(text.contains("exit status: 3"), "{text}");
    }
}
