//! Command lines as documents show them, held against what the programs and scripts themselves know.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use crate::{bin, root, run};

/// The programs of this repository.
pub const PROGRAMS: [&str; 3] = ["loaderctl", "loaderd", "trace-func"];

/// Words behind which another command, or none, begins.
const ENDS: [&str; 6] = [">", "|", "||", "&&", "&", "#"];

/// What `--help` of a program, or of a subcommand, lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Names of the subcommands.
    pub commands: Vec<String>,
    /// The long flags, and whether a value follows each as the next word.
    pub flags: BTreeMap<String, bool>,
}

impl Usage {
    /// Runs a program with `subcommands` and `--help`, and parses what it prints.
    ///
    /// # Panics
    /// When it has no help for that.
    pub fn of(program: &str, subcommands: &[&str]) -> Self {
        let asked = run(bin(program), subcommands.iter().chain(&["--help"]));
        Self::parse(&asked.ok().stdout)
    }

    fn parse(help: &str) -> Self {
        let mut usage = Self::default();
        let mut section = "";
        for line in help.lines() {
            if !line.starts_with(' ') {
                section = line;
            } else if line.trim_start().starts_with('-') {
                usage.flags_of(line);
            } else if section == "Commands:" && line.starts_with("  ") && !line.starts_with("   ") {
                usage.commands.extend(line.split_whitespace().next().map(str::to_owned));
            }
        }
        usage
    }

    /// Takes `-h, --help  …`, `--to <FILE>  …` or `--keep[=<BOOL>]  …`.
    fn flags_of(&mut self, line: &str) {
        let mut words = line.split_whitespace().peekable();
        while let Some(word) = words.next_if(|word| word.starts_with('-')) {
            let Some(name) = word.strip_prefix("--") else { continue };
            let name = name.split(['[', ',']).next().unwrap_or_default();
            let takes_value = words.peek().is_some_and(|next| next.starts_with('<'));
            self.flags.insert(format!("--{name}"), takes_value);
        }
    }

    /// Every flag of every program and subcommand.
    pub fn everywhere() -> Self {
        let mut all = Self::default();
        for program in PROGRAMS {
            let mut open = vec![Vec::new()];
            while let Some(path) = open.pop() {
                let words: Vec<_> = path.iter().map(String::as_str).collect();
                let usage = Self::of(program, &words);
                let commands = usage.commands.iter().filter(|command| *command != "help");
                open.extend(commands.map(|command| path.iter().chain([command]).cloned().collect()));
                all.commands.extend(usage.commands);
                all.flags.extend(usage.flags);
            }
        }
        all
    }
}

/// The command lines of a block: continued lines joined, prompts and comments left out.
pub fn command_lines(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.strip_prefix("$ ").unwrap_or(line).to_owned());
    lines.filter(|line| is_ours(line)).collect()
}

/// Whether a line runs a program or a script of this repository.
pub fn is_ours(line: &str) -> bool {
    let program = words(line).first().copied();
    program.is_some_and(|program| PROGRAMS.contains(&program) || program.starts_with("scripts/"))
}

fn words(line: &str) -> Vec<&str> {
    let words = line.split_whitespace().skip_while(|word| *word == "sudo").take_while(|word| !ENDS.contains(word));
    words.map(|word| word.strip_prefix("./").unwrap_or(word)).collect()
}

/// What is wrong with a command line, if anything: the program, a subcommand or a long flag that does not exist.
pub fn wrong(line: &str) -> Option<String> {
    let words = words(line);
    let (program, arguments) = words.split_first()?;
    let fault =
        if program.starts_with("scripts/") { in_script(program, arguments) } else { in_program(program, arguments) };
    fault.map(|fault| format!("{fault}: {line}"))
}

/// A script has the flags that its text has.
fn in_script(script: &str, arguments: &[&str]) -> Option<String> {
    let path = root().join(Path::new(script));
    let executable = fs::metadata(&path).is_ok_and(|it| it.is_dir() || it.permissions().mode() & 0o111 != 0);
    if !executable {
        return Some(format!("there is no script {script}"));
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let unknown = arguments.iter().find(|word| word.starts_with("--") && !text.contains(flag(word)))?;
    Some(format!("{script} does not know {unknown}"))
}

/// Whether some script has the flag, as pages about scripts name it by itself.
///
/// # Panics
/// When there are no scripts.
pub fn in_scripts(flag: &str) -> bool {
    let folders = ["scripts", "scripts/cluster"].map(|folder| fs::read_dir(root().join(folder)).expect("is there"));
    let mut files = folders.into_iter().flatten().flatten().map(|entry| entry.path());
    files.any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(flag)))
}

fn in_program(program: &str, arguments: &[&str]) -> Option<String> {
    let mut path = Vec::new();
    let mut usage = Usage::of(program, &path);
    let mut arguments = arguments.iter();
    while let Some(&word) = arguments.next() {
        if word.starts_with("--") {
            match usage.flags.get(flag(word)) {
                None => return Some(format!("{program} {} does not know {word}", path.join(" "))),
                Some(true) if !word.contains('=') => drop(arguments.next()),
                Some(_) => {}
            }
        } else if !usage.commands.is_empty() {
            if !usage.commands.iter().any(|command| command == word) {
                return Some(format!("{program} {} has no subcommand {word}", path.join(" ")));
            }
            path.push(word);
            usage = Usage::of(program, &path);
        }
    }
    None
}

/// `--flag` of `--flag=value`.
fn flag(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_tells_commands_flags_and_which_take_a_value() {
        let help = "Does it\n\nCommands:\n  list    List runs\n          of all kinds\n\nOptions:\n      --to <FILE>   A file\n  \
                    -h, --help  Print it\n      --keep[=<BOOL>]  Keep it\n";
        let usage = Usage::parse(help);
        assert_eq!(usage.commands, ["list"]);
        let flags = [("--help", false), ("--keep", false), ("--to", true)];
        assert_eq!(usage.flags, flags.map(|(flag, takes)| (flag.to_owned(), takes)).into());
    }

    #[test]
    fn command_lines_are_those_of_this_repository() {
        let block =
            "$ sudo scripts/test --a \\\n  --b # why\napt install it\n./scripts/x\nloaderctl list | less --quit";
        let lines = command_lines(block);
        assert_eq!(
            lines.iter().map(|line| words(line)).collect::<Vec<_>>(),
            [vec!["scripts/test", "--a", "--b"], vec!["scripts/x"], vec!["loaderctl", "list"]]
        );
    }

    #[test]
    fn unknown_commands_and_flags_are_named() {
        assert_eq!(wrong("scripts/demo DIR"), None);
        assert!(wrong("scripts/nothing").unwrap().starts_with("there is no script scripts/nothing"));
        assert!(wrong("scripts/demo --fast").unwrap().starts_with("scripts/demo does not know --fast"));
    }
}
