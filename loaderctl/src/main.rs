//! `loaderctl`: arguments, a runtime, the command, its ending as exit code.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use loader_proto::visible::visible_lines;
use loaderctl::{Arguments, Failure, exit_code, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(Failure::System { doing: "cannot start".to_owned(), source: error }),
    };
    if let Err(failure) = &ended
        && !failure.is_silent()
    {
        // Where standard error is closed, the failure cannot be reported.
        let text = failure.to_string();
        let _unwritten = writeln!(std::io::stderr().lock(), "{}", visible_lines(&text));
    }
    ExitCode::from(exit_code(&ended))
}
