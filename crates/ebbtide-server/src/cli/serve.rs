//! `serve`: puts the parts together and runs them until it is interrupted.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ebbtide_sync::server::{BindRules, SchemaRule};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Failure, LogLevel, ServeArguments, say};
use crate::auth::{Origins, Tokens};
use crate::backup::Backups;
use crate::data_dir::{DataDir, DirLock, RunningServer};
use crate::edge::{Now, system_clock};
use crate::hub::{HubContext, load_realm};
use crate::limits::{Patience, STOP_WITHIN};
use crate::service::Service;
use crate::storage::{SqliteStorage, Storage, StorageError};
use crate::web::{Web, WebRules, router};

/// How a server is run.
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What is decided about clients before they say what they want.
    pub web: WebRules,
    /// What is decided about binding.
    pub bind: BindRules,
    /// The time.
    pub now: Now,
}

/// A server that runs in this process.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its realms.
    pub service: Arc<Service>,
    stop: watch::Sender<()>,
    task: tokio::task::JoinHandle<()>,
    dir: DataDir,
    _lock: DirLock,
}

impl Running {
    /// Sends everybody away, closes everything and frees the directory.
    pub async fn stop(self) {
        self.service.stop().await;
        self.stop.send_replace(());
        // What still answers a request after this time is cut off; nothing that it acknowledged is lost.
        let _ = tokio::time::timeout(STOP_WITHIN, self.task).await;
        self.dir.withdraw();
    }
}

/// Starts a server in this process.
pub async fn start(options: Options) -> Result<Running, String> {
    let dir = DataDir::create(&options.data)?;
    let lock = dir.lock()?;
    let storage = Arc::new(SqliteStorage::open(&dir.database()).map_err(unusable)?);
    check_realms(storage.as_ref()).map_err(unusable)?;
    let tokens = Tokens::new(&dir.token_key()?);
    let admin_token = dir.admin_token()?;
    let backups = Backups::new(dir.clone(), Arc::clone(&storage));
    let context = HubContext { storage, now: options.now, rules: options.bind };
    let service = Service::new(context, Some(backups));
    let web = Web::new(Arc::clone(&service), tokens, admin_token, options.web);

    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    dir.announce(&RunningServer { url: format!("http://{address}"), pid: std::process::id() })?;

    let (stop, mut stopped) = watch::channel(());
    stopped.mark_unchanged();
    let housekeeping = tokio::spawn(Arc::clone(&service).keep_house());
    let task = tokio::spawn(async move {
        let until = async move { drop(stopped.changed().await) };
        let served = axum::serve(listener, router(web)).with_graceful_shutdown(until).await;
        if let Err(error) = served {
            tracing::error!(%error, "the listener failed");
        }
        housekeeping.abort();
    });
    Ok(Running { address, service, stop, task, dir, _lock: lock })
}

fn unusable(error: StorageError) -> String {
    match error {
        StorageError::Corrupt(what) => format!("{what}; `ebbtide-server restore` puts a backup in its place"),
        other => other.to_string(),
    }
}

/// A damaged realm is found at the start, not when its first client comes; the others are served all the same.
fn check_realms(storage: &dyn Storage) -> Result<(), StorageError> {
    let realms = storage.realms()?;
    for realm in &realms {
        if let Err(error) = load_realm(storage, realm) {
            tracing::error!(%error, "a realm is damaged; restore a backup");
        }
    }
    tracing::info!(realms = realms.len(), "storage is open");
    Ok(())
}

/// The `serve` command.
pub fn run(arguments: ServeArguments) -> Result<(), Failure> {
    let origins = Origins::new(&arguments.allow_origin).map_err(Failure::Input)?;
    let days = arguments.max_offline;
    if !(days.is_finite() && days > 0.0 && days <= 36_500.0) {
        return Err(Failure::Input("--max-offline must be a number of days above 0".to_string()));
    }
    log_to_stderr(arguments.log);
    let schema = if arguments.fixed_schema { SchemaRule::Fixed } else { SchemaRule::Extend };
    let options = Options {
        data: arguments.data,
        listen: arguments.listen,
        web: WebRules { origins, realms: arguments.realms, patience: Patience::default() },
        bind: BindRules { max_offline_ms: (days * 86_400_000.0) as u64, schema },
        now: system_clock(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start threads: {error}"))?;
    runtime.block_on(async {
        let running = start(options).await?;
        say(&format!("ebbtide-server listens on http://{}", running.address));
        interrupted().await;
        tracing::info!("stopping");
        running.stop().await;
        Ok(())
    })
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received; the server stops only when it is killed");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn log_to_stderr(level: LogLevel) {
    let level = match level {
        LogLevel::Off => return,
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).init();
}
