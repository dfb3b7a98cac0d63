//! The `ebbtide-server` program.

fn main() -> std::process::ExitCode {
    ebbtide_server::cli::run()
}
