//! The commands: each sends requests to the daemon and prints the response.

mod browser;
mod bundle;
mod check;
mod compare;
mod dashboard;
mod fetch;
mod import;
mod invoke;
mod plan;
mod plot;
mod prepare;
mod records;
mod report;
mod results;
mod run_files;
mod run_names;
mod runs;
mod session;
mod study;
mod submit;
mod token;
mod trace;
mod traces;
mod watch;

use clap::CommandFactory as _;
use session::Session;

use crate::{
    Arguments, Ending, Failure,
    cli::{Command, StudyCommand},
    output,
};

/// Carries out a command.
///
/// # Errors
/// Why the command failed.
pub(crate) async fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let Arguments { address, credentials, output: format, command } = arguments;
    let session = Session { address: address.unwrap_or_default(), credentials, format };
    match command {
        Command::Submit(arguments) => Box::pin(submit::submit(&session, *arguments)).await,
        Command::Resubmit(arguments) => Box::pin(submit::resubmit(&session, arguments)).await,
        Command::Plan(arguments) => Box::pin(plan::plan(&session, &arguments)).await,
        Command::Import(arguments) => import::import(&session, &arguments),
        Command::List(arguments) => runs::list(&session, arguments).await,
        Command::Get(arguments) => Box::pin(runs::get(&session, arguments)).await,
        Command::Watch(arguments) => Box::pin(watch::watch(&session, arguments)).await,
        Command::Cancel(arguments) => Box::pin(runs::cancel(&session, arguments)).await,
        Command::Pin(run) => runs::pin(&session, run, true).await,
        Command::Unpin(run) => runs::pin(&session, run, false).await,
        Command::Delete(arguments) => Box::pin(runs::delete(&session, arguments)).await,
        Command::Records(run) => records::records(&session, run).await,
        Command::Results(arguments) => results::results(&session, arguments).await,
        Command::Report(arguments) => report::report(&session, arguments).await,
        Command::Plot(arguments) => plot::plot(&session, arguments).await,
        Command::Compare(arguments) => Box::pin(compare::compare(&session, arguments)).await,
        Command::Check(arguments) => check::check(&session, arguments).await,
        Command::Invoke(arguments) => invoke::invoke(&session, arguments).await,
        Command::Clean(arguments) => runs::clean(&session, arguments).await,
        Command::Query(arguments) => runs::query(&session, arguments).await,
        Command::Status => runs::status(&session).await,
        Command::Dashboard(arguments) => dashboard::dashboard(&session, &arguments).await,
        Command::Trace(command) => trace::run(&session, command).await,
        Command::Study(command) => Box::pin(of_studies(&session, command)).await,
        Command::SupportBundle(arguments) => bundle::bundle(&session, &arguments).await,
        Command::Token(arguments) => token::token(&session, &arguments),
        Command::Man { to } => man(&to),
        Command::Completions { shell } => completions(shell),
    }
}

async fn of_studies(session: &Session, command: StudyCommand) -> Result<Ending, Failure> {
    match command {
        StudyCommand::Plan(arguments) => study::plan(session, arguments).await,
        StudyCommand::Run(arguments) => study::run(session, *arguments).await,
        StudyCommand::Import(arguments) => study::import(session, &arguments),
        StudyCommand::List(arguments) => study::list(session, &arguments).await,
        StudyCommand::Get(arguments) => study::get(session, arguments).await,
        StudyCommand::Watch(arguments) => study::watch(session, arguments).await,
        StudyCommand::Compare(arguments) => study::compare(session, arguments).await,
        StudyCommand::Report(arguments) => study::report(session, arguments).await,
        StudyCommand::Cancel(arguments) => study::cancel(session, arguments).await,
        StudyCommand::Delete(arguments) => study::delete(session, arguments).await,
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "loaderctl", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Done)
}

/// Writes manual pages, one for each command.
fn man(to: &std::path::Path) -> Result<Ending, Failure> {
    let command = Arguments::command().name("loaderctl");
    clap_mangen::generate_to(command, to).map_err(|source| Failure::System {
        doing: format!("cannot write manual pages to {}", to.display()),
        source,
    })?;
    Ok(Ending::Done)
}
