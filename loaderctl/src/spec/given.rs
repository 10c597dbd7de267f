//! The spec file and the flags as clap reads them: from the table of [`FLAGS`], values still as text.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum as _};

use super::flags::{FLAGS, Flag, Mode, Takes};

/// The spec file and the flags that describe a run.
#[derive(Debug, Clone, Args)]
pub(crate) struct SpecArguments {
    /// Spec file, YAML or JSON, or a loader configuration of InVitro; - for standard input; flags win over it
    #[arg(value_name = "SPEC-FILE")]
    pub(super) file: Option<String>,
    /// Leave unknown keys of a configuration of InVitro out, and say so
    #[arg(long)]
    pub(super) lenient: bool,
    /// What is tried for a constant rate, to say how it is asked for.
    #[arg(long, hide = true, value_name = "RATE", num_args = 0..=1)]
    pub(super) rps: Option<Option<String>>,
    #[arg(long, hide_possible_values = true, help = mode_help())]
    pub(super) mode: Option<Mode>,
    #[command(flatten)]
    pub(super) flags: Given,
}

fn mode_help() -> String {
    let names: Vec<_> = Mode::value_variants().iter().map(|mode| mode.field()).collect();
    let names = match names.as_slice() {
        [names @ .., last] if !names.is_empty() => format!("{} or {last}", names.join(", ")),
        names => names.concat(),
    };
    format!("What kind of plan: {names} [that of the file]")
}

/// The flags of the table that were given.
#[derive(Debug, Clone, Default)]
pub(super) struct Given(pub(super) Vec<GivenFlag>);

/// One of them, with its values.
#[derive(Debug, Clone)]
pub(super) struct GivenFlag {
    pub(super) flag: &'static Flag,
    pub(super) values: Vec<String>,
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, flag| command.arg(argument(flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let given = FLAGS.iter().filter_map(|flag| {
            let values = matches.get_many::<String>(flag.name)?.cloned().collect();
            Some(GivenFlag { flag, values })
        });
        self.0 = given.collect();
        Ok(())
    }
}

fn argument(flag: &'static Flag) -> Arg {
    let argument = Arg::new(flag.name)
        .long(flag.name)
        .help(flag.help)
        .help_heading(flag.group.heading)
        .allow_negative_numbers(true);
    match flag.takes {
        Takes::Text(name) => argument.value_name(name),
        Takes::Numbers => argument.value_name("LIST"),
        Takes::Targets => argument.value_name("HOST:PORT[=AUTHORITY]").action(ArgAction::Append),
        Takes::Headers => argument.value_name("NAME:VALUE").action(ArgAction::Append),
        Takes::Entries => argument.value_name("ENTRY").action(ArgAction::Append),
        Takes::Texts(name) => argument.value_name(name).action(ArgAction::Append),
        Takes::TextOrFile => argument.value_name("TEXT"),
        Takes::Switch => argument
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(["true", "false"])
            .hide_possible_values(true),
    }
}
