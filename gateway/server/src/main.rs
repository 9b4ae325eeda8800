//! The program `gateway`.

fn main() -> std::process::ExitCode {
    gateway_server::cli::main()
}
